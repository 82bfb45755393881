package oxbow.target.clone;

import java.io.IOException;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockingIo;
import oxbow.block.Remote;
import oxbow.format.Fault;
import oxbow.format.FormatException;
import oxbow.format.clone.CloneSuperblock;
import oxbow.format.clone.FormattingMark;
import oxbow.format.pdata.ArrayBlock;
import oxbow.format.pdata.BtreeNode;
import oxbow.format.pdata.SpaceMapIndex;
import oxbow.pdata.Bitset;
import oxbow.pdata.BlockManager;
import oxbow.pdata.SpaceMap;

/**
 * Which regions are hydrated, on disk, as a Linux kernel keeps it: either side can take over from
 * the other at any commit.
 *
 * <p>All methods block, unless they say otherwise, and are called by one thread at a time, one that
 * may wait for a disk. Invariants, besides those of {@link oxbow.pdata}:
 *
 * <ul>
 *   <li>D1. A region's bit is durable only if a flush of the destination began after the region's
 *       data was written there, and has succeeded (M2). That flush is the caller's duty: {@link
 *       #commit} writes metadata only, step 3 of M1.
 *   <li>D2. A commit sets the bits of the given set and of no other region (M1).
 *   <li>D3. On disk, bits never return to 0.
 *   <li>D4. After a failure no commit succeeds any more (O3). The last committed state stands on
 *       disk, or, if the very end of the commit failed, that of the failed one.
 * </ul>
 *
 * @see "docs/format/clone.md"
 */
public final class CloneMetadata implements AutoCloseable {
  /** What metadata can be used for; it never gets better while it is open. */
  public enum Mode {
    READ_WRITE,
    /** A commit has failed; what is on disk can be read. */
    READ_ONLY,
    /** A commit has failed, and what is on disk cannot be read either. */
    FAILED
  }

  private static final long SIZE_STEP_BYTES = 1 << 20;

  /** What of the metadata is in memory; forgotten as a whole when a transaction fails (P4). */
  private record Opened(
      BlockManager blocks, CloneSuperblock superblock, SpaceMap space, Bitset bitset) {}

  private final BlockingIo device;
  private final long regionCount;
  private @Nullable Opened opened;

  // Read by other threads, for status.
  private volatile Mode mode = Mode.READ_WRITE;
  private volatile @Nullable String failure;
  private volatile CloneSuperblock superblock;

  private CloneMetadata(BlockingIo device, Opened opened) {
    this.device = device;
    this.opened = opened;
    this.superblock = opened.superblock;
    this.regionCount = superblock.regionCount();
  }

  /**
   * The size that a new metadata device should have: however many regions are recorded in one
   * transaction, its commit finds free blocks. Does not block.
   *
   * @param regionCount 1 to 2^31
   */
  public static long worstCaseBytes(long regionCount) {
    long used = fixedBlocks(regionCount);
    // The bitmaps of the space map count towards what they cover.
    long bitmaps = SpaceMapIndex.bitmapCount(2 * used + SpaceMapIndex.ENTRIES);
    long bytes = (2 * (used + bitmaps) + bitmaps + 8) * BlockManager.BLOCK_SIZE_BYTES;
    return (bytes + SIZE_STEP_BYTES - 1) / SIZE_STEP_BYTES * SIZE_STEP_BYTES;
  }

  /** Blocks in use, but for the bitmaps: superblock, index, empty tree, array blocks and nodes. */
  private static long fixedBlocks(long regionCount) {
    long arrayBlocks = Bitset.blockCount(regionCount);
    long fanOut = BtreeNode.maxEntries(BtreeNode.CHILD_SIZE_BYTES);
    long used = 3 + arrayBlocks + 1;
    // Below the root no node is less than half full.
    for (long level = arrayBlocks; level > fanOut; ) {
      level = level / (fanOut / 2) + 1;
      used += level;
    }
    return used;
  }

  /** How many blocks are needed so that one commit of all regions is possible. */
  private static long minimumBlocks(long regionCount, long deviceBlocks) {
    long used = fixedBlocks(regionCount);
    long bitmaps = SpaceMapIndex.bitmapCount(deviceBlocks);
    return used + bitmaps + (used - 3) + bitmaps + 1;
  }

  /**
   * Tells what lies on a device that shall hold metadata, so that nothing foreign is overwritten
   * and no damage is taken for emptiness. Changes nothing.
   */
  public static Probe probe(BlockingIo device) throws IOException {
    return new Prober(device).probe();
  }

