package oxbow.inspect;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import oxbow.format.Fault;
import oxbow.format.FormatException;
import oxbow.format.Le;
import oxbow.format.clone.CloneSuperblock;
import oxbow.format.pdata.BlockKind;
import oxbow.format.pdata.BtreeNode;
import oxbow.format.pdata.SpaceMapBitmap;
import oxbow.format.pdata.SpaceMapIndex;
import oxbow.golden.CloneFixture;
import oxbow.inspect.CloneMetadataReport.BitsetSummary;
import oxbow.inspect.CloneMetadataReport.RegionRange;
import oxbow.inspect.CloneMetadataReport.SpaceMapSummary;
import oxbow.sim.SimDisk;
import oxbow.target.clone.CloneMetadata;
import oxbow.target.clone.RegionMap;

/**
 * Aim: the check finds nothing in what a kernel has made, and every kind of damage. Method: all
 * kernel images; then single bits flipped, and single structures changed with right checksums.
 */
class CloneMetadataCheckTest {
  // Where the fixture words-65 has its blocks.
  private static final int REF_COUNT_ROOT = 2;
  private static final int ARRAY_BLOCK = 6;
  private static final int BITMAP = 7;
  private static final int ROOT = 8;
  private static final int INDEX = 9;
  private static final List<Integer> USED = List.of(0, REF_COUNT_ROOT, 6, 7, 8, 9);

  private final CloneFixture fixture = CloneFixture.named("words-65");
  private final byte[] image = Arrays.copyOf(fixture.storedMetadata(), 10 * 4096);

  @ParameterizedTest
  @MethodSource("oxbow.golden.CloneFixture#all")
  void kernelMetadataIsCleanAndSummarised(CloneFixture kernel) throws IOException {
    CloneMetadataReport report = CloneMetadataCheck.run(kernel.metadata(), 100, 100_000);
    assertThat(report.problems()).isEmpty();
    assertThat(report.warnings()).isEmpty();
    assertThat(report.isClean()).isTrue();
    BitsetSummary bitset = Objects.requireNonNull(report.bitset());
    assertThat(bitset.isComplete()).isTrue();
    assertThat(bitset.regionCount()).isEqualTo(kernel.regionCount());
    assertThat(bitset.hydratedCount()).isEqualTo(kernel.hydratedCount());
    assertThat(bitset.rangeCount()).isEqualTo(kernel.hydrated().size());
    assertThat(bitset.ranges())
        .isEqualTo(
            kernel.hydrated().stream()
                .map(range -> new RegionRange(range.first(), range.last() - range.first() + 1))
                .toList());
    SpaceMapSummary spaceMap = Objects.requireNonNull(report.spaceMap());
    assertThat(kernel.statusLine())
        .contains(" 8 " + spaceMap.usedCount() + "/" + spaceMap.blockCount() + " ");
    assertThat(spaceMap.leakedCount()).isZero();
  }

  @Test
  void blocksInUseAreListedByKind() throws IOException {
    assertThat(check().reachableBlocks())
        .isEqualTo(
            Map.of(
                "superblock", 1L,
                "bitset-node", 1L,
                "array-block", 1L,
                "refcount-node", 1L,
                "index-block", 1L,
                "bitmap-block", 1L));
  }

  @Test
  void everyFlippedBitOfABlockInUseIsFoundByTheCheckAndByOpening() throws IOException {
    long seed = Long.getLong("oxbow.seed", 5L);
    Random random = new Random(seed);
    for (int blockNr : USED) {
      for (int i = 0; i < 400; i++) {
        // The first bytes of each block, where its head is, and then anywhere.
        int bit = i < 200 ? i : random.nextInt(4096 * 8);
        SimDisk disk = fixture.metadata();
        disk.flipBit(blockNr * 4096L + bit / 8, bit % 8);
        String where = "block " + blockNr + " bit " + bit + ", -Doxbow.seed=" + seed;
        assertThat(CloneMetadataCheck.run(disk, 10, 10).isClean()).as(where).isFalse();
        assertThat(opens(disk)).as(where).isFalse();
      }
    }
  }

