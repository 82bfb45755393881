package oxbow.target.logwrites;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockingIo;
import oxbow.format.Fault;
import oxbow.format.FormatException;
import oxbow.format.logwrites.LogEntry;
import oxbow.format.logwrites.LogSuper;

/** Reads a write log, the kernel's or Oxbow's, entry by entry. Blocks. Not thread-safe. */
public final class LogReader {
  /**
   * An entry of the log.
   *
   * @param number from 0
   * @param text of a mark, else empty
   * @param dataOffsetBytes where in the log its data begins
   */
  public record Entry(long number, LogEntry head, String text, long dataOffsetBytes) {}

  private final BlockingIo io;
  private final int sectorBytes;
  private final long entryCount;
  private long nextNumber;
  private long nextOffsetBytes;

  /**
   * Begins before the first entry.
   *
   * @param io stays the caller's
   * @throws FormatException if it is no log
   */
  public LogReader(BlockingIo io) throws IOException {
    this.io = io;
    LogSuper head = LogSuper.decode(read(0, LogSuper.MIN_SECTOR_BYTES), 0);
    head.check();
    this.sectorBytes = (int) head.sectorBytes();
    this.entryCount = head.entryCount();
    this.nextOffsetBytes = sectorBytes;
  }

  /** Entries that the super counts: all that can be read. */
  public long entryCount() {
    return entryCount;
  }

  /** The unit of the sectors in entries. */
  public int sectorBytes() {
    return sectorBytes;
  }

  /**
   * The next entry, or null after the last.
   *
   * @throws FormatException if what should be an entry cannot be one
   */
  public @Nullable Entry next() throws IOException {
    if (nextNumber >= entryCount) {
      return null;
    }
    if (nextOffsetBytes > io.sizeBytes() - sectorBytes) {
      throw failure("lies beyond the end of the log");
    }
    byte[] sector = read(nextOffsetBytes, sectorBytes);
    LogEntry head = LogEntry.decode(sector, 0);
    long dataOffset = nextOffsetBytes + sectorBytes;
    long mostSectors = (io.sizeBytes() - dataOffset) / sectorBytes;
    if (head.dataSectors() < 0 || head.dataSectors() > mostSectors) {
      throw failure("has " + Long.toUnsignedString(head.sectorCount()) + " sectors of data");
    }
    String text = "";
    if (head.isMark()) {
      if (head.textBytes() < 0 || head.textBytes() > sectorBytes - LogEntry.SIZE_BYTES) {
        throw failure("has a text of " + Long.toUnsignedString(head.textBytes()) + " bytes");
      }
      text =
          new String(sector, LogEntry.SIZE_BYTES, (int) head.textBytes(), StandardCharsets.UTF_8);
    }
    nextOffsetBytes = dataOffset + head.dataSectors() * sectorBytes;
    return new Entry(nextNumber++, head, text, dataOffset);
  }

  /** What an entry has written; empty for entries without data. At most 2 GiB. */
  public byte[] data(Entry entry) throws IOException {
    return read(entry.dataOffsetBytes(), Math.toIntExact(entry.head().dataSectors() * sectorBytes));
  }

  /** Part of what an entry has written. */
  void data(Entry entry, long fromBytes, ByteBuffer into) throws IOException {
    io.read(entry.dataOffsetBytes() + fromBytes, into);
  }

  private byte[] read(long offsetBytes, int lengthBytes) throws IOException {
    byte[] bytes = new byte[lengthBytes];
    io.read(offsetBytes, ByteBuffer.wrap(bytes));
    return bytes;
  }

  private FormatException failure(String what) {
    return new FormatException(
        Fault.RANGE,
        nextOffsetBytes / sectorBytes,
        "Write log: entry " + nextNumber + " of " + entryCount + " " + what);
  }
}
