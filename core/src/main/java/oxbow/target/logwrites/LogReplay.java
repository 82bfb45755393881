package oxbow.target.logwrites;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import oxbow.block.BlockingIo;
import oxbow.format.Fault;
import oxbow.format.FormatException;

/**
 * Does again, on other devices, what a log says was done. A log of several devices addresses them
 * as if one followed the other: each has a window as long as itself, in the order in which they
 * were opened. Blocks.
 */
public final class LogReplay {
  private static final int CHUNK_BYTES = 1 << 20;

  private final List<? extends BlockingIo> devices;

  /** The devices in the order of their windows; they stay the caller's. */
  public LogReplay(List<? extends BlockingIo> devices) {
    this.devices = List.copyOf(devices);
  }

  /**
   * Replays entries from where the reader is.
   *
   * @param before the number of the first entry that is left out; Long.MAX_VALUE for all
   * @return how many were replayed
   */
  public long replay(LogReader log, long before) throws IOException {
    long count = 0;
    for (long left = before; left > 0; left--) {
      LogReader.Entry entry = log.next();
      if (entry == null) {
        return count;
      }
      apply(log, entry);
      count++;
    }
    return count;
  }

  /** Replays to the first mark with this text, inclusive; false if there is none. */
  public boolean replayToMark(LogReader log, String text) throws IOException {
    for (LogReader.Entry entry = log.next(); entry != null; entry = log.next()) {
      apply(log, entry);
      if (entry.head().isMark() && entry.text().equals(text)) {
        return true;
      }
    }
    return false;
  }

  /** Replays an entry: a discarded range reads as zeros then. */
  public void apply(LogReader log, LogReader.Entry entry) throws IOException {
    if (entry.head().isMark() || entry.head().sectorCount() == 0) {
      return;
    }
    long length = entry.head().sectorCount() * log.sectorBytes();
    long offset = entry.head().sector() * log.sectorBytes();
    int window = windowOf(offset, length, entry);
    BlockingIo device = devices.get(window);
    long at = offset - baseOf(window);
    ByteBuffer chunk = ByteBuffer.allocate((int) Math.min(length, CHUNK_BYTES));
    for (long done = 0; done < length; done += chunk.limit()) {
      chunk.clear().limit((int) Math.min(chunk.capacity(), length - done));
      if (!entry.head().isDiscard()) {
        log.data(entry, done, chunk);
        chunk.flip();
      }
      device.write(at + done, chunk);
    }
  }

  /** Which device a range of the log's lies on; it lies on one only. */
  private int windowOf(long offsetBytes, long lengthBytes, LogReader.Entry entry)
      throws FormatException {
    long base = 0;
    for (int i = 0; i < devices.size(); i++) {
      long size = devices.get(i).sizeBytes();
      if (offsetBytes >= base
          && offsetBytes < base + size
          && lengthBytes <= base + size - offsetBytes) {
        return i;
      }
      base += size;
    }
    throw new FormatException(
        Fault.RANGE,
        entry.dataOffsetBytes(),
        "Write log: entry %d is for %d bytes at %d, which is on no device"
            .formatted(entry.number(), lengthBytes, offsetBytes));
  }

  /** Where the window of a device begins. */
  private long baseOf(int window) {
    return devices.subList(0, window).stream().mapToLong(BlockingIo::sizeBytes).sum();
  }
}
