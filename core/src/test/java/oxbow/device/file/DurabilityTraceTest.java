package oxbow.device.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Aim (O41): what is promised to be durable is an fdatasync of the right file, after its data; a
 * new file's name is durable too. Method: strace watches a program that tells what it does.
 */
class DurabilityTraceTest {
  @TempDir Path directory;

  /** What the program said or asked the kernel for: {@code fdatasync image}, {@code say write}. */
  private static List<String> events(List<String> trace, Path directory, Path image) {
    Pattern call = Pattern.compile("(\\w+)\\((\\d+)<([^>]*)>(.*)");
    List<String> events = new ArrayList<>();
    for (String line : trace) {
      Matcher matcher = call.matcher(line);
      if (!matcher.find()) {
        continue;
      }
      String name = matcher.group(1);
      String file = matcher.group(3);
      if (name.equals("write") && matcher.group(2).equals("1")) {
        Matcher text = Pattern.compile("\"([^\"\\\\]*)").matcher(matcher.group(4));
        if (text.find() && !text.group(1).isEmpty()) {
          events.add("say " + text.group(1));
        }
      } else if (file.equals(image.toString())) {
        events.add(name + " image");
      } else if (file.equals(directory.toString())) {
        events.add(name + " directory");
      }
    }
    return events;
  }

  private List<String> trace(Path image) throws Exception {
    Path log = directory.resolve("trace");
    List<String> command =
        new ArrayList<>(
            List.of(
                "strace",
                "-f",
                "-y",
                "-o",
                log.toString(),
                "-e",
                "trace=write,pwrite64,fdatasync,fsync,ftruncate,fallocate"));
    command.addAll(FileProgram.command("durable", image.toString()));
    Process process;
    try {
      process = new ProcessBuilder(command).redirectErrorStream(true).start();
    } catch (IOException noStrace) {
      assertThat(System.getenv("CI")).as("strace is missing: %s", noStrace).isNull();
      assumeTrue(false, "SKIPPED: strace is missing; O41 is not checked");
      return List.of();
    }
    process.outputWriter().close();
    try (var output = process.inputReader()) {
      assertThat(output.readAllAsString()).contains("flush 0\n").endsWith("end\n");
    }
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    return Files.readAllLines(log);
  }

  @ParameterizedTest(name = "left over from an interrupted creation: {0}")
  @ValueSource(booleans = {false, true})
  @DisplayName(
      "O41: durability is an fdatasync on the right file, the directory of a new one included")
  void everyPromisedDurabilityIsASystemCallOnTheRightFile(boolean isLeftOver) throws Exception {
    Path home = directory.toRealPath();
    Path image = home.resolve("image");
    if (isLeftOver) {
      Files.createFile(image);
    }
    List<String> events = events(trace(image), home, image);
    assertThat(between(events, "say create", "say write"))
        .containsExactly("ftruncate image", "fsync image", "fsync directory");
    assertThat(between(events, "say write", "say flush 0"))
        .containsExactly("pwrite64 image", "fdatasync image");
    assertThat(between(events, "say flush 0", "say forced write 0"))
        .containsExactly("pwrite64 image", "fdatasync image");
    assertThat(between(events, "say forced write 0", "say forced bulk write 0"))
        .containsExactly("pwrite64 image", "fdatasync image");
    assertThat(between(events, "say forced bulk write 0", "say forced zeroes 0"))
        .containsExactly("fallocate image", "fdatasync image");
    assertThat(between(events, "say forced zeroes 0", "say forced discard 0"))
        .containsExactly("fallocate image", "fdatasync image");
  }

  private static List<String> between(List<String> events, String from, String to) {
    assertThat(events).contains(from, to);
    return events.subList(events.indexOf(from) + 1, events.indexOf(to));
  }
}
