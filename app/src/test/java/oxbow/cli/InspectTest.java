package oxbow.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import oxbow.console.Json;

/** Aim: inspect says what lies there, and finds damage. Method: metadata of a clone made first. */
class InspectTest {
  private Path directory = Path.of("");
  private Path metadata = Path.of("");

  @BeforeEach
  void makeClone(@TempDir Path temporary) {
    directory = temporary;
    Path destination = directory.resolve("dest.img");
    metadata = directory.resolve("dest.img.meta");
    Cli made = Cli.run("clone", "zero:1MiB", destination, "--no-serve", "--control", control());
    assertThat(made.status()).as(made.err()).isZero();
  }

  @Test
  void cloneMetadataIsDescribed() throws Exception {
    assertThat(Cli.run("inspect", metadata))
        .isEqualTo(
            new Cli(
                0,
                metadata
                    + """
                    : clone metadata
                      device:           1 MiB, 2048 sectors
                      region size:      4KiB
                      hydrated:         256 of 256 regions, 100 %
                      metadata blocks:  6 of 256 used
                    """,
                ""));
    assertThat(Json.object(Cli.run("inspect", "--json", metadata).out()))
        .containsEntry("kind", "clone metadata")
        .containsEntry("hydratedRegions", 256L)
        .containsEntry("targetSectors", 2048L);
  }

  @Test
  void soundMetadataIsClean() throws Exception {
    Cli checked = Cli.run("inspect", "--check", metadata);
    assertThat(checked.status()).isZero();
    assertThat(checked.out()).contains("hydrated regions: 0-255", "every structure");
    assertThat(Json.object(Cli.run("inspect", "--check", "--json", metadata).out()))
        .containsEntry("clean", true);
  }

  @Test
  void everyFlippedByteOfTheSuperblockIsFound() throws Exception {
    for (int at : new int[] {0, 8, 33, 40, 60, 172, 180, 188}) {
      flip(at);
      Cli checked = Cli.run("inspect", "--check", "--json", metadata);
      assertThat(checked.status()).as("byte " + at).isEqualTo(1);
      assertThat(Json.object(checked.out())).containsEntry("clean", false);
      flip(at);
    }
    assertThat(Cli.run("inspect", "--check", metadata).status()).isZero();
  }

  @Test
  void damageBelowTheSuperblockIsNamedWithItsBlock() throws Exception {
    int found = 0;
    for (int block = 1; block < 64; block++) {
      flip(block * 4096 + 100);
      Cli checked = Cli.run("inspect", "--check", metadata);
      if (checked.status() == 1) {
        found++;
        assertThat(checked.out()).contains("problem: ").contains("block " + block);
      }
      flip(block * 4096 + 100);
    }
    // Index, bitmap, reference counts, the tree of the bitset and its one array block.
    assertThat(found).isEqualTo(5);
  }

  @Test
  void otherThingsAreRecognisedOrNot() throws Exception {
    Path ext4 = directory.resolve("ext4");
    byte[] bytes = new byte[1 << 20];
    bytes[1080] = 0x53;
    bytes[1081] = (byte) 0xEF;
    Files.write(ext4, bytes);
    assertThat(Cli.run("inspect", ext4).out())
        .isEqualTo(ext4 + ": ext2, ext3 or ext4 file system\n");
    assertThat(Cli.run("inspect", "zero:1MiB").out()).isEqualTo("zero:1MiB: zeros\n");
    Cli nothing = Cli.run("inspect", "--check", "zero:1MiB");
    assertThat(nothing.status()).isEqualTo(1);
    assertThat(nothing.err())
        .isEqualTo("oxbow: inspect: zero:1MiB: zeros: nothing here that could be checked\n");
  }

  @Test
  void aSnapshotStoreIsDescribedAndChecked() throws Exception {
    Path store = store("valid", 1, 8, 0, 2, 1, 3, 9, 4);
    assertThat(Cli.run("inspect", "--check", store))
        .isEqualTo(
            new Cli(
                0,
                store
                    + """
                    : snapshot store
                      state:            valid
                      chunk size:       4KiB
                      exceptions:       3
                      chunks:           5 of 32 used, 0 never committed
                      status figures:   40/256 16
                      origin chunks:    0-1 9
                      checked: every structure is as it must be
                    """,
                ""));
    assertThat(Cli.run("inspect", store("invalid", 0, 8, 0, 2)).out()).contains("invalidated");
    Cli twice = Cli.run("inspect", "--check", store("twice", 1, 8, 5, 2, 5, 3));
    assertThat(twice.status()).isEqualTo(1);
    assertThat(twice.out()).contains("problem: old chunk 5 is in two exceptions");
    Cli odd = Cli.run("inspect", store("odd", 1, 24));
    assertThat(odd.status()).isEqualTo(1);
    assertThat(odd.out()).contains("chunk size of 24 sectors: a power of two");
  }

  /** A store of 128 KiB whose first area holds these pairs of chunks. */
  private Path store(String name, int valid, int chunkSectors, long... pairs) throws Exception {
    ByteBuffer bytes = ByteBuffer.allocate(128 << 10).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putInt(0x70416E53).putInt(valid).putInt(1).putInt(chunkSectors);
    bytes.position(chunkSectors * 512);
    for (long chunk : pairs) {
      bytes.putLong(chunk);
    }
    return Files.write(directory.resolve(name), bytes.array());
  }

  @Test
  void inspectingChangesNothing() throws Exception {
    Snapshot before = Snapshot.of(directory);
    Cli.run("inspect", "--check", metadata);
    Cli.run("inspect", directory.resolve("dest.img"));
    assertThat(Snapshot.of(directory)).isEqualTo(before);
  }

  private Path control() {
    return directory.resolve("control.sock");
  }

  private void flip(int at) throws Exception {
    try (RandomAccessFile file = new RandomAccessFile(metadata.toFile(), "rw")) {
      file.seek(at);
      int before = file.read();
      file.seek(at);
      file.write(before ^ 1);
    }
  }
}
