package oxbow.target.clone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static oxbow.target.clone.MetadataModel.assertClean;
import static oxbow.target.clone.MetadataModel.regions;

import java.io.IOException;
import java.util.BitSet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import oxbow.format.FormatException;
import oxbow.format.Le;
import oxbow.format.clone.CloneSuperblock;
import oxbow.format.pdata.BtreeNode;
import oxbow.format.pdata.SpaceMapBitmap;
import oxbow.format.pdata.SpaceMapIndex;
import oxbow.inspect.CloneMetadataCheck;
import oxbow.pdata.BlockManager;
import oxbow.pdata.SpaceMap;
import oxbow.sim.SimDisk;

/**
 * Aim: reference counts above 1 are honoured, though dm-clone never makes them. Method: metadata
 * whose four array blocks are one and the same block, as a deduplicating tool could leave it, is
 * changed piece by piece until nothing is shared.
 */
class SharedBlocksTest {
  private static final int REGIONS_PER_BLOCK = RegionSet.REGIONS_PER_PAGE;
  private static final MetadataModel MODEL = MetadataModel.ofRegions(4L * REGIONS_PER_BLOCK);

  // Where a newly formatted device has them.
  private static final int INDEX = 1;
  private static final int REF_COUNT_ROOT = 2;
  private static final int BITMAP = 3;
  private static final int ROOT = 4;
  private static final int SHARED = 5;

  private final byte[] image = new byte[9 * 4096];

  @BeforeEach
  void formatAndShare() throws IOException {
    byte[] formatted = MODEL.formattedDisk().bytes(0, image.length);
    System.arraycopy(formatted, 0, image, 0, image.length);
  }

  /** Lets all four keys point at the first array block and frees the others. */
  private SimDisk shared() {
    BtreeNode root = BtreeNode.decode(image, ROOT * 4096);
    SpaceMapBitmap bitmap = SpaceMapBitmap.decode(image, BITMAP * 4096);
    for (int i = 1; i < 4; i++) {
      root.setValue(i, SHARED);
      bitmap.setCount(SHARED + i, 0);
    }
    bitmap.setCount(SHARED, SpaceMapBitmap.MANY);
    BtreeNode refCounts = BtreeNode.decode(image, REF_COUNT_ROOT * 4096);
    refCounts.setEntryCount(1);
    refCounts.setEntry(0, SHARED, 4);
    seal(root, refCounts, bitmap, 6);
    return disk();
  }

  private void seal(BtreeNode root, BtreeNode refCounts, SpaceMapBitmap bitmap, long allocated) {
    root.seal(ROOT);
    refCounts.seal(REF_COUNT_ROOT);
    bitmap.seal(BITMAP);
    SpaceMapIndex index = SpaceMapIndex.decode(image, INDEX * 4096);
    index.setEntry(0, BITMAP, bitmap.freeCount(), 0);
    index.seal(INDEX);
    Le.putU64(image, CloneSuperblock.SPACE_MAP_ROOT_OFFSET + 8, allocated);
    Le.putU32(image, 0, CloneSuperblock.decode(image, 0).computedChecksum());
  }

  private SimDisk disk() {
    return SimDisk.of(image, CloneMetadata.worstCaseBytes(MODEL.regionCount()));
  }

  private static long countOfShared(SimDisk disk) throws IOException {
    try (CloneMetadata metadata = MODEL.open(disk)) {
      return SpaceMap.load(new BlockManager(disk), metadata.superblock().spaceMapRoot())
          .count(SHARED);
    }
  }

  @Test
  void sharedArrayBlockIsReadForAllItsKeys() throws IOException {
    assertThat(MODEL.hydrated(shared())).isEqualTo(regions());
    assertThat(countOfShared(shared())).isEqualTo(4);
  }

  @Test
  void eachChangeUnsharesOneKeyUntilTheBlockIsFree() throws IOException {
    SimDisk disk = shared();
    BitSet expected = new BitSet();
    for (int i = 0; i < 4; i++) {
      int region = i * REGIONS_PER_BLOCK + i;
      try (CloneMetadata metadata = MODEL.open(disk)) {
        disk.clearWrites();
        metadata.commit(MODEL.set(regions(region)));
      }
      expected.set(region);
      assertThat(disk.writes()).noneMatch(write -> covers(write, SHARED));
      assertThat(MODEL.hydrated(disk)).isEqualTo(expected);
      assertThat(countOfShared(disk)).isEqualTo(3 - i);
    }
    assertClean(disk);
  }

  @Test
  void oneCommitMayUnshareAllKeys() throws IOException {
    SimDisk disk = shared();
    try (CloneMetadata metadata = MODEL.open(disk)) {
      RegionSet all = new RegionSet(MODEL.regionCount());
      all.add(0, MODEL.regionCount());
      metadata.commit(all);
      assertThat(metadata.usedBlocks()).isEqualTo(9);
    }
    assertClean(disk);
    assertThat(MODEL.hydrated(disk).cardinality()).isEqualTo(4 * REGIONS_PER_BLOCK);
  }

  @Test
  void nodeThatIsCountedTwiceIsRefusedSinceItsChildrenAreNot() {
    SpaceMapBitmap bitmap = SpaceMapBitmap.decode(image, BITMAP * 4096);
    bitmap.setCount(ROOT, 2);
    seal(
        BtreeNode.decode(image, ROOT * 4096),
        BtreeNode.decode(image, REF_COUNT_ROOT * 4096),
        bitmap,
        9);
    assertThatThrownBy(() -> MODEL.open(disk()))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("bitset node has count 2, expected 1");
  }

  @Test
  void blocksThatAreCountedButNotReachableStayCountedAndUntouched() throws IOException {
    SpaceMapBitmap bitmap = SpaceMapBitmap.decode(image, BITMAP * 4096);
    for (int blockNr = 9; blockNr < 15; blockNr++) {
      bitmap.setCount(blockNr, 1);
    }
    seal(
        BtreeNode.decode(image, ROOT * 4096),
        BtreeNode.decode(image, REF_COUNT_ROOT * 4096),
        bitmap,
        15);
    SimDisk disk = disk();
    try (CloneMetadata metadata = MODEL.open(disk)) {
      for (int i = 0; i < 10; i++) {
        metadata.commit(MODEL.set(regions(i)));
      }
      assertThat(metadata.usedBlocks()).isEqualTo(15);
    }
    for (int blockNr = 9; blockNr < 15; blockNr++) {
      int leaked = blockNr;
      assertThat(disk.writes()).noneMatch(write -> covers(write, leaked));
    }
    assertThat(CloneMetadataCheck.run(disk, 10, 0).problems())
        .singleElement()
        .satisfies(problem -> assertThat(problem.what()).startsWith("6 block(s) counted but not"));
  }

  private static boolean covers(SimDisk.Range write, long blockNr) {
    return write.offsetBytes() <= blockNr * 4096
        && blockNr * 4096 < write.offsetBytes() + write.lengthBytes();
  }
}
