package oxbow.target.clone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static oxbow.target.clone.MetadataModel.assertClean;
import static oxbow.target.clone.MetadataModel.regions;

import java.io.IOException;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import oxbow.block.DeviceException;
import oxbow.block.Errno;
import oxbow.golden.CloneFixture;
import oxbow.pdata.BlockManager;
import oxbow.pdata.SpaceMap;
import oxbow.sim.SimDisk;

/**
 * Aim: a commit makes exactly the given regions durable and nothing else, or nothing at all.
 * Method: commit on simulated disks, reopen, and verify every structure.
 */
class CloneMetadataCommitTest {
  private static final MetadataModel SMALL = MetadataModel.ofRegions(1000);

  @Test
  void committedRegionsAreThereAfterReopening() throws IOException {
    SimDisk disk = SMALL.formattedDisk();
    try (CloneMetadata metadata = SMALL.open(disk)) {
      metadata.commit(SMALL.set(regions(0, 63, 64, 999)));
      metadata.commit(SMALL.set(regions(5)));
    }
    assertThat(SMALL.hydrated(disk)).isEqualTo(regions(0, 5, 63, 64, 999));
    assertClean(disk);
  }

  @Test
  @DisplayName("M4: nothing recorded, nothing done, not even a flush")
  void commitOfNothingDoesNothingAtAll() throws IOException {
    SimDisk disk = SMALL.formattedDisk();
    CloneMetadata metadata = SMALL.open(disk);
    int before = disk.operationCount();
    metadata.commit(new RegionSet(1000));
    assertThat(disk.operationCount()).isEqualTo(before);
  }

  @Test
  void commitOfOneRegionWritesFourNeighbouringBlocksAndTheSuperblock() throws IOException {
    SimDisk disk = SMALL.formattedDisk();
    CloneMetadata metadata = SMALL.open(disk);
    disk.clearWrites();
    int flushes = disk.flushCount();
    metadata.commit(SMALL.set(regions(7)));
    assertThat(disk.writes())
        .containsExactly(new SimDisk.Range(6 * 4096, 4 * 4096), new SimDisk.Range(0, 4096));
    assertThat(disk.flushCount() - flushes).isEqualTo(2);
  }

  @Test
  void usedBlocksStayTheSameWhateverIsCommitted() throws IOException {
    SimDisk disk = SMALL.formattedDisk();
    CloneMetadata metadata = SMALL.open(disk);
    for (int region = 0; region < 50; region++) {
      metadata.commit(SMALL.set(regions(region)));
      assertThat(metadata.usedBlocks()).isEqualTo(6);
      assertThat(metadata.totalBlocks()).isEqualTo(256);
    }
  }

  @ParameterizedTest
  @MethodSource("oxbow.golden.CloneFixture#all")
  void commitsGoOnWhereTheKernelStopped(CloneFixture fixture) throws IOException {
    SimDisk disk = fixture.metadata();
    MetadataModel model = new MetadataModel(fixture.targetSectors(), fixture.regionSizeSectors());
    BitSet expected = fixture.hydratedSet();
    Random random = new Random(3);
    try (CloneMetadata metadata = model.open(disk)) {
      long used = metadata.usedBlocks();
      for (int i = 0; i < 3; i++) {
        BitSet recorded = model.randomRegions(random);
        metadata.commit(model.set(recorded));
        expected.or(recorded);
      }
      assertThat(metadata.usedBlocks()).isEqualTo(used);
    }
    assertThat(model.hydrated(disk)).isEqualTo(expected);
    assertClean(disk);
  }

  @Test
  @DisplayName(
      "P1: no block reachable from the last durable superblock is ever written, but block 0")
  void randomHistoriesKeepEveryInvariant() throws IOException {
    long seed = Long.getLong("oxbow.seed", 42L);
    for (long s = seed; s < seed + 30; s++) {
      try {
        randomHistory(new Random(s));
      } catch (IOException | RuntimeException | AssertionError e) {
        throw new AssertionError(
            "reproduce with: mvn test -Dtest=CloneMetadataCommitTest -Doxbow.seed=" + s, e);
      }
    }
  }