  private boolean opens(SimDisk disk) throws IOException {
    try (CloneMetadata metadata =
        CloneMetadata.open(disk, fixture.targetSectors(), fixture.regionSizeSectors())) {
      metadata.load(new RegionMap(fixture.regionCount()));
      return true;
    } catch (FormatException e) {
      return false;
    }
  }

  @Test
  void problemsNameTheBlockAndTheWayToIt() throws IOException {
    image[ARRAY_BLOCK * 4096] ^= 1;
    assertThat(check().problems())
        .containsExactly(
            new Problem(
                Fault.CHECKSUM,
                "array_block_check failed: csum 605981901 != wanted 605981900 (block 6)",
                6,
                List.of(0L, (long) ROOT, (long) ARRAY_BLOCK)));
  }

  @Test
  void zerosAreNotFormatted() throws IOException {
    CloneMetadataReport report = CloneMetadataCheck.run(new SimDisk(1 << 20), 10, 10);
    assertThat(report.isClean()).isFalse();
    assertThat(report.superblock()).isNull();
  }

  @Test
  void countOfAFreeBlockIsALeak() throws IOException {
    setCount(100, 1);
    assertThat(faults()).containsExactly(Fault.SPACE_MAP, Fault.LEAK, Fault.SPACE_MAP);
    assertThat(Objects.requireNonNull(check().spaceMap()).leakedCount()).isEqualTo(1);
  }

  @Test
  void liveBlockThatIsCountedFreeIsFoundAndNotOpened() throws IOException {
    setCount(ARRAY_BLOCK, 0);
    assertThat(faults()).containsExactly(Fault.SPACE_MAP, Fault.REFERENCE_COUNT, Fault.SPACE_MAP);
    assertThat(opens(SimDisk.of(image, fixture.metadataBytes()))).isFalse();
  }

  @Test
  void countOfManyWithoutItsEntryIsFound() throws IOException {
    setCount(ARRAY_BLOCK, 3);
    assertThat(faults()).contains(Fault.SPACE_MAP, Fault.LEAK);
    assertThat(opens(SimDisk.of(image, fixture.metadataBytes()))).isFalse();
  }

  @Test
  void entryOfTheReferenceCountTreeWithoutItsBitmapCountIsFound() throws IOException {
    BtreeNode node = BtreeNode.decode(image, REF_COUNT_ROOT * 4096);
    node.setEntryCount(1);
    node.setEntry(0, ARRAY_BLOCK, 4);
    node.seal(REF_COUNT_ROOT);
    assertThat(faults()).containsExactly(Fault.REFERENCE_COUNT);
    assertThat(opens(SimDisk.of(image, fixture.metadataBytes()))).isFalse();
  }

  @Test
  void wrongNumberOfFreeEntriesIsFound() throws IOException {
    SpaceMapIndex index = SpaceMapIndex.decode(image, INDEX * 4096);
    index.setEntry(0, BITMAP, 16313, (int) index.noneFreeBefore(0));
    index.seal(INDEX);
    assertThat(faults()).containsExactly(Fault.SPACE_MAP);
    assertThat(opens(SimDisk.of(image, fixture.metadataBytes()))).isFalse();
  }

  @Test
  void hintThatSkipsAFreeEntryIsFound() throws IOException {
    SpaceMapIndex index = SpaceMapIndex.decode(image, INDEX * 4096);
    index.setEntry(0, BITMAP, (int) index.freeCount(0), 200);
    index.seal(INDEX);
    assertThat(faults()).containsExactly(Fault.SPACE_MAP);
    assertThat(opens(SimDisk.of(image, fixture.metadataBytes()))).isFalse();
  }

  @Test
  void countsPastTheEndAreFound() throws IOException {
    SpaceMapBitmap bitmap = SpaceMapBitmap.decode(image, BITMAP * 4096);
    bitmap.setCount(16319, 1);
    bitmap.seal(BITMAP);
    assertThat(faults()).contains(Fault.SPACE_MAP);
    assertThat(opens(SimDisk.of(image, fixture.metadataBytes()))).isFalse();
  }

  @Test
  void wrongNumberOfAllocatedBlocksIsFound() throws IOException {
    putSuperblock(CloneSuperblock.SPACE_MAP_ROOT_OFFSET + 8, 7);
    assertThat(faults()).containsExactly(Fault.SPACE_MAP);
    assertThat(opens(SimDisk.of(image, fixture.metadataBytes()))).isFalse();
  }

