package oxbow.target.clone;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.BitSet;
import java.util.Random;
import oxbow.block.BlockingIo;
import oxbow.inspect.CloneMetadataCheck;
import oxbow.inspect.CloneMetadataReport;
import oxbow.sim.SimDisk;

/** What the tests of metadata share: a device's geometry, and what its metadata must be like. */
record MetadataModel(long targetSectors, long regionSizeSectors) {
  static MetadataModel ofRegions(long regionCount) {
    return new MetadataModel(regionCount * 8, 8);
  }

  long regionCount() {
    return (targetSectors + regionSizeSectors - 1) / regionSizeSectors;
  }

  CloneMetadata format(BlockingIo disk) throws IOException {
    return CloneMetadata.format(disk, targetSectors, regionSizeSectors);
  }

  CloneMetadata open(BlockingIo disk) throws IOException {
    return CloneMetadata.open(disk, targetSectors, regionSizeSectors);
  }

  /** A new disk of the recommended size. */
  SimDisk formattedDisk() throws IOException {
    SimDisk disk = new SimDisk(CloneMetadata.worstCaseBytes(regionCount()));
    format(disk).close();
    return disk;
  }

  RegionSet set(BitSet regions) {
    RegionSet set = new RegionSet(regionCount());
    for (int first = regions.nextSetBit(0); first >= 0; ) {
      int end = regions.nextClearBit(first);
      set.add(first, end - first);
      first = regions.nextSetBit(end);
    }
    return set;
  }

  static BitSet regions(int... regions) {
    BitSet set = new BitSet();
    for (int region : regions) {
      set.set(region);
    }
    return set;
  }

  /** Single regions, runs, and now and then a great part of the device. */
  BitSet randomRegions(Random random) {
    int count = Math.toIntExact(regionCount());
    BitSet regions = new BitSet();
    for (int i = random.nextInt(4); i >= 0; i--) {
      int first = random.nextInt(count);
      int most =
          switch (random.nextInt(8)) {
            case 0 -> count - first;
            case 1, 2, 3 -> Math.min(200, count - first);
            default -> 1;
          };
      regions.set(first, first + 1 + random.nextInt(most));
    }
    return regions;
  }

  BitSet hydrated(BlockingIo disk) throws IOException {
    try (CloneMetadata metadata = open(disk)) {
      return hydrated(metadata);
    }
  }

  static BitSet hydrated(CloneMetadata metadata) throws IOException {
    RegionMap map = new RegionMap(metadata.regionCount());
    metadata.load(map);
    BitSet regions = new BitSet();
    long end = map.regionCount();
    for (long first = map.nextHydrated(0, end); first < end; ) {
      long next = map.nextUnhydrated(first);
      regions.set((int) first, (int) next);
      first = map.nextHydrated(next, end);
    }
    return regions;
  }

  /** Every structure is sound and every reference counted (section Invariants of clone.md). */
  static void assertClean(BlockingIo disk) throws IOException {
    CloneMetadataReport report = CloneMetadataCheck.run(disk, 10, 0);
    assertThat(report.problems()).isEmpty();
    assertThat(report.warnings()).isEmpty();
  }
}
