package oxbow.target.clone;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import oxbow.golden.CloneFixture;
import oxbow.sim.SimDisk;

/**
 * Aim: metadata that a kernel has made means the same to us, and ours is the same as its own.
 * Method: open every fixture and compare with what the kernel said; format and compare bytes.
 */
class CloneMetadataGoldenTest {
  private static final String ALL = "oxbow.golden.CloneFixture#all";
  private static final String FRESH = "oxbow.golden.CloneFixture#allFresh";

  @ParameterizedTest
  @MethodSource(ALL)
  void kernelMetadataOpensWithExactlyTheRegionsTheKernelNames(CloneFixture fixture)
      throws IOException {
    RegionMap map = new RegionMap(fixture.regionCount());
    try (CloneMetadata metadata = open(fixture.metadata(), fixture)) {
      metadata.load(map);
    }
    assertThat(hydratedRanges(map)).isEqualTo(fixture.hydrated());
    assertThat(map.hydratedCount()).isEqualTo(fixture.hydratedCount());
  }

  @ParameterizedTest
  @MethodSource(ALL)
  void usedAndTotalBlocksAreThoseOfTheKernelsStatusLine(CloneFixture fixture) throws IOException {
    try (CloneMetadata metadata = open(fixture.metadata(), fixture)) {
      assertThat(fixture.statusLine())
          .contains(" clone 8 " + metadata.usedBlocks() + "/" + metadata.totalBlocks() + " ");
    }
  }

  @ParameterizedTest
  @MethodSource(ALL)
  void openingChangesNothing(CloneFixture fixture) throws IOException {
    SimDisk disk = fixture.metadata();
    try (CloneMetadata metadata = open(disk, fixture)) {
      metadata.load(new RegionMap(fixture.regionCount()));
    }
    assertThat(disk.writes()).isEmpty();
    assertThat(disk.flushCount()).isZero();
  }

  @ParameterizedTest
  @MethodSource(FRESH)
  void freshlyFormattedMetadataEqualsTheKernelsByteForByte(CloneFixture fixture)
      throws IOException {
    SimDisk disk = new SimDisk(fixture.metadataBytes());
    CloneMetadata.format(disk, fixture.targetSectors(), fixture.regionSizeSectors()).close();
    byte[] expected = fixture.storedMetadata();
    assertThat(disk.bytes(0, expected.length)).isEqualTo(expected);
    // Beyond what is stored the fixture is zeros.
    int rest = (int) (fixture.metadataBytes() - expected.length);
    assertThat(disk.bytes(expected.length, rest)).isEqualTo(new byte[rest]);
  }

  private static CloneMetadata open(SimDisk disk, CloneFixture fixture) throws IOException {
    return CloneMetadata.open(disk, fixture.targetSectors(), fixture.regionSizeSectors());
  }

  private static List<CloneFixture.Range> hydratedRanges(RegionMap map) {
    List<CloneFixture.Range> ranges = new ArrayList<>();
    long end = map.regionCount();
    for (long first = map.nextHydrated(0, end); first < end; ) {
      long next = map.nextUnhydrated(first);
      ranges.add(new CloneFixture.Range(first, next - 1));
      first = map.nextHydrated(next, end);
    }
    return ranges;
  }
}