  private static void randomHistory(Random random) throws IOException {
    int pages = 1 + random.nextInt(3) * random.nextInt(150);
    long regions = 1 + (long) random.nextInt(RegionSet.REGIONS_PER_PAGE * pages);
    MetadataModel model = MetadataModel.ofRegions(regions);
    SimDisk disk = model.formattedDisk();
    CloneMetadata metadata = model.open(disk);
    long used = metadata.usedBlocks();
    BitSet expected = new BitSet();
    for (int step = 0; step < 25; step++) {
      if (random.nextInt(4) == 0) {
        metadata.close();
        metadata = model.open(disk);
        assertThat(MetadataModel.hydrated(metadata)).isEqualTo(expected);
      }
      BitSet recorded = model.randomRegions(random);
      SpaceMap before = spaceMap(disk, metadata);
      disk.clearWrites();
      metadata.commit(model.set(recorded));
      expected.or(recorded);
      assertOnlyFreeBlocksWritten(disk.writes(), before);
      assertThat(metadata.usedBlocks()).isEqualTo(used);
      assertClean(disk);
      assertThat(model.hydrated(disk)).isEqualTo(expected);
    }
  }

  private static SpaceMap spaceMap(SimDisk disk, CloneMetadata metadata) throws IOException {
    return SpaceMap.load(new BlockManager(disk), metadata.superblock().spaceMapRoot());
  }

  private static void assertOnlyFreeBlocksWritten(List<SimDisk.Range> writes, SpaceMap before) {
    // The superblock comes last, everything else goes to free blocks.
    assertThat(writes.getLast()).isEqualTo(new SimDisk.Range(0, 4096));
    for (SimDisk.Range write : writes.subList(0, writes.size() - 1)) {
      for (int at = 0; at < write.lengthBytes(); at += 4096) {
        assertThat(before.count((write.offsetBytes() + at) / 4096)).isZero();
      }
    }
  }

  @Test
  @DisplayName("clone-metadata section 9: the worst case fits the smallest device that is accepted")
  void smallestAcceptedDeviceHasRoomForEveryCommit() throws IOException {
    for (long regions : new long[] {1, 32576, 32577, 100_003, 8_208_000, 10_000_000, 16_000_000}) {
      MetadataModel model = MetadataModel.ofRegions(regions);
      long blocks = CloneMetadata.worstCaseBytes(regions) / 4096;
      while (isAccepted(model, blocks - 1)) {
        blocks--;
      }
      SimDisk disk = new SimDisk(blocks * 4096);
      try (CloneMetadata metadata = model.format(disk)) {
        RegionSet all = new RegionSet(regions);
        all.add(0, regions);
        metadata.commit(all);
        metadata.commit(all);
        metadata.commit(all);
      }
      assertClean(disk);
    }
  }

  private static boolean isAccepted(MetadataModel model, long blocks) throws IOException {
    SimDisk disk = new SimDisk(blocks * 4096);
    try {
      model.format(disk).close();
      return true;
    } catch (IllegalArgumentException e) {
      assertThat(disk.writes()).isEmpty();
      return false;
    }
  }

