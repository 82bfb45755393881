package oxbow.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import oxbow.console.Json;

/** Aim: verify finds the first difference wherever it is. Method: files with one planted. */
class VerifyTest {
  private static final int SIZE_BYTES = 9 << 20;

  @TempDir Path directory;

  @Test
  void equalDevicesAreEqualWhateverTheirHoles() throws Exception {
    Path full = Files.write(directory.resolve("full"), new byte[SIZE_BYTES]);
    Path holes = directory.resolve("holes");
    try (RandomAccessFile file = new RandomAccessFile(holes.toFile(), "rw")) {
      file.setLength(SIZE_BYTES);
    }
    Cli equal = Cli.run("verify", full, holes);
    assertThat(equal)
        .isEqualTo(
            new Cli(0, full + " and " + holes + " are equal: " + SIZE_BYTES + " bytes\n", ""));
    assertThat(Json.object(Cli.run("verify", "--json", holes, "zero:9MiB").out()))
        .containsEntry("equal", true)
        .containsEntry("readBytes", 0L);
  }

  @Test
  void theFirstOfManyDifferencesIsTold() throws Exception {
    long seed = Long.getLong("oxbow.seed", 3);
    Random random = new Random(seed);
    byte[] bytes = new byte[SIZE_BYTES];
    random.nextBytes(bytes);
    Path a = Files.write(directory.resolve("a"), bytes);
    Path b = directory.resolve("b");
    for (int round = 0; round < 20; round++) {
      byte[] changed = bytes.clone();
      int first = random.nextInt(SIZE_BYTES);
      for (int i = 0; i < 5; i++) {
        int at = first + random.nextInt(SIZE_BYTES - first);
        changed[at] ^= 1;
      }
      changed[first] = (byte) (bytes[first] ^ 0x10);
      Files.write(b, changed);
      Cli different = Cli.run("verify", "--json", a, b);
      assertThat(different.status()).isEqualTo(1);
      assertThat(Json.object(different.out()))
          .as("reproduce with -Doxbow.seed=" + seed)
          .containsEntry("firstDifference", (long) first)
          .containsEntry("byteA", (long) (bytes[first] & 0xff));
    }
  }

  @Test
  void sizesAreCompared() throws Exception {
    Path a = Files.write(directory.resolve("a"), new byte[4096]);
    Path b = Files.write(directory.resolve("b"), new byte[8192]);
    Cli different = Cli.run("verify", a, b);
    assertThat(different.status()).isEqualTo(1);
    assertThat(different.out())
        .isEqualTo(a + " has 4096 bytes, " + b + " has 8192, and equal as far as both go\n");
  }

  @Test
  void aDeviceThatFailsIsOneLine() throws Exception {
    Cli failed = Cli.run("verify", "error:1MiB", "zero:1MiB");
    assertThat(failed.status()).isEqualTo(1);
    assertThat(failed.errLines())
        .containsExactly("oxbow: verify: error:1MiB: read at byte 0: Input/output error");
  }
}