  @Test
  void rootPastTheEndIsFound() throws IOException {
    putSuperblock(CloneSuperblock.BITSET_ROOT_OFFSET, 5000);
    assertThat(faults()).contains(Fault.RANGE, Fault.ARRAY);
    assertThat(opens(SimDisk.of(image, fixture.metadataBytes()))).isFalse();
  }

  @Test
  void missingArrayBlockIsFound() throws IOException {
    putSuperblock(CloneSuperblock.TARGET_SIZE_OFFSET, 32577 * 8);
    assertThat(faults()).containsExactly(Fault.ARRAY, Fault.ARRAY);
  }

  @Test
  void blockUsedTwiceIsFound() throws IOException {
    BtreeNode node = BtreeNode.decode(image, ROOT * 4096);
    node.setValue(0, REF_COUNT_ROOT);
    node.seal(ROOT);
    assertThat(faults()).contains(Fault.DOUBLE_USE);
  }

  @Test
  void nodeThatPointsAtItselfEndsTheWalk() throws IOException {
    BtreeNode node = BtreeNode.decode(image, ROOT * 4096);
    node.setShape(false, 8);
    node.setValue(0, ROOT);
    node.seal(ROOT);
    assertThat(faults()).contains(Fault.DOUBLE_USE);
    assertThat(opens(SimDisk.of(image, fixture.metadataBytes()))).isFalse();
  }

  @Test
  void keysOutOfOrderAreFound() throws IOException {
    BtreeNode node = BtreeNode.decode(image, ROOT * 4096);
    node.setEntryCount(2);
    node.setEntry(1, 0, ARRAY_BLOCK);
    node.seal(ROOT);
    assertThat(faults()).contains(Fault.ORDER);
    assertThat(opens(SimDisk.of(image, fixture.metadataBytes()))).isFalse();
  }

  @Test
  void fieldsAKernelDoesNotMindAreWarnings() throws IOException {
    Le.putU32(image, CloneSuperblock.FLAGS_OFFSET, 1);
    image[CloneSuperblock.UUID_OFFSET] = 1;
    image[4095] = 1;
    sealSuperblock();
    Le.putU64(image, ARRAY_BLOCK * 4096 + 24 + 8, 2 | 1);
    image[ARRAY_BLOCK * 4096 + 4095] = 1;
    BlockKind.ARRAY_BLOCK.seal(image, ARRAY_BLOCK * 4096, ARRAY_BLOCK);
    CloneMetadataReport report = check();
    assertThat(report.isClean()).isTrue();
    assertThat(report.warnings()).hasSize(5);
    assertThat(opens(SimDisk.of(image, fixture.metadataBytes()))).isTrue();
  }

  @Test
  void badSectorIsOneProblemAndTheRestIsChecked() throws IOException {
    SimDisk disk = fixture.metadata();
    // Superblock, tree root, array block: the third read is the array block's, and then its retry.
    disk.failOperation(2).failOperation(3);
    CloneMetadataReport report = CloneMetadataCheck.run(disk, 10, 10);
    assertThat(report.problems().stream().map(Problem::fault)).containsExactly(Fault.IO);
    assertThat(Objects.requireNonNull(report.bitset()).isComplete()).isFalse();
  }

  private void setCount(int blockNr, int count) {
    SpaceMapBitmap bitmap = SpaceMapBitmap.decode(image, BITMAP * 4096);
    bitmap.setCount(blockNr, count);
    bitmap.seal(BITMAP);
  }

  private void putSuperblock(int offset, long value) {
    Le.putU64(image, offset, value);
    sealSuperblock();
  }

  private void sealSuperblock() {
    Le.putU32(image, 0, CloneSuperblock.decode(image, 0).computedChecksum());
  }

  private List<Fault> faults() throws IOException {
    return new ArrayList<>(check().problems().stream().map(Problem::fault).toList());
  }

  private CloneMetadataReport check() throws IOException {
    return CloneMetadataCheck.run(SimDisk.of(image, fixture.metadataBytes()), 10, 10);
  }
}