  @Test
  void metadataDeviceWithoutRoomForACommitIsNotFormatted() {
    SimDisk disk = new SimDisk(9 * 4096);
    assertThatThrownBy(() -> SMALL.format(disk))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "metadata device of 9 blocks is too small for 1000 regions: at least 10, better 256");
    assertThat(disk.writes()).isEmpty();
  }

  @Test
  @DisplayName("C9: sizes must be exactly those of the metadata")
  void otherSizesThanThoseFormattedAreRefused() throws IOException {
    SimDisk disk = SMALL.formattedDisk();
    assertThatThrownBy(() -> CloneMetadata.open(disk, 8000, 16))
        .hasMessage(
            "Region and/or target size don't match the ones in metadata: region size 16 and target"
                + " size 8000 sectors, metadata has 8 and 8000 (block 0)");
    assertThatThrownBy(() -> CloneMetadata.open(disk, 7999, 8))
        .hasMessageStartingWith("Region and/or target size don't match");
  }

  @Test
  void grownDeviceKeepsTheSizeOfItsSpaceMap() throws IOException {
    SimDisk disk = SMALL.formattedDisk().resized(8 << 20);
    try (CloneMetadata metadata = SMALL.open(disk)) {
      metadata.commit(SMALL.set(regions(1)));
      assertThat(metadata.totalBlocks()).isEqualTo(256);
    }
    assertThat(SMALL.hydrated(disk)).isEqualTo(regions(1));
  }

  @Test
  void shrunkDeviceIsUsedAsFarAsItGoes() throws IOException {
    SimDisk disk = SMALL.formattedDisk().resized(10 * 4096);
    try (CloneMetadata metadata = SMALL.open(disk)) {
      metadata.commit(SMALL.set(regions(1)));
      metadata.commit(SMALL.set(regions(2)));
      assertThat(metadata.totalBlocks()).isEqualTo(256);
    }
    assertThat(SMALL.hydrated(disk)).isEqualTo(regions(1, 2));
  }

  @Test
  @DisplayName("M5, O3: without space the commit fails, the device is read-only, disk is untouched")
  void commitWithoutSpaceFailsAndSoDoesEveryLaterOne() throws IOException {
    SimDisk disk = SMALL.formattedDisk().resized(9 * 4096);
    CloneMetadata metadata = SMALL.open(disk);
    assertThatThrownBy(() -> metadata.commit(SMALL.set(regions(1))))
        .isInstanceOfSatisfying(
            DeviceException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENOSPC));
    assertThat(metadata.mode()).isEqualTo(CloneMetadata.Mode.READ_ONLY);
    assertThatThrownBy(() -> metadata.commit(SMALL.set(regions(1))))
        .isInstanceOf(ReadOnlyMetadataException.class)
        .hasMessageContaining("unable to allocate new metadata block");
    assertThat(SMALL.hydrated(disk)).isEqualTo(regions());
    assertThat(MetadataModel.hydrated(metadata)).isEqualTo(regions());
  }

  @Test
  @DisplayName("O3: after any failing operation no commit succeeds, and the disk is sound")
  void everyFailingOperationOfACommitMakesTheMetadataReadOnly() throws IOException {
    SimDisk formatted = SMALL.formattedDisk();
    int failures = 0;
    for (int operation = 0; ; operation++) {
      SimDisk disk = formatted.resized(formatted.sizeBytes());
      CloneMetadata metadata = SMALL.open(disk);
      metadata.commit(SMALL.set(regions(1)));
      disk.failOperation(disk.operationCount() + operation);
      try {
        metadata.commit(SMALL.set(regions(2)));
        break;
      } catch (DeviceException e) {
        failures++;
      }
      assertThat(metadata.mode()).isEqualTo(CloneMetadata.Mode.READ_ONLY);
      int before = disk.operationCount();
      assertThatThrownBy(() -> metadata.commit(SMALL.set(regions(3))))
          .isInstanceOf(ReadOnlyMetadataException.class);
      assertThat(disk.operationCount()).isEqualTo(before);
      assertClean(disk);
      assertThat(SMALL.hydrated(disk)).isIn(regions(1), regions(1, 2));
    }
    assertThat(failures).as("read, two runs of blocks, flush, superblock, flush").isEqualTo(6);
  }

  @Test
  @DisplayName("M5: when what is on disk cannot be read after a failure, the mode is Fail")
  void diskThatIsGoneMakesTheMetadataFail() throws IOException {
    SimDisk disk = SMALL.formattedDisk();
    CloneMetadata metadata = SMALL.open(disk);
    disk.failPowerBefore(disk.operationCount());
    assertThatThrownBy(() -> metadata.commit(SMALL.set(regions(2))))
        .isInstanceOf(SimDisk.PowerFailure.class);
    assertThat(metadata.mode()).isEqualTo(CloneMetadata.Mode.FAILED);
    assertThat(metadata.failure()).contains("cannot be read");
    assertThatThrownBy(() -> metadata.commit(SMALL.set(regions(3))))
        .isInstanceOf(ReadOnlyMetadataException.class);
  }

  @Test
  @DisplayName("O3: the caller may forbid commits, e.g. after a failed flush of the destination")
  void abortedMetadataCommitsNothingAnyMore() throws IOException {
    SimDisk disk = SMALL.formattedDisk();
    CloneMetadata metadata = SMALL.open(disk);
    metadata.abort("the destination could not be flushed");
    assertThatThrownBy(() -> metadata.commit(SMALL.set(regions(3))))
        .isInstanceOf(ReadOnlyMetadataException.class)
        .hasMessage("metadata is read-only: the destination could not be flushed");
    assertThat(SMALL.hydrated(disk)).isEqualTo(regions());
  }
}
