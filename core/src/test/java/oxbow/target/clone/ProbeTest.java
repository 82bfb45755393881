package oxbow.target.clone;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import oxbow.format.clone.CloneSuperblock;
import oxbow.golden.CloneFixture;
import oxbow.inspect.Recognised;
import oxbow.sim.SimDisk;

/**
 * Aim: only a device that holds nothing may be formatted (O11). Method: marks of other formats
 * where they belong, kernel images whole and damaged, and zeros.
 */
class ProbeTest {
  private static final long SIZE = 200 << 20;

  @ParameterizedTest
  @MethodSource("oxbow.golden.CloneFixture#all")
  void kernelMetadataIsRecognised(CloneFixture fixture) throws IOException {
    SimDisk disk = fixture.metadata();
    assertThat(CloneMetadata.probe(disk))
        .isInstanceOfSatisfying(
            Probe.Formatted.class,
            found ->
                assertThat(found.superblock().targetSectors()).isEqualTo(fixture.targetSectors()));
    assertThat(disk.writes()).isEmpty();
    assertThat(Recognised.of(disk)).isInstanceOf(Recognised.OfClone.class);
  }

  @Test
  void zerosAreZeros() throws IOException {
    assertThat(CloneMetadata.probe(new SimDisk(SIZE))).isEqualTo(new Probe.Zero());
    assertThat(CloneMetadata.probe(new SimDisk(4096)).mayBeFormatted()).isTrue();
    assertThat(Recognised.of(new SimDisk(SIZE)).name()).isEqualTo("zeros");
  }

  @Test
  void deviceOfLessThanABlockIsForeign() throws IOException {
    assertThat(CloneMetadata.probe(new SimDisk(512)))
        .isEqualTo(new Probe.Foreign("device of 512 bytes"));
    assertThat(CloneMetadata.probe(new SimDisk(0)).mayBeFormatted()).isFalse();
  }

  @ParameterizedTest
  @CsvSource({
    "0, XFSB, XFS file system",
    "0, SnAp, snapshot store",
    "65600, _BHRfS_M, btrfs file system",
    "32769, CD001, ISO 9660 file system",
    "512, EFI PART, GPT partition table",
    "4086, SWAPSPACE2, swap space",
    "3, 'NTFS    ', NTFS file system"
  })
  @DisplayName("O11: zeros at the start do not prove a device empty")
  void markedDevicesAreForeign(long offset, String mark, String name) throws IOException {
    assertForeign(disk(offset, mark.getBytes(StandardCharsets.US_ASCII)), name);
  }

  @Test
  void ext4AndBootSectorsAreForeign() throws IOException {
    assertForeign(disk(1080, new byte[] {0x53, (byte) 0xEF}), "ext2, ext3 or ext4 file system");
    assertForeign(disk(510, new byte[] {0x55, (byte) 0xAA}), "MBR partition table or boot sector");
    assertForeign(disk(0, new byte[] {'B', 'O', 'W', 0}), "bow log");
  }

  private static void assertForeign(SimDisk disk, String name) throws IOException {
    assertThat(CloneMetadata.probe(disk)).isEqualTo(new Probe.Foreign(name));
    assertThat(Recognised.of(disk).name()).isEqualTo(name);
  }

  @Test
  void copiesOfSuperblocksAndTheEndOfTheDeviceAreLookedAt() throws IOException {
    for (long at : new long[] {5000, (64 << 20) + 64, (128 << 20) + 56, SIZE - 512, SIZE - 1}) {
      SimDisk disk = disk(at, new byte[] {1});
      assertThat(CloneMetadata.probe(disk))
          .isEqualTo(new Probe.Foreign("data of an unknown kind at byte " + at));
      assertThat(Recognised.of(disk)).isInstanceOf(Recognised.Unknown.class);
    }
  }

  @Test
  void randomDataIsForeign() throws IOException {
    byte[] data = new byte[8192];
    new Random(1).nextBytes(data);
    assertThat(CloneMetadata.probe(SimDisk.of(data, SIZE)))
        .isEqualTo(new Probe.Foreign("data of an unknown kind"));
  }

  @Test
  void everyFlippedBitOfTheSuperblockIsDamage() throws IOException {
    CloneFixture fixture = CloneFixture.named("words-65");
    for (int bit = 0; bit < CloneSuperblock.SIZE_BYTES * 8; bit += bit < 2000 ? 1 : 97) {
      SimDisk disk = fixture.metadata();
      disk.flipBit(bit / 8, bit % 8);
      assertThat(CloneMetadata.probe(disk)).as("bit " + bit).isInstanceOf(Probe.Damaged.class);
    }
  }

  @Test
  void erasedSuperblockOfMetadataInUseIsDamage() throws IOException {
    CloneFixture fixture = CloneFixture.named("words-65");
    byte[] image = fixture.storedMetadata();
    Arrays.fill(image, 0, 4096, (byte) 0);
    SimDisk disk = SimDisk.of(image, fixture.metadataBytes());
    assertThat(CloneMetadata.probe(disk)).isInstanceOf(Probe.Damaged.class);
    assertThat(Recognised.of(disk).name()).isEqualTo("clone metadata, damaged");
  }

  @Test
  void interruptedFormatMayBeFormattedAgain() throws IOException {
    CloneFixture fixture = CloneFixture.named("ten-million-fresh");
    byte[] image = fixture.storedMetadata();
    Arrays.fill(image, 0, 4096, (byte) 0);
    SimDisk disk = SimDisk.of(image, fixture.metadataBytes());
    assertThat(CloneMetadata.probe(disk)).isEqualTo(new Probe.Unfinished());
    assertThat(Recognised.of(disk).name()).isEqualTo("clone metadata, not fully formatted");
  }

  private static SimDisk disk(long offset, byte[] bytes) {
    SimDisk disk = new SimDisk(SIZE);
    for (int i = 0; i < bytes.length; i++) {
      for (int bit = 0; bit < 8; bit++) {
        if ((bytes[i] >> bit & 1) != 0) {
          disk.flipBit(offset + i, bit);
        }
      }
    }
    return disk;
  }
}
