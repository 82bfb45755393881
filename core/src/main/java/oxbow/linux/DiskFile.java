package oxbow.linux;

import java.io.IOException;
import java.lang.foreign.MemorySegment;

/**
 * An open file or block device, as the operating system shows it. May be used by several threads at
 * a time. Every call blocks as long as the disk takes, unless it says otherwise.
 *
 * <p>Results are at least 0, or an error number of {@link oxbow.block.Errno} (or any other of
 * Linux), negated; {@code -ENOTSUP} where this system, file system or implementation has no such
 * call. Reads and writes may be short. The memory given must be native and stay alive during the
 * call.
 */
public abstract class DiskFile implements AutoCloseable {
  /** How a file is opened. */
  public enum Mode {
    READ_ONLY,
    READ_WRITE,
    /** Fails with EEXIST when the path exists; otherwise an empty file, for reading and writing. */
    CREATE_NEW
  }

  public abstract FileFacts facts() throws IOException;

  /** Length of the file or block device in bytes, or an error. */
  public abstract long sizeBytes();

  /** Reads; 0 means that the file ends at or before the offset. */
  public abstract long read(long offsetBytes, MemorySegment data, long dataOffset, long length);

  /** Reads what lies in memory; -EAGAIN when that is nothing. Does not wait for the disk. */
  public abstract long readNow(long offsetBytes, MemorySegment data, long dataOffset, long length);

  /** Writes; usually into the page cache. */
  public abstract long write(long offsetBytes, MemorySegment data, long dataOffset, long length);

  /** Makes completed writes durable, with the metadata needed to read them back (fdatasync). */
  public abstract long flush();

  /** Frees the space of a range, which reads as zeros from then on. The size stays. */
  public abstract long punchHole(long offsetBytes, long lengthBytes);

  /** Makes a range read as zeros and keeps its space allocated. The size stays. */
  public abstract long zeroRange(long offsetBytes, long lengthBytes);

  /** Allocates space for a range; contents and size stay. */
  public abstract long allocate(long offsetBytes, long lengthBytes);

  /** Tells a block device that a range is of no use; it reads as anything from then on. */
  public abstract long discard(long offsetBytes, long lengthBytes);

  /** First byte at or after the offset that may be other than zero; -ENXIO when there is none. */
  public abstract long seekData(long offsetBytes);

  /** First byte at or after the offset that lies in a hole; the end of the file counts as one. */
  public abstract long seekHole(long offsetBytes);

  /** Cuts or extends the file; what is added reads as zeros and takes no space. */
  public abstract long resize(long sizeBytes);

  /** Starts to read a range into memory, some hundred KiB at most, without waiting for it. */
  public abstract long prefetch(long offsetBytes, long lengthBytes);

  /** How much of a range lies in the page cache, in whole pages; does not wait for the disk. */
  public abstract long cachedBytes(long offsetBytes, long lengthBytes);

  /**
   * Locks the file against other openings by this program, in this process or another; shared locks
   * go together. A shared lock can be made an exclusive one, which keeps it if that fails. The lock
   * lasts until {@link #close}. Does not wait.
   *
   * @return -EAGAIN when another opening is in the way
   */
  public abstract long lock(boolean isExclusive);

  /**
   * Makes the file durable with all its metadata (fsync), and, when it was just created, call
   * {@link DiskCalls#syncDirectory} too.
   */
  public abstract long flushAll();

  /**
   * Opens the same file once more, past the page cache (O_DIRECT): offsets, lengths and addresses
   * must then be multiples of what the disk asks for, or calls fail with -EINVAL.
   *
   * @throws IOException where this cannot be had; the page cache serves as well
   */
  public abstract DiskFile openDirect() throws IOException;

  @Override
  public abstract void close() throws IOException;
}
