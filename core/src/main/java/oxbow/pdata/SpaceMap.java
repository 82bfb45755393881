package oxbow.pdata;

import java.io.IOException;
import java.util.Arrays;
import java.util.BitSet;
import java.util.TreeMap;
import oxbow.block.DeviceException;
import oxbow.block.Errno;
import oxbow.format.Fault;
import oxbow.format.FormatException;
import oxbow.format.pdata.SpaceMapBitmap;
import oxbow.format.pdata.SpaceMapIndex;
import oxbow.format.pdata.SpaceMapRoot;

/**
 * How often each block of the metadata device is referred to, and which are free. The whole map is
 * in memory, at most 1 MiB.
 *
 * <p>The lowest free block is taken first, so that used blocks and those that take their turn with
 * them stay within one bitmap, and the blocks of a commit lie side by side.
 *
 * @see "docs/format/clone.md, Space map"
 */
public final class SpaceMap {
  /** Size of the values of the reference count tree. */
  static final int REF_COUNT_SIZE_BYTES = Integer.BYTES;

  // Where a new space map has them, behind the superblock.
  private static final long NEW_INDEX = 1;
  private static final long NEW_REF_COUNT_ROOT = 2;

  private final BlockManager blocks;
  private final long blockCount;

  /** Blocks from here on are not allocated: the device may have shrunk since it was formatted. */
  private final long allocationEnd;

  private final SpaceMapIndex index;
  private final SpaceMapBitmap[] bitmaps;

  /** Where each bitmap lies. */
  private final long[] bitmapPlaces;

  private long indexPlace;
  private long allocatedCount;

  /** Counts of 3 and more, by block. */
  private final TreeMap<Long, Long> manyReferences = new TreeMap<>();

  private Btree refCountTree;

  /** No block below this one is free. */
  private long searchFrom;

  // What the open transaction did.

  /** Blocks whose last reference went away. Not yet free in the map, hence not allocatable (P2). */
  private long[] freed = new long[16];

  private int freedCount;

  /** Bitmaps with changed counts, known or due. */
  private final BitSet touched = new BitSet();

  private boolean refCountTreeIsStale;

  /** The map was created in the open transaction: its blocks stay where they are. */
  private boolean isNew;

  private SpaceMap(BlockManager blocks, long blockCount, SpaceMapIndex index, Btree refCounts) {
    this.blocks = blocks;
    this.blockCount = blockCount;
    this.allocationEnd = Math.min(blockCount, blocks.blockCount());
    this.index = index;
    this.refCountTree = refCounts;
    this.bitmaps = new SpaceMapBitmap[SpaceMapIndex.bitmapCount(blockCount)];
    this.bitmapPlaces = new long[bitmaps.length];
  }

  /**
   * Reads a space map and verifies all that is stored twice in it.
   *
   * @throws FormatException if it is damaged or contradicts itself
   */
  public static SpaceMap load(BlockManager blocks, SpaceMapRoot root) throws IOException {
    SpaceMapIndex index = SpaceMapIndex.decode(blocks.read(root.bitmapRoot()), 0);
    index.check(root.bitmapRoot());
    Btree refCounts = Btree.load(blocks, root.refCountRoot(), REF_COUNT_SIZE_BYTES);
    SpaceMap map = new SpaceMap(blocks, root.blockCount(), index, refCounts);
    map.indexPlace = root.bitmapRoot();
    for (int i = 0; i < map.bitmaps.length; i++) {
      map.bitmapPlaces[i] = index.bitmapBlockNr(i);
    }
    blocks.readEach(
        map.bitmapPlaces,
        map.bitmaps.length,
        (i, bytes, at) -> {
          byte[] own = Arrays.copyOfRange(bytes, at, at + SpaceMapBitmap.SIZE_BYTES);
          map.bitmaps[i] = SpaceMapBitmap.decode(own, 0);
          map.bitmaps[i].check(map.bitmapPlaces[i]);
        });
    refCounts.forEach(map.manyReferences::put);
    map.verify(root);
    return map;
  }

  /**
   * A space map for a device that is being formatted. Block 0 is the superblock; index, reference
   * count tree and bitmaps follow, as the kernel places them.
   */
  public static SpaceMap create(BlockManager blocks) throws IOException {
    Btree refCounts = Btree.create(NEW_REF_COUNT_ROOT, REF_COUNT_SIZE_BYTES);
    SpaceMap map = new SpaceMap(blocks, blocks.blockCount(), SpaceMapIndex.create(), refCounts);
    map.isNew = true;
    Arrays.setAll(map.bitmaps, i -> SpaceMapBitmap.create());
    for (long place = 0; place <= NEW_REF_COUNT_ROOT; place++) {
      map.allocate();
    }
    map.indexPlace = NEW_INDEX;
    for (int i = 0; i < map.bitmaps.length; i++) {
      map.bitmapPlaces[i] = map.allocate();
    }
    map.touched.set(0, map.bitmaps.length);
    return map;
  }

