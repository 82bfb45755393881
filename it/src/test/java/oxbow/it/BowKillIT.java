package oxbow.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import oxbow.control.ControlClient;
import oxbow.control.Route;

/**
 * Aim: a process that is killed in the middle of a transition leaves a device that leads to where
 * it must. Method: a device each of whose requests takes a while, so that a transition does; and
 * kills at random moments.
 */
class BowKillIT {
  private static final long SEED = Long.getLong("oxbow.seed", 20261102L);
  private static final int MIB = 1 << 20;
  private static final int ROUNDS = 8;

  /** A transition is some five requests long: kills come before its end, and after. */
  private static final int DELAY_MILLIS = 25;

  private static final int MOST_MILLIS = 8 * DELAY_MILLIS;

  private final Random random = new Random(SEED);

  @TempDir Path directory;

  private Path disk = Path.of("");
  private Path list = Path.of("");
  private byte[] content = {};

  @BeforeEach
  void makeDisk() throws IOException {
    disk = Images.random(directory.resolve("disk.img"), 0, 2 * MIB, 9);
    list = Files.writeString(directory.resolve("free.txt"), "1MiB 1MiB\n");
    content = used();
  }

  private byte[] used() throws IOException {
    return Arrays.copyOf(Files.readAllBytes(disk), MIB);
  }

  @Test
  void aCheckpointThatHadBegunChangesNothing() throws Exception {
    for (int round = 0; round < ROUNDS; round++) {
      try (TestBow bow = slowBow()) {
        tell("checkpoint");
        killWithin(bow);
        bow.restore();
      }
      assertThat(used()).as(reproduce()).isEqualTo(content);
    }
  }

  @Test
  void aCommitThatHadBegunCanBeFinished() throws Exception {
    for (int round = 0; round < ROUNDS; round++) {
      try (TestBow bow = slowBow()) {
        bow.checkpoint();
        QemuIo.run(bow.uri(), "write -P " + (1 + round) + " 100 20000", "flush");
        Arrays.fill(content, 100, 20100, (byte) (1 + round));
        tell("commit");
        killWithin(bow);
      }
      Proc.of(Tool.own("oxbow"), "bow", "commit", "--offline", disk).run().ok();
      assertThat(used()).as(reproduce()).isEqualTo(content);
    }
  }

  private TestBow slowBow() {
    TestBow bow = new TestBow(directory, "delay:" + DELAY_MILLIS + ":" + disk);
    bow.start("--free-list", list);
    return bow;
  }

  /** Gives the target a message, which begins a transition and returns. */
  private void tell(String word) throws Exception {
    Map<String, Object> message = Map.of("name", "bow", "sector", 0, "words", List.of(word));
    ControlClient.ask(directory.resolve("control.sock"), Route.MESSAGE, message);
  }

  private void killWithin(TestBow bow) throws Exception {
    try {
      bow.server().handle().onExit().get(random.nextInt(MOST_MILLIS), TimeUnit.MILLISECONDS);
      throw new AssertionError("it ended by itself: " + bow.server().standardError());
    } catch (TimeoutException nowIsTheMoment) {
      bow.kill();
    }
  }

  private static String reproduce() {
    return "reproduce with: bin/test -Dit.test=BowKillIT -Doxbow.seed=" + SEED;
  }
}
