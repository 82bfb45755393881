package oxbow.format.snapshot;

import oxbow.format.Fault;
import oxbow.format.FormatException;
import oxbow.format.Le;
import oxbow.format.RawBytes;

/**
 * Chunk 0 of an exception store. All that varies lies in its first sector, which a medium writes
 * whole or not at all; the rest of the chunk is written as zeros. There is no checksum.
 *
 * @param magic u32, {@link #MAGIC}; 0 in a store that was never initialised
 * @param valid u32; 0 in a store that has been invalidated, anything else is valid
 * @param version u32, {@link #VERSION}
 * @param chunkSizeSectors u32, a power of two up to {@link #MAX_CHUNK_SECTORS}
 * @param reserved the rest of the first sector, written 0
 * @see "docs/format/snapshot.md, Header; struct disk_header of Linux 6.1 dm-snap-persistent.c"
 */
public record StoreHeader(
    long magic, long valid, long version, long chunkSizeSectors, RawBytes reserved) {
  /** What is read to know a store: its first sector. */
  public static final int SIZE_BYTES = 512;

  public static final int MAGIC_OFFSET = 0;
  public static final int VALID_OFFSET = 4;
  public static final int VERSION_OFFSET = 8;
  public static final int CHUNK_SIZE_OFFSET = 12;
  public static final int RESERVED_OFFSET = 16;

  /** "SnAp". */
  public static final long MAGIC = 0x7041_6E53L;

  public static final long VERSION = 1;

  /** 1 GiB: the largest power of two in 2^31 - 1 bytes. */
  public static final long MAX_CHUNK_SECTORS = 1 << 21;

  /** What a table line gets that leaves the chunk size open: 16 KiB. */
  public static final long DEFAULT_CHUNK_SECTORS = 32;

  /** A header as we write it. */
  public static StoreHeader create(boolean isValid, long chunkSizeSectors) {
    RawBytes zeros = RawBytes.zeros(SIZE_BYTES - RESERVED_OFFSET);
    return new StoreHeader(MAGIC, isValid ? 1 : 0, VERSION, chunkSizeSectors, zeros);
  }

  /** Reads the 512 bytes at an offset; nothing is checked. */
  public static StoreHeader decode(byte[] bytes, int at) {
    return new StoreHeader(
        Le.getU32(bytes, at + MAGIC_OFFSET),
        Le.getU32(bytes, at + VALID_OFFSET),
        Le.getU32(bytes, at + VERSION_OFFSET),
        Le.getU32(bytes, at + CHUNK_SIZE_OFFSET),
        RawBytes.copyOf(bytes, at + RESERVED_OFFSET, SIZE_BYTES - RESERVED_OFFSET));
  }

  /** Stores the 512 bytes at an offset. */
  public void encode(byte[] into, int at) {
    Le.putU32(into, at + MAGIC_OFFSET, magic);
    Le.putU32(into, at + VALID_OFFSET, valid);
    Le.putU32(into, at + VERSION_OFFSET, version);
    Le.putU32(into, at + CHUNK_SIZE_OFFSET, chunkSizeSectors);
    reserved.copyTo(into, at + RESERVED_OFFSET);
  }

  /** Whether a store was ever initialised here; the kernel looks at the magic alone. */
  public boolean isInitialised() {
    return magic != 0;
  }

  public boolean isValid() {
    return valid != 0;
  }

  /** The kernel's checks of an initialised header. An invalidated store passes them. */
  public void check() throws FormatException {
    if (magic != MAGIC) {
      throw new FormatException(
          Fault.MAGIC,
          0,
          "Invalid or corrupt snapshot: magic %08x, not %08x".formatted(magic, MAGIC));
    }
    if (version != VERSION) {
      throw new FormatException(
          Fault.VERSION, 0, "unable to handle snapshot disk version " + version);
    }
    if (!isChunkSize(chunkSizeSectors)) {
      throw new FormatException(
          Fault.GEOMETRY,
          0,
          "chunk size of %d sectors: a power of two up to %d is expected"
              .formatted(chunkSizeSectors, MAX_CHUNK_SECTORS));
    }
  }

  /** Whether a chunk can have this many sectors. */
  public static boolean isChunkSize(long sectors) {
    return sectors > 0 && sectors <= MAX_CHUNK_SECTORS && Long.bitCount(sectors) == 1;
  }
}
