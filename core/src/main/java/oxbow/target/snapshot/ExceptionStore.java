package oxbow.target.snapshot;

import oxbow.block.Sectors;
import oxbow.format.snapshot.StoreHeader;

/**
 * Where a snapshot keeps what its origin held: which chunks of the store are handed out. Book
 * keeping only, without I/O. Not thread-safe: under the lock of the snapshot's family.
 *
 * <p>Chunks are handed out upwards, and none twice; what a merge frees is handed out again after
 * the store has been loaded anew.
 */
abstract sealed class ExceptionStore permits TransientStore, PersistentStore {
  /** No chunk. */
  static final long NONE = -1;

  private final long chunkSectors;
  private long storeBytes;
  private long nextFree;
  private long allocatedCount;

  ExceptionStore(long chunkSectors, long storeBytes, long nextFree) {
    if (!StoreHeader.isChunkSize(chunkSectors)) {
      throw new IllegalArgumentException("chunks of " + chunkSectors + " sectors");
    }
    this.chunkSectors = chunkSectors;
    this.storeBytes = storeBytes;
    this.nextFree = nextFree;
  }

  final long chunkSectors() {
    return chunkSectors;
  }

  final long chunkBytes() {
    return Sectors.toBytes(chunkSectors);
  }

  /** Where a chunk lies on the store. */
  final long offsetBytes(long chunk) {
    return chunk * chunkBytes();
  }

  /** Whole chunks; what is left at the end of the store is not used. */
  final long chunkCount() {
    return storeBytes / chunkBytes();
  }

  /**
   * Hands out neighbouring chunks.
   *
   * @param wanted at least 1; fewer may come: {@link #allocatedCount} says how many
   * @return the first of them; {@link #NONE} when the store is full
   */
  long allocate(long wanted) {
    long count = Math.min(wanted, Math.min(neighbours(nextFree), chunkCount() - nextFree));
    if (count <= 0) {
      allocatedCount = 0;
      return NONE;
    }
    long first = nextFree;
    nextFree = dataChunkFrom(first + count);
    allocatedCount = count;
    return first;
  }

  /** How many chunks the last {@link #allocate} has handed out. */
  final long allocatedCount() {
    return allocatedCount;
  }

  /** The chunk that is handed out next; all that were handed out lie below. */
  final long nextFree() {
    return nextFree;
  }

  /** The store has grown to this size: there may be room again. */
  final void growTo(long newStoreBytes) {
    if (newStoreBytes < storeBytes) {
      throw new IllegalArgumentException(newStoreBytes + " bytes after " + storeBytes);
    }
    storeBytes = newStoreBytes;
  }

  /** How much of the store is handed out or metadata, 0 to 100; 100 when nothing is left. */
  final int fullPercent() {
    long total = chunkCount();
    return nextFree >= total ? 100 : (int) (nextFree * 100 / total);
  }

  /** What the status line of a healthy snapshot shows. */
  final String figures() {
    return figures(SnapshotState.ACTIVE, "").toStatusLine();
  }

  /** In sectors (section 6). Total is the whole store, with what no chunk uses at its end. */
  final SnapshotFigures figures(SnapshotState state, String why) {
    return new SnapshotFigures(
        shownFree() * chunkSectors,
        Sectors.fromBytes(storeBytes),
        metadataChunks() * chunkSectors,
        shownFree() - metadataChunks(),
        state,
        why);
  }

  /** From this data chunk on, itself included, so many neighbours hold no metadata. */
  abstract long neighbours(long chunk);

  /** This chunk, or the one after it if this one is metadata. */
  abstract long dataChunkFrom(long chunk);

  abstract long shownFree();

  abstract long metadataChunks();
}
