package oxbow.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import oxbow.format.bow.BowLog;
import oxbow.inspect.BowForward;
import oxbow.inspect.BowLogCheck;
import oxbow.inspect.BowLogReport;
import oxbow.inspect.BowRestore;
import oxbow.sim.SimDisk;

/**
 * Aim: checkpoints that others have written, by the documents and not by our code, are read, rolled
 * back and rolled forward by us to the byte as they do it. Method: random histories of
 * bow_log_make.py, of all block sizes and both formats; then the same with damage.
 */
class BowToolsTest {
  private static final long SEED = Long.getLong("oxbow.seed", 20260501L);
  private static final int HISTORIES = 15;

  private final Random random = new Random(SEED);

  @TempDir Path directory;

  @Test
  void randomHistoriesComeOutAsTheToolsSay() throws IOException {
    int sound = 0;
    for (int i = 0; i < HISTORIES; i++) {
      boolean isRfc = random.nextInt(6) == 0;
      int blockBytes = isRfc ? 4096 : 512 << random.nextInt(4);
      byte[] image = make(isRfc ? "rfc" : "v1", blockBytes);
      sound += compare(image) ? 1 : 0;
    }
    assertThat(sound).as(reproduce()).isGreaterThan(HISTORIES / 2);
  }

  @Test
  void damageIsFoundByBothOrByNeither() throws IOException {
    int damaged = 0;
    for (int i = 0; i < HISTORIES; i++) {
      byte[] image = make("v1", 512 << random.nextInt(4));
      int at = random.nextInt(4) == 0 ? random.nextInt(image.length) : random.nextInt(512);
      image[at] ^= (byte) (1 << random.nextInt(8));
      damaged += compare(image) ? 0 : 1;
    }
    assertThat(damaged).as(reproduce()).isGreaterThan(HISTORIES / 4);
  }

  private byte[] make(String format, int blockBytes) throws IOException {
    Path after = directory.resolve("after");
    Proc.of(
            Tool.own("it/tools/bow_log_make.py"),
            directory.resolve("before"),
            after,
            "--format",
            format,
            "--block-size",
            blockBytes,
            "--blocks",
            40 + random.nextInt(800),
            "--writes",
            random.nextInt(150),
            "--seed",
            random.nextInt(1 << 30))
        .run()
        .ok();
    return Files.readAllBytes(after);
  }

  /** Whether there is a way back; all that comes out is the same. */
  private boolean compare(byte[] image) throws IOException {
    Path file = Files.write(directory.resolve("image"), image);
    Path back = directory.resolve("back");
    Path forward = directory.resolve("forward");
    Files.deleteIfExists(back);
    Files.deleteIfExists(forward);
    Tool.require("python3", "python3");
    JsonNode theirs =
        new ObjectMapper()
            .readTree(
                Proc.of(
                        Tool.own("it/tools/bow_log_dump.py"),
                        "--restore-to",
                        back,
                        "--forward-to",
                        forward,
                        file)
                    .run()
                    .out());
    SimDisk disk = SimDisk.of(image, image.length);
    BowLog newest = BowLogCheck.newest(disk).orElse(null);
    assertThat(newest != null).as(reproduce()).isEqualTo(theirs.get("log").asBoolean());
    if (newest == null) {
      return false;
    }
    BowLogReport ours = BowLogCheck.run(disk, newest, 10, bytes -> {});
    boolean isSound = Files.exists(back);
    assertThat(ours.isClean()).as("%s %s %s", reproduce(), ours, theirs).isEqualTo(isSound);
    assertThat(ours.canRollForward()).as(reproduce()).isEqualTo(Files.exists(forward));
    if (ours.canRollForward()) {
      SimDisk committed = disk.resized(disk.sizeBytes());
      BowForward.run(committed, newest);
      assertSame(committed, forward);
    }
    if (isSound) {
      assertThat(ours.logCount()).isEqualTo(theirs.get("log_blocks").asLong());
      assertThat(ours.entryCount()).isEqualTo(theirs.get("entries_total").asLong());
      BowRestore.run(disk, ours, false, bytes -> {});
      assertSame(disk, back);
    }
    return isSound;
  }

  private static void assertSame(SimDisk disk, Path file) throws IOException {
    byte[] expected = Files.readAllBytes(file);
    assertThat(disk.bytes(0, expected.length)).as(reproduce()).isEqualTo(expected);
  }

  private static String reproduce() {
    return "reproduce with: mvn test -Dtest=BowToolsTest -Doxbow.seed=" + SEED;
  }
}