  /**
   * Makes a device clone metadata without hydrated regions. What was on it is lost: the caller has
   * made sure that it may be ({@link #probe}). A crash leaves the device as it was, formatted, or
   * one that may be formatted: also where it tears blocks.
   *
   * @throws IllegalArgumentException if the sizes are impossible, or the device is too small for
   *     the largest commit; nothing was changed
   */
  public static CloneMetadata format(BlockingIo device, long targetSectors, long regionSizeSectors)
      throws IOException {
    checkSizes(targetSectors, regionSizeSectors);
    long regionCount = CloneSuperblock.regionCount(targetSectors, regionSizeSectors);
    BlockManager blocks = new BlockManager(device);
    long minimum = minimumBlocks(regionCount, blocks.blockCount());
    if (blocks.blockCount() < minimum) {
      throw new IllegalArgumentException(
          "metadata device of %d blocks is too small for %d regions: at least %d, better %d"
              .formatted(
                  blocks.blockCount(),
                  regionCount,
                  minimum,
                  worstCaseBytes(regionCount) / BlockManager.BLOCK_SIZE_BYTES));
    }
    blocks.writeSuperblock(FormattingMark.block());
    SpaceMap space = SpaceMap.create(blocks);
    Bitset bitset = Bitset.create(blocks, space, regionCount);
    return new CloneMetadata(
        device, commit(blocks, space, bitset, targetSectors, regionSizeSectors));
  }

  private static void checkSizes(long targetSectors, long regionSizeSectors) {
    if (regionSizeSectors < CloneSuperblock.MIN_REGION_SECTORS
        || regionSizeSectors > CloneSuperblock.MAX_REGION_SECTORS
        || Long.bitCount(regionSizeSectors) != 1) {
      throw new IllegalArgumentException(
          "region size of " + regionSizeSectors + " sectors: a power of 2 from 8 to 2097152 is");
    }
    if (targetSectors < 1
        || CloneSuperblock.regionCount(targetSectors, regionSizeSectors)
            > CloneSuperblock.MAX_REGIONS) {
      throw new IllegalArgumentException(
          targetSectors + " sectors in regions of " + regionSizeSectors + ": too few or too many");
    }
  }

  /**
   * Opens metadata and verifies the superblock, the tree and the space map; array blocks are
   * verified by {@link #load}. (A kernel looks at the space map no earlier than at the first
   * commit, which then fails.) Changes nothing.
   *
   * @throws FormatException if the sizes are not exactly those of the metadata (C9), or the
   *     metadata is damaged
   */
  public static CloneMetadata open(BlockingIo device, long targetSectors, long regionSizeSectors)
      throws IOException {
    Opened opened = read(device);
    CloneSuperblock superblock = opened.superblock;
    if (superblock.targetSectors() != targetSectors
        || superblock.regionSizeSectors() != regionSizeSectors) {
      throw new FormatException(
          Fault.GEOMETRY,
          CloneSuperblock.BLOCK_NR,
          ("Region and/or target size don't match the ones in metadata: region size %d and target"
                  + " size %d sectors, metadata has %d and %d")
              .formatted(
                  regionSizeSectors,
                  targetSectors,
                  superblock.regionSizeSectors(),
                  superblock.targetSectors()));
    }
    return new CloneMetadata(device, opened);
  }

  private static Opened read(BlockingIo device) throws IOException {
    BlockManager blocks = new BlockManager(device);
    CloneSuperblock superblock = CloneSuperblock.decode(blocks.read(CloneSuperblock.BLOCK_NR), 0);
    superblock.check();
    SpaceMap space = SpaceMap.load(blocks, superblock.spaceMapRoot());
    Bitset bitset = Bitset.load(blocks, space, superblock.bitsetRoot(), superblock.regionCount());
    return new Opened(blocks, superblock, space, bitset);
  }

  /** The superblock of the last commit. Does not block; from any thread. */
  public CloneSuperblock superblock() {
    return superblock;
  }

  /** Does not block; from any thread. */
  public long regionCount() {
    return regionCount;
  }

  /** Metadata blocks in use, for the status line. Does not block; from any thread. */
  public long usedBlocks() {
    return superblock.spaceMapRoot().allocatedCount();
  }

  /** Metadata blocks there are, for the status line. Does not block; from any thread. */
  public long totalBlocks() {
    return superblock.spaceMapRoot().blockCount();
  }

