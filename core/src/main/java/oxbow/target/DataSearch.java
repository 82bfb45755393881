package oxbow.target;

import java.io.IOException;
import java.nio.ByteBuffer;
import oxbow.block.BlockingIo;

/**
 * Looks for data on a device that shall be formatted (O11): zeros at its start do not prove it
 * empty, since ext4, btrfs and ISO images begin with zeros too. Reads with one buffer; blocks,
 * changes nothing.
 */
public final class DataSearch {
  public static final int BUFFER_BYTES = 1 << 20;

  /** File systems mark whole blocks of this size. */
  private static final int BLOCK_BYTES = 4096;

  private final BlockingIo device;
  private final byte[] buffer = new byte[BUFFER_BYTES];

  /** A search that has not begun. */
  public DataSearch(BlockingIo device) {
    this.device = device;
  }

  /** What was read last, at its beginning; the next read replaces it. */
  public byte[] buffer() {
    return buffer;
  }

  /** Fills the buffer as far as the device goes; returns how far that is. */
  public int read(long offsetBytes) throws IOException {
    int length = (int) Math.min(BUFFER_BYTES, device.sizeBytes() - offsetBytes);
    device.read(offsetBytes, ByteBuffer.wrap(buffer, 0, length));
    return length;
  }

  /**
   * Where in the places that are looked at the first byte is not zero: the first and the last MiB
   * (partition tables, RAID and ZFS mark the end too), and a block at every power of two (there
   * ext4 and btrfs have copies of their superblocks). -1 when all are zero.
   */
  public long find() throws IOException {
    long size = device.sizeBytes();
    long dataAt = firstDataAt(0, BUFFER_BYTES);
    for (long at = BUFFER_BYTES; dataAt < 0 && at > 0 && at < size; at *= 2) {
      dataAt = firstDataAt(at, BLOCK_BYTES);
    }
    return dataAt < 0 ? firstDataAt(Math.max(0, size - BUFFER_BYTES), BUFFER_BYTES) : dataAt;
  }

  private long firstDataAt(long offsetBytes, int lengthBytes) throws IOException {
    int found = firstData(0, Math.min(lengthBytes, read(offsetBytes)));
    return found < 0 ? -1 : offsetBytes + found;
  }

  /** Index of the first byte of a part of the buffer that is not zero; -1 if there is none. */
  public int firstData(int from, int to) {
    for (int i = from; i < to; i++) {
      if (buffer[i] != 0) {
        return i;
      }
    }
    return -1;
  }
}