  /** Blocks the map covers, fixed when the device was formatted. */
  public long blockCount() {
    return blockCount;
  }

  /** Blocks with a count other than 0, those of the open transaction included. */
  public long allocatedCount() {
    return allocatedCount;
  }

  /** How often a block is referred to. */
  public long count(long blockNr) {
    int count = bitmaps[bitmapOf(blockNr)].count(entryOf(blockNr));
    return count < SpaceMapBitmap.MANY ? count : manyReferences.getOrDefault(blockNr, 0L);
  }

  /**
   * Takes the lowest block that is free in the committed map and in the new one (P2); its count
   * becomes 1.
   *
   * @throws DeviceException ENOSPC when there is none
   */
  public long allocate() throws DeviceException {
    long blockNr = searchFrom;
    while (blockNr < allocationEnd) {
      int bitmap = bitmapOf(blockNr);
      int entry = bitmaps[bitmap].nextFree(entryOf(blockNr));
      blockNr = (long) bitmap * SpaceMapBitmap.ENTRIES + entry;
      if (entry < SpaceMapBitmap.ENTRIES && blockNr < allocationEnd) {
        bitmaps[bitmap].setCount(entry, 1);
        touched.set(bitmap);
        allocatedCount++;
        searchFrom = blockNr + 1;
        return blockNr;
      }
    }
    throw new DeviceException(
        Errno.ENOSPC,
        "unable to allocate new metadata block: no block of " + allocationEnd + " is free");
  }

  /**
   * Takes away one reference of a block. When it was the last, the block is free after the commit.
   */
  public void release(long blockNr) {
    long count = count(blockNr);
    SpaceMapBitmap bitmap = bitmaps[bitmapOf(blockNr)];
    touched.set(bitmapOf(blockNr));
    if (count == 0) {
      throw new IllegalStateException("block " + blockNr + " is released but not in use");
    } else if (count == 1) {
      if (freedCount == freed.length) {
        freed = Arrays.copyOf(freed, freedCount * 2);
      }
      freed[freedCount++] = blockNr;
    } else if (count == 2) {
      bitmap.setCount(entryOf(blockNr), 1);
    } else {
      refCountTreeIsStale = true;
      if (count == SpaceMapBitmap.MANY) {
        manyReferences.remove(blockNr);
        bitmap.setCount(entryOf(blockNr), 2);
      } else {
        manyReferences.put(blockNr, count - 1);
      }
    }
  }

  /**
   * Writes the map as the open transaction leaves it; the last step before the superblock. The map
   * counts its own blocks: first all of them get their new places, until no further bitmap is
   * touched by that, then they are written in one go.
   */
  public SpaceMapRoot write() throws IOException {
    if (!isNew) {
      if (refCountTreeIsStale) {
        rebuildRefCountTree();
      }
      release(indexPlace);
      indexPlace = allocate();
    }
    BitSet written = placeBitmaps();
    applyFreed();
    refCountTree.write(blocks, this);
    for (int i = written.nextSetBit(0); i >= 0; i = written.nextSetBit(i + 1)) {
      index.setEntry(i, bitmapPlaces[i], bitmaps[i].freeCount(), bitmaps[i].nextFree(0));
    }
    byte[] bytes = new byte[BlockManager.BLOCK_SIZE_BYTES];
    index.seal(indexPlace);
    index.encode(bytes, 0);
    blocks.write(indexPlace, bytes, 0);
    for (int i = written.nextSetBit(0); i >= 0; i = written.nextSetBit(i + 1)) {
      bitmaps[i].seal(bitmapPlaces[i]);
      bitmaps[i].encode(bytes, 0);
      blocks.write(bitmapPlaces[i], bytes, 0);
    }
    isNew = false;
    return new SpaceMapRoot(blockCount, allocatedCount, indexPlace, refCountTree.rootPlace());
  }

  /** Moves every touched bitmap, and those that are touched by moving them; returns all of them. */
  private BitSet placeBitmaps() throws IOException {
    BitSet placed = new BitSet();
    for (int i = touched.nextSetBit(0); i >= 0; i = touched.nextSetBit(0)) {
      touched.clear(i);
      if (!placed.get(i)) {
        placed.set(i);
        if (!isNew) {
          release(bitmapPlaces[i]);
          bitmapPlaces[i] = allocate();
        }
      }
    }
    return placed;
  }

