package oxbow.target.snapshot;

import java.io.IOException;
import java.nio.ByteBuffer;
import oxbow.block.BlockingIo;
import oxbow.block.DeviceException;
import oxbow.block.Errno;
import oxbow.format.snapshot.ExceptionArea;

/** Reads the end of a store's table, at most 1 MiB of one area, where that may block. */
final class TailRead {
  private final long firstEntry;
  private final int count;
  private final long offsetBytes;
  private final byte[] bytes;

  /**
   * @param firstEntry the first of a sector
   * @param lengthBytes whole sectors
   */
  TailRead(long firstEntry, int count, long offsetBytes, int lengthBytes) {
    this.firstEntry = firstEntry;
    this.count = count;
    this.offsetBytes = offsetBytes;
    this.bytes = new byte[lengthBytes];
  }

  /** Blocks. Returns 0 or an error number; EIO also if the entries are not there any more. */
  int run(BlockingIo store) {
    try {
      store.read(offsetBytes, ByteBuffer.wrap(bytes));
    } catch (DeviceException e) {
      return e.errno();
    } catch (IOException e) {
      return Errno.EIO;
    }
    return ExceptionArea.over(bytes, bytes.length).terminator(0) < count ? Errno.EIO : Errno.OK;
  }

  /** What was read; may be taken once. */
  EntryWindow window() {
    return new EntryWindow(firstEntry, bytes, count);
  }
}
