package oxbow.format.logwrites;

import oxbow.format.Fault;
import oxbow.format.FormatException;
import oxbow.format.Le;

/**
 * Sector 0 of a write log; the rest of the sector is zeros.
 *
 * @param magic u64, {@link #MAGIC}
 * @param version u64, {@link #VERSION}
 * @param entryCount u64, entries that are there for sure; more may follow
 * @param sectorBytes u32, the unit of the log and of the sectors in its entries
 * @see "docs/format/log-writes.md, Super; struct log_write_super of Linux 6.1 dm-log-writes.c"
 */
public record LogSuper(long magic, long version, long entryCount, long sectorBytes) {
  public static final long MAGIC = 0x6A_7366_7773_6872L;
  public static final long VERSION = 1;

  public static final int SIZE_BYTES = 28;
  public static final int MIN_SECTOR_BYTES = 512;
  public static final int MAX_SECTOR_BYTES = 65536;

  private static final int VERSION_OFFSET = 8;
  private static final int ENTRY_COUNT_OFFSET = 16;
  private static final int SECTOR_BYTES_OFFSET = 24;

  /** A super as we write it. */
  public static LogSuper of(long entryCount, int sectorBytes) {
    return new LogSuper(MAGIC, VERSION, entryCount, sectorBytes);
  }

  /** Reads it; nothing is checked. */
  public static LogSuper decode(byte[] bytes, int at) {
    return new LogSuper(
        Le.getU64(bytes, at),
        Le.getU64(bytes, at + VERSION_OFFSET),
        Le.getU64(bytes, at + ENTRY_COUNT_OFFSET),
        Le.getU32(bytes, at + SECTOR_BYTES_OFFSET));
  }

  public void encode(byte[] into, int at) {
    Le.putU64(into, at, magic);
    Le.putU64(into, at + VERSION_OFFSET, version);
    Le.putU64(into, at + ENTRY_COUNT_OFFSET, entryCount);
    Le.putU32(into, at + SECTOR_BYTES_OFFSET, sectorBytes);
  }

  /** Magic, version, and a sector size that can be. */
  public void check() throws FormatException {
    if (magic != MAGIC) {
      throw failure(Fault.MAGIC, "magic %#x, expected %#x".formatted(magic, MAGIC));
    }
    if (version != VERSION) {
      throw failure(Fault.VERSION, "version %d, expected %d".formatted(version, VERSION));
    }
    if (sectorBytes < MIN_SECTOR_BYTES
        || sectorBytes > MAX_SECTOR_BYTES
        || Long.bitCount(sectorBytes) != 1) {
      throw failure(Fault.GEOMETRY, "sectors of " + sectorBytes + " bytes");
    }
  }

  private static FormatException failure(Fault fault, String what) {
    return new FormatException(fault, 0, "Write log: " + what);
  }
}
