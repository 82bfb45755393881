package oxbow;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Aim: what threads share without locks is right however they meet. Method: jcstress runs the
 * {@code …Stress} classes in JVMs of its own, and sees each result of theirs many times. Beside
 * each part that is tested stands a broken one, which must be caught: see {@code
 * docs/testing/concurrency.md}.
 *
 * <p>{@code -Doxbow.stress=20000} spends so many milliseconds on each.
 */
class ConcurrencyTest {
  private static final Set<String> PARTS =
      Set.of(
          "oxbow.device.watch.FirstTouches",
          "oxbow.device.watch.WriteMarks",
          "oxbow.engine.LoopTask",
          "oxbow.mapped.Outstanding",
          "oxbow.mapped.OwnerFault",
          "oxbow.mapped.OwnerJoin",
          "oxbow.mapped.SuspendGate",
          "oxbow.nbd.server.CompletedRequests",
          "oxbow.nbd.server.CompletedTogether",
          "oxbow.target.bow.BlockBits",
          "oxbow.target.clone.RecordOrder",
          "oxbow.target.clone.RegionMap",
          "oxbow.target.snapshot.ExceptionTable",
          "oxbow.target.snapshot.InFlightEpochs",
          "oxbow.target.snapshot.InFlightEpochsWake");

  /** A busy machine lets threads meet less often: then the broken ones get more time. */
  private static final int ATTEMPTS = 4;

  @TempDir Path directory;

  @Test
  @Timeout(value = 5, unit = TimeUnit.HOURS)
  void partsWithoutLocksAreRightAndBrokenOnesAreCaught() throws Exception {
    int milliseconds = Integer.getInteger("oxbow.stress", 1000);
    Set<String> notCaught = new TreeSet<>(broken());
    String said = jcstress("oxbow\\..*Stress", milliseconds);
    assertThat(named(said, "\\[OK\\]")).as(said).containsAll(PARTS);
    for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
      Set<String> failed = named(said, "\\[FAILED\\]");
      assertThat(broken()).as(said).containsAll(failed);
      assertThat(said).doesNotContain("[ERROR]", "[SOFT ERROR]");
      notCaught.removeAll(failed);
      if (!notCaught.isEmpty() && attempt < ATTEMPTS) {
        String names = String.join("|", notCaught).replace(".", "\\.");
        said = jcstress("(" + names + ")Stress", milliseconds << (2 * attempt));
      }
    }
    assertThat(notCaught).as("faults that were not found").isEmpty();
  }

  /** What it said about the tests that the pattern names. */
  private String jcstress(String tests, int milliseconds) throws Exception {
    Path output = directory.resolve("output");
    Process jcstress =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                "org.openjdk.jcstress.Main",
                "-v",
                "-t",
                tests,
                "-f",
                "1",
                "-iters",
                "4",
                "-time",
                String.valueOf(milliseconds / 4),
                "-sc",
                "false",
                "-af",
                "NONE",
                "-jvmArgs",
                "-XX:+UseSerialGC",
                "-r",
                directory.resolve("report").toString())
            .directory(directory.toFile())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    try {
      assertThat(jcstress.waitFor(2, TimeUnit.HOURS)).isTrue();
    } finally {
      jcstress.descendants().forEach(ProcessHandle::destroyForcibly);
      jcstress.destroyForcibly();
    }
    return Files.readString(output);
  }

  private static List<String> broken() {
    return PARTS.stream().map(part -> part.replaceFirst("\\.(\\w+)$", ".Broken$1")).toList();
  }

  private static Set<String> named(String said, String verdict) {
    Matcher line = Pattern.compile(verdict + " (oxbow\\.[\\w.]+)Stress").matcher(said);
    Set<String> names = new TreeSet<>();
    while (line.find()) {
      names.add(line.group(1));
    }
    return names;
  }
}
