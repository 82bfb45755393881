package oxbow.format.snapshot;

/**
 * Where things lie in an exception store: chunk 0 is the header, and each metadata area, one chunk
 * of exceptions, stands before the chunks that its exceptions point to.
 *
 * @param chunkSizeSectors a power of two up to {@link StoreHeader#MAX_CHUNK_SECTORS}
 * @see "docs/format/snapshot.md, Geometry"
 */
public record StoreLayout(long chunkSizeSectors) {
  private static final int SECTOR_BYTES = 512;

  /** Chunk numbers have so many bits; what is above is the kernel's own in memory. */
  private static final int CHUNK_NUMBER_BITS = 56;

  /** The first chunk that an exception can point to. */
  public static final long FIRST_DATA_CHUNK = 2;

  public StoreLayout {
    if (!StoreHeader.isChunkSize(chunkSizeSectors)) {
      throw new IllegalArgumentException("chunks of " + chunkSizeSectors + " sectors");
    }
  }

  public long chunkBytes() {
    return chunkSizeSectors * SECTOR_BYTES;
  }

  /** Whole chunks of a store device; what is left at its end is not used. */
  public long chunkCount(long storeBytes) {
    return storeBytes / chunkBytes();
  }

  public int exceptionsPerArea() {
    return Math.toIntExact(chunkBytes() / ExceptionArea.ENTRY_BYTES);
  }

  /** From one area's chunk to the next one's. */
  private long stride() {
    return exceptionsPerArea() + 1L;
  }

  /** The chunk of a metadata area, counted from 0. */
  public long areaChunk(long area) {
    return 1 + stride() * area;
  }

  /** Whether a chunk is the header or an area, so that no exception may point to it. */
  public boolean isMetadata(long chunk) {
    return chunk == 0 || chunk % stride() == 1;
  }

  /** The chunk to be handed out after this one. */
  public long nextDataChunk(long chunk) {
    return isMetadata(chunk + 1) ? chunk + 2 : chunk + 1;
  }

  /** From a data chunk on, itself included, so many follow each other before the next area. */
  public long dataChunksFrom(long chunk) {
    return stride() - (chunk - 1) % stride();
  }

  /** Where an exception lies, counted from 0 through all areas. */
  public long entryOffsetBytes(long entry) {
    long inArea = entry % exceptionsPerArea() * ExceptionArea.ENTRY_BYTES;
    return offsetBytes(areaChunk(entry / exceptionsPerArea())) + inArea;
  }

  /** Whether a number can be a chunk's, on a device of any size. */
  public static boolean isChunkNumber(long chunk) {
    return chunk >>> CHUNK_NUMBER_BITS == 0;
  }

  public long offsetBytes(long chunk) {
    return chunk * chunkBytes();
  }
}
