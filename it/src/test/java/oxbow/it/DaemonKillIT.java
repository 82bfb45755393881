package oxbow.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import oxbow.cli.Cli;

/**
 * Aim: a daemon that is killed at any moment is, when it is started again, as it was: what was
 * answered is there, what was asked last is there or not, and nothing is there by half. Method:
 * random changes of some ten devices, and flushed writes to them; SIGKILL at seeded moments, most
 * of them in the middle of a change; names, tables, states and exports are compared with a {@link
 * DaemonModel} after each.
 *
 * <p>{@code -Doxbow.kills=1000} makes a long run of it.
 */
class DaemonKillIT {
  private static final int LONGEST_LIFE_CHANGES = 25;
  private static final int LONGEST_DELAY_NANOS = 20_000_000;

  @TempDir Path directory;

  /** The stamp that was flushed last, by device. */
  private final Map<Integer, Integer> flushed = new TreeMap<>();

  private int nextStamp = 1;

  @Test
  @Timeout(value = 5, unit = TimeUnit.HOURS)
  void whatWasAnsweredIsThereAfterKillsAtAnyMoment() throws Exception {
    long seed = Long.getLong("oxbow.seed", 16_000L);
    int kills = Integer.getInteger("oxbow.kills", 30);
    Random random = new Random(seed);
    DaemonModel model = new DaemonModel(directory);
    int kill = 0;
    try (TestDaemon daemon = new TestDaemon(directory)) {
      for (; kill < kills; kill++) {
        List<DaemonModel> allowed = live(daemon, model, random);
        model = check(daemon, allowed);
      }
    } catch (AssertionError | Exception e) {
      throw new AssertionError(
          ("reproduce with: ./mvnw verify -Dit.test=DaemonKillIT -Doxbow.seed=%d"
                  + " -Doxbow.kills=%d")
              .formatted(seed, kill + 1),
          e);
    }
  }

  /**
   * Changes and writes until the daemon has been killed and started again.
   *
   * @return what it may have now
   */
  private List<DaemonModel> live(TestDaemon daemon, DaemonModel model, Random random)
      throws InterruptedException {
    int changes = random.nextInt(LONGEST_LIFE_CHANGES);
    for (int i = 0; i < changes; i++) {
      DaemonModel.Change change = model.next(random);
      daemon.ok(change.words().toArray());
      change.effect().accept(model);
      write(model, random);
    }
    long delay = random.nextInt(LONGEST_DELAY_NANOS);
    Thread killer =
        Thread.ofPlatform()
            .start(
                () -> {
                  LockSupport.parkNanos(delay);
                  daemon.server().kill();
                });
    while (true) {
      DaemonModel.Change change = model.next(random);
      DaemonModel changed = model.copy();
      change.effect().accept(changed);
      Cli run = daemon.verb(change.words().toArray());
      if (run.status() != 0) {
        killer.join();
        assertThat(run.err()).contains("control.sock does not answer");
        daemon.killAndStart();
        model.restart();
        changed.restart();
        return List.of(model, changed);
      }
      model = changed;
    }
  }

  /** Writes to one of the devices that can be written to, and flushes. */
  private void write(DaemonModel model, Random random) {
    List<Map.Entry<Integer, Map.Entry<String, Path>>> served =
        List.copyOf(model.served().entrySet());
    if (!served.isEmpty()) {
      var device = served.get(random.nextInt(served.size()));
      int stamp = nextStamp++;
      blkio(device.getValue(), "W 0 4k " + stamp);
      flushed.put(device.getKey(), stamp);
    }
  }

  private static void blkio(Map.Entry<String, Path> export, String command) {
    assertThat(Blkio.run(export.getValue(), export.getKey(), List.of(command)).out()).isEmpty();
  }

  private DaemonModel check(TestDaemon daemon, List<DaemonModel> allowed) {
    List<String> found = lines(daemon);
    DaemonModel model =
        allowed.stream()
            .filter(each -> each.lines().equals(found))
            .findFirst()
            .orElseThrow(
                () ->
                    new AssertionError(
                        "found %s%nallowed %s%nor %s%n%s"
                            .formatted(
                                found,
                                allowed.getFirst().lines(),
                                allowed.getLast().lines(),
                                daemon.server().standardError())));
    model
        .served()
        .forEach(
            (number, export) -> {
              blkio(export, "c 0 4k " + flushed.getOrDefault(number, SectorPattern.ZERO));
              String uri = "nbd+unix:///%s?socket=%s".formatted(export.getKey(), export.getValue());
              Proc.of(Tool.require("nbdinfo", "libnbd-bin"), uri).run().ok();
            });
    return model;
  }

  private static List<String> lines(TestDaemon daemon) {
    Map<String, TreeSet<String>> exports = new TreeMap<>();
    for (JsonNode export : daemon.jsonLines("exports")) {
      exports
          .computeIfAbsent(export.path("device").asText(), name -> new TreeSet<>())
          .add(export.path("listen").asText());
    }
    List<String> lines = new ArrayList<>();
    for (JsonNode device : daemon.jsonLines("ls")) {
      String name = device.path("name").asText();
      lines.add(
          DaemonModel.line(
              name,
              device.path("state").asText().equals("SUSPENDED"),
              daemon.ok("table", name).strip(),
              daemon.ok("table", "--inactive", name).strip(),
              exports.getOrDefault(name, new TreeSet<>())));
    }
    Collections.sort(lines);
    return lines;
  }
}