  private void applyFreed() {
    for (int i = 0; i < freedCount; i++) {
      if (count(freed[i]) != 1) {
        throw new IllegalStateException("block " + freed[i] + " is released twice");
      }
      bitmaps[bitmapOf(freed[i])].setCount(entryOf(freed[i]), 0);
      searchFrom = Math.min(searchFrom, freed[i]);
    }
    allocatedCount -= freedCount;
    freedCount = 0;
  }

  private void rebuildRefCountTree() throws IOException {
    refCountTree.forEachNode(place -> release(place));
    refCountTree = Btree.create(allocate(), REF_COUNT_SIZE_BYTES);
    for (var entry : manyReferences.entrySet()) {
      refCountTree.append(this, entry.getKey(), entry.getValue());
    }
    refCountTreeIsStale = false;
  }

  /** Compares what is stored twice, so that no block in use is ever taken for free. */
  private void verify(SpaceMapRoot root) throws IOException {
    long used = 0;
    long many = 0;
    for (int i = 0; i < bitmaps.length; i++) {
      used += verifyBitmap(i);
      many += manyCount(bitmaps[i]);
    }
    if (used != root.allocatedCount()) {
      throw damage(0, "nr_allocated " + root.allocatedCount() + ", bitmaps hold " + used);
    }
    allocatedCount = used;
    for (var entry : manyReferences.entrySet()) {
      long blockNr = entry.getKey();
      if (blockNr < 0
          || blockNr >= blockCount
          || entry.getValue() < SpaceMapBitmap.MANY
          || bitmaps[bitmapOf(blockNr)].count(entryOf(blockNr)) != SpaceMapBitmap.MANY) {
        throw damage(
            root.refCountRoot(),
            "reference count %d of block %s is not in the bitmaps"
                .formatted(entry.getValue(), Long.toUnsignedString(blockNr)));
      }
    }
    if (many != manyReferences.size()) {
      throw damage(
          root.refCountRoot(),
          many + " blocks have large counts, the tree holds " + manyReferences.size());
    }
    requireCountedOnce(0, "superblock");
    requireCountedOnce(indexPlace, "index");
    for (long place : bitmapPlaces) {
      requireCountedOnce(place, "bitmap");
    }
    refCountTree.forEachNode(place -> requireCountedOnce(place, "reference count node"));
  }

  private long verifyBitmap(int i) throws FormatException {
    SpaceMapBitmap bitmap = bitmaps[i];
    int free = bitmap.freeCount();
    if (index.freeCount(i) != free) {
      throw damage(
          indexPlace, "bitmap " + i + ": nr_free " + index.freeCount(i) + ", it has " + free);
    }
    if (index.noneFreeBefore(i) > bitmap.nextFree(0)) {
      throw damage(
          indexPlace,
          "bitmap %d: none_free_before %d, but entry %d is free"
              .formatted(i, index.noneFreeBefore(i), bitmap.nextFree(0)));
    }
    long inside = blockCount - (long) i * SpaceMapBitmap.ENTRIES;
    for (int entry = (int) Math.min(inside, SpaceMapBitmap.ENTRIES);
        entry < SpaceMapBitmap.ENTRIES;
        entry++) {
      if (bitmap.count(entry) != 0) {
        throw damage(bitmapPlaces[i], "bitmap " + i + ": counts past the end of the device");
      }
    }
    return (long) SpaceMapBitmap.ENTRIES - free;
  }

  private static long manyCount(SpaceMapBitmap bitmap) {
    long many = 0;
    for (int i = 0; i < SpaceMapBitmap.WORDS; i++) {
      many += Long.bitCount(SpaceMapBitmap.manyBits(bitmap.word(i)));
    }
    return many;
  }

  /**
   * Of a block that is never shared. Its children are counted once, so it cannot be copied twice.
   */
  void requireCountedOnce(long blockNr, String what) throws FormatException {
    if (blockNr >= blockCount || count(blockNr) != 1) {
      throw damage(
          blockNr,
          what + " has count " + (blockNr < blockCount ? count(blockNr) : 0) + ", expected 1");
    }
  }

  /** Of a block that may be shared. */
  void requireCounted(long blockNr, String what) throws FormatException {
    if (blockNr >= blockCount || count(blockNr) == 0) {
      throw damage(blockNr, what + " is in use but counted free");
    }
  }

  private static FormatException damage(long blockNr, String what) {
    return new FormatException(Fault.SPACE_MAP, blockNr, "space map check failed: " + what);
  }

  private static int bitmapOf(long blockNr) {
    return (int) (blockNr / SpaceMapBitmap.ENTRIES);
  }

  private static int entryOf(long blockNr) {
    return (int) (blockNr % SpaceMapBitmap.ENTRIES);
  }
}
