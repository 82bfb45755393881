package oxbow.block;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * One request to a {@link BlockDevice}. Mutable and reused: whoever issues requests keeps a few
 * slots and fills them in again, so that the data path makes no garbage.
 *
 * <p>Between {@link BlockDevice#submit} and {@link Completion#completed} the request belongs to the
 * device, which may set {@link #next} and {@link #owner} but leaves all else as it is.
 */
public final class BlockRequest {
  private Operation operation = Operation.FLUSH;
  private long offsetBytes;
  private long lengthBytes;
  private int flags;
  private MemorySegment data = MemorySegment.NULL;
  private long dataOffset;
  private @Nullable Completion completion;

  /** Link for a queue of whoever holds the request now. */
  public @Nullable BlockRequest next;

  /** For the present holder's own use, e.g. the device that a worker thread will execute it on. */
  public @Nullable Object owner;

  /** For the issuer's own use; devices leave it alone. */
  public @Nullable Object context;

  /** A read or write of {@code lengthBytes} at {@code data[dataOffset]}, native memory. */
  public BlockRequest data(
      Operation readOrWrite,
      long atBytes,
      MemorySegment buffer,
      long bufferOffset,
      long length,
      int requestFlags,
      Completion whenDone) {
    this.operation = readOrWrite;
    this.offsetBytes = atBytes;
    this.data = buffer;
    this.dataOffset = bufferOffset;
    this.lengthBytes = length;
    this.flags = requestFlags;
    this.completion = whenDone;
    return this;
  }

  /** A request without data: DISCARD, WRITE_ZEROES, CACHE. */
  public BlockRequest range(
      Operation dataless, long atBytes, long length, int requestFlags, Completion whenDone) {
    return data(dataless, atBytes, MemorySegment.NULL, 0, length, requestFlags, whenDone);
  }

  /** A flush of the whole device. */
  public BlockRequest flush(Completion whenDone) {
    return data(Operation.FLUSH, 0, MemorySegment.NULL, 0, 0, 0, whenDone);
  }

  public Operation operation() {
    return operation;
  }

  public long offsetBytes() {
    return offsetBytes;
  }

  public long lengthBytes() {
    return lengthBytes;
  }

  public long endBytes() {
    return offsetBytes + lengthBytes;
  }

  /** Whether the range lies within a device of that size; none of its parts is negative. */
  public boolean isWithin(long sizeBytes) {
    return offsetBytes >= 0 && lengthBytes >= 0 && lengthBytes <= sizeBytes - offsetBytes;
  }

  /** Bits of {@link Flags}. */
  public int flags() {
    return flags;
  }

  public boolean isFua() {
    return (flags & Flags.FUA) != 0;
  }

  /** Native memory; NULL for requests without data. */
  public MemorySegment data() {
    return data;
  }

  /** Where in {@link #data} the first byte lies. */
  public long dataOffset() {
    return dataOffset;
  }

  /** Ends the request. Called exactly once by the device, with nothing of the request in use. */
  public void complete(int errno) {
    Completion whenDone = completion;
    if (whenDone == null) {
      throw new IllegalStateException("completed twice or never submitted: " + this);
    }
    completion = null;
    whenDone.completed(this, errno);
  }

  @Override
  public String toString() {
    return operation + " " + offsetBytes + "+" + lengthBytes + (isFua() ? " FUA" : "");
  }
}
