package oxbow.target.logwrites;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockingDevice;
import oxbow.block.DeviceException;
import oxbow.block.Errno;
import oxbow.block.Sectors;
import oxbow.format.logwrites.LogEntry;
import oxbow.format.logwrites.LogSuper;
import oxbow.target.TaskPlace;

/**
 * A log as it is written. Entries get their place in the order in which they are added, which needs
 * memory only; {@link #write} puts them there and blocks. Once an entry could not be written, for
 * want of space or for an error, the log has stopped and takes nothing more: what is in it is true
 * to that point.
 *
 * <p>Used by several targets at once.
 */
final class WriteLog {
  /** The last entry of a log that was ended in order. */
  static final String END_MARK = "dm-log-writes-end";

  private static final int ZEROS_BYTES = 1 << 16;

  /** An entry to be written, and what is to follow it: the text of a mark, bytes, or zeros. */
  private record Waiting(LogEntry entry, byte[] text, @Nullable MemorySegment data) {
    /** The super follows at once, so that who reads the log after a crash finds the entry. */
    boolean needsSuper() {
      return entry.isFlush() || entry.isFua() || entry.isMark();
    }
  }

  private final BlockingDevice io;
  private final int sectorBytes;
  private final ArrayDeque<Waiting> waiting = new ArrayDeque<>();

  /**
   * How far the log has come.
   *
   * @param nextSector where the next entry begins
   */
  record Position(long entryCount, long nextSector) {}

  /** Taken around I/O; {@code this} only around the queue and the counters. */
  private final Object writer = new Object();

  private long addedCount;
  private long windowBytes;
  private int windowCount;
  private volatile Position end = new Position(0, 1);
  private volatile int errno;

  /**
   * @param io closed by {@link #end}
   * @param sectorBytes the log's unit, 512 at least
   */
  WriteLog(BlockingDevice io, int sectorBytes) {
    this.io = io;
    this.sectorBytes = sectorBytes;
  }

  /** Makes the log an empty one. Blocks. */
  void begin() throws IOException {
    try {
      writeSuper();
    } catch (IOException e) {
      io.close();
      throw e;
    }
  }

  /** Where tasks that write to the log may have to wait. */
  TaskPlace place() {
    return new TaskPlace("log", io.address(), io.remote());
  }

  int sectorBytes() {
    return sectorBytes;
  }

  /** Where on the log's device, all windows put together, a new target begins; in bytes. */
  synchronized long addWindow(long lengthBytes) {
    long base = windowBytes;
    windowBytes += Math.ceilDiv(lengthBytes, (long) sectorBytes) * sectorBytes;
    windowCount++;
    return base;
  }

  /** Whether it was the last. */
  synchronized boolean removeWindow() {
    return --windowCount == 0;
  }

  /** The figures of a status line: entries written, and the last 512-byte sector in use. */
  String status() {
    Position now = end;
    long highest = now.nextSector * (sectorBytes / Sectors.SIZE_BYTES) - 1;
    String counts = now.entryCount + " " + highest;
    return errno == Errno.OK ? counts : counts + " logging_disabled";
  }

  /** 0 while the log goes on, else why it has stopped. */
  int errno() {
    return errno;
  }

  // Adding.

  /**
   * Gives an entry its place; returns it for {@link #write}.
   *
   * @param offsetBytes windows included
   * @param data what was written, which stays as it is until it is in the log; null for zeros
   */
  long add(long flags, long offsetBytes, long lengthBytes, @Nullable MemorySegment data) {
    LogEntry entry = new LogEntry(offsetBytes / sectorBytes, lengthBytes / sectorBytes, flags, 0);
    return add(new Waiting(entry, new byte[0], data));
  }

  /** A note; what does not fit is cut off. */
  long addMark(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    int most = sectorBytes - LogEntry.SIZE_BYTES - 1;
    byte[] cut = bytes.length <= most ? bytes : Arrays.copyOf(bytes, most);
    return add(new Waiting(new LogEntry(0, 0, LogEntry.MARK, cut.length), cut, null));
  }

  private synchronized long add(Waiting added) {
    waiting.add(added);
    return ++addedCount;
  }

  private synchronized @Nullable Waiting nextUpTo(long place) {
    return addedCount - waiting.size() < place ? waiting.poll() : null;
  }

  // Writing; blocks.

  /**
   * Writes all entries up to a place, unless that has been done.
   *
   * @return 0, or why the log has stopped
   */
  int write(long place) {
    synchronized (writer) {
      boolean needsSuper = false;
      for (Waiting next = nextUpTo(place); next != null; next = nextUpTo(place)) {
        if (errno == Errno.OK) {
          errno = tryTo(write(next));
          needsSuper |= next.needsSuper();
        }
      }
      if (errno == Errno.OK && needsSuper) {
        errno = tryTo(this::writeSuper);
      }
      return errno;
    }
  }

  /** Makes what has been written so far durable and countable. */
  int sync() {
    synchronized (writer) {
      if (errno == Errno.OK) {
        errno =
            tryTo(
                () -> {
                  writeSuper();
                  io.flush();
                });
      }
      return errno;
    }
  }

  /** The log's last entry; nothing can be added any more. */
  void end() {
    write(addMark(END_MARK));
    io.close();
  }

  /** Something that may fail. */
  private interface Attempt {
    void run() throws IOException;
  }

  private static int tryTo(Attempt attempt) {
    try {
      attempt.run();
      return Errno.OK;
    } catch (DeviceException failed) {
      return failed.errno();
    } catch (IOException failed) {
      return Errno.EIO;
    }
  }

  private Attempt write(Waiting next) {
    return () -> {
      long data = next.entry.dataSectors();
      Position now = end;
      long after = now.nextSector + 1 + data;
      if (after > io.sizeBytes() / sectorBytes) {
        throw new DeviceException(Errno.ENOSPC, "Ran out of space on the logdev");
      }
      byte[] head = new byte[sectorBytes];
      next.entry.encode(head, 0);
      System.arraycopy(next.text, 0, head, LogEntry.SIZE_BYTES, next.text.length);
      long at = now.nextSector * sectorBytes;
      io.write(at, ByteBuffer.wrap(head));
      if (next.data != null) {
        io.write(at + sectorBytes, next.data.asByteBuffer());
      } else {
        writeZeros(at + sectorBytes, data * sectorBytes);
      }
      end = new Position(now.entryCount + 1, after);
    };
  }

  private void writeZeros(long atBytes, long lengthBytes) throws IOException {
    ByteBuffer zeros = ByteBuffer.allocate(ZEROS_BYTES);
    for (long done = 0; done < lengthBytes; done += zeros.limit()) {
      zeros.clear().limit((int) Math.min(ZEROS_BYTES, lengthBytes - done));
      io.write(atBytes + done, zeros);
    }
  }

  private void writeSuper() throws IOException {
    byte[] sector = new byte[sectorBytes];
    LogSuper.of(end.entryCount, sectorBytes).encode(sector, 0);
    io.write(0, ByteBuffer.wrap(sector));
  }
}
