package oxbow.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import oxbow.inspect.CloneMetadataCheck;
import oxbow.sim.SimDisk;
import oxbow.target.clone.CloneMetadata;
import oxbow.target.clone.RegionMap;
import oxbow.target.clone.RegionSet;

/**
 * Aim: the kernel and we can take over from each other at any commit. Method: one metadata device
 * goes to and fro, each side adds regions and must see those of the other.
 */
class CloneMetadataKernelIT {
  private static final long REGIONS = 100_003;
  private static final long SECTORS = REGIONS * 8 - 5;

  /** Opens, prints the status, writes the first sector of each region named, and flushes. */
  private static final String SCRIPT =
      """
      set -e
      dmsetup create dest --table "0 $1 zero"
      dmsetup create source --table "0 $1 zero"
      dmsetup create c --table \
        "0 $1 clone /dev/disk/meta /dev/mapper/dest /dev/mapper/source 8 1 no_hydration"
      length=$1
      shift
      dmsetup status c
      for region in "$@"; do
        blkio /dev/mapper/c "w $((region * 8))s 1s 7" f
      done
      dmsetup status c
      dmsetup remove c
      """;

  @TempDir Path directory;

  @Test
  void kernelAndWeTakeTurnsOnOneDevice() throws IOException {
    SimDisk disk = new SimDisk(CloneMetadata.worstCaseBytes(REGIONS));
    RegionMap expected = new RegionMap(REGIONS);
    CloneMetadata.format(disk, SECTORS, 8).close();
    for (int turn = 0; turn < 3; turn++) {
      commit(disk, expected, turn * 1000L, 300);
      commit(disk, expected, REGIONS - 1 - turn, 1);
      long[] byKernel = {turn * 30_000L + 77, 64 + turn, 32_575 + turn};
      disk = afterKernel(disk, expected.hydratedCount(), byKernel);
      for (long region : byKernel) {
        expected.set(region, 1);
      }
      assertHolds(disk, expected);
    }
  }

  private static void commit(SimDisk disk, RegionMap expected, long first, long count)
      throws IOException {
    RegionSet recorded = new RegionSet(REGIONS);
    recorded.add(first, count);
    expected.set(first, count);
    try (CloneMetadata metadata = CloneMetadata.open(disk, SECTORS, 8)) {
      metadata.commit(recorded);
    }
  }

  private SimDisk afterKernel(SimDisk disk, long hydratedCount, long... regions)
      throws IOException {
    Path image = directory.resolve("meta.img");
    Files.write(image, disk.bytes(0, (int) disk.sizeBytes()));
    Object[] arguments = new Object[regions.length + 1];
    arguments[0] = SECTORS;
    for (int i = 0; i < regions.length; i++) {
      arguments[i + 1] = regions[i];
    }
    String out = Oracle.run(List.of(Oracle.Disk.of("meta", image)), SCRIPT, arguments).ok().out();
    assertThat(out.lines().findFirst().orElse(""))
        .contains(" " + hydratedCount + "/" + REGIONS + " ")
        .endsWith(" rw");
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "r")) {
      byte[] bytes = new byte[(int) disk.sizeBytes()];
      file.readFully(bytes);
      disk.write(0, ByteBuffer.wrap(bytes));
      disk.flush();
    }
    return disk;
  }

  private static void assertHolds(SimDisk disk, RegionMap expected) throws IOException {
    assertThat(CloneMetadataCheck.run(disk, 10, 10).problems()).isEmpty();
    RegionMap map = new RegionMap(REGIONS);
    try (CloneMetadata metadata = CloneMetadata.open(disk, SECTORS, 8)) {
      metadata.load(map);
    }
    assertThat(map.hydratedCount()).isEqualTo(expected.hydratedCount());
    for (long region = 0; region < REGIONS; region++) {
      assertThat(map.isHydrated(region)).isEqualTo(expected.isHydrated(region));
    }
  }
}