  /** What lies beyond the most that metadata can use: 4161600 blocks. Does not block. */
  long excessBytes() {
    long usable = SpaceMapIndex.MAX_BLOCKS * BlockManager.BLOCK_SIZE_BYTES;
    return Math.max(0, device.sizeBytes() - usable);
  }

  /** What can be asked of the device's far end, if it has one. Does not block; any thread. */
  public @Nullable Remote remote() {
    return device.remote();
  }

  /** Does not block; from any thread. */
  public Mode mode() {
    return mode;
  }

  /** Why the metadata has left mode rw; null while it has not. Does not block; from any thread. */
  public @Nullable String failure() {
    return failure;
  }

  /**
   * Adds the regions that are hydrated on disk to the map.
   *
   * @param map of as many regions; after an error it has some of them
   */
  public void load(RegionMap map) throws IOException {
    if (map.regionCount() != regionCount) {
      throw new IllegalArgumentException(map.regionCount() + " regions, not " + regionCount);
    }
    requireOpened()
        .bitset
        .forEachBlock(
            (blockIndex, wordCount, block) -> {
              int firstWord = blockIndex * ArrayBlock.WORDS;
              for (int i = 0; i < wordCount; i++) {
                long word = block.word(i);
                if (word != 0) {
                  map.setWord(firstWord + i, word);
                }
              }
            });
  }

  /**
   * Makes the bits of the recorded regions durable: writes metadata, flushes, writes the
   * superblock, flushes. The destination must have been flushed after the data of the last of these
   * regions was written (D1). An empty set does nothing at all (M4).
   *
   * <p>After a failure the metadata is read-only (O3, D4): what was not yet written is forgotten
   * and the state on disk read again. The caller's map in memory stays as it is, since it is what
   * makes acknowledged data readable.
   *
   * @param recorded of as many regions; must not change meanwhile, and is left as it is
   * @throws ReadOnlyMetadataException if a failure came before; nothing was done
   */
  public void commit(RegionSet recorded) throws IOException {
    if (recorded.regionCount() != regionCount) {
      throw new IllegalArgumentException(recorded.regionCount() + " regions, not " + regionCount);
    }
    Opened before = requireWritable();
    if (recorded.isEmpty()) {
      return;
    }
    try {
      recorded.forEachPage(before.bitset::or);
      Opened after =
          commit(
              before.blocks,
              before.space,
              before.bitset,
              superblock.targetSectors(),
              superblock.regionSizeSectors());
      opened = after;
      superblock = after.superblock;
    } catch (IOException | RuntimeException | Error e) {
      abort(e instanceof IOException ? String.valueOf(e.getMessage()) : e.toString());
      throw e;
    }
  }

  private static Opened commit(
      BlockManager blocks,
      SpaceMap space,
      Bitset bitset,
      long targetSectors,
      long regionSizeSectors)
      throws IOException {
    bitset.write();
    CloneSuperblock superblock =
        CloneSuperblock.create(space.write(), regionSizeSectors, targetSectors, bitset.rootPlace());
    superblock.check();
    byte[] bytes = new byte[CloneSuperblock.SIZE_BYTES];
    superblock.encode(bytes, 0);
    blocks.commit(bytes);
    return new Opened(blocks, superblock, space, bitset);
  }

  /**
   * Forbids all further commits, e.g. because the destination could not be flushed: its data may be
   * lost, so no bit may ever claim it. Reads the state on disk again, as after a failed commit.
   * Does nothing if there was a failure before.
   */
  public void abort(String why) {
    if (failure != null) {
      return;
    }
    failure = why;
    mode = Mode.READ_ONLY;
    opened = null;
    try {
      Opened again = read(device);
      opened = again;
      superblock = again.superblock;
    } catch (IOException | RuntimeException e) {
      failure = why + "; what is on disk cannot be read: " + e.getMessage();
      mode = Mode.FAILED;
    }
  }

  private Opened requireWritable() throws ReadOnlyMetadataException {
    String why = failure;
    if (why != null) {
      throw new ReadOnlyMetadataException(why);
    }
    return requireOpened();
  }

  private Opened requireOpened() {
    Opened now = opened;
    if (now == null) {
      throw new IllegalStateException("metadata is closed, or what is on disk cannot be read");
    }
    return now;
  }

  /** Forgets all. Commits nothing; the device stays the caller's. Does not block. */
  @Override
  public void close() {
    opened = null;
  }
}
