package oxbow.block;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;

/**
 * {@link BlockingIo} over a {@link BlockDevice}: submits and waits. One call at a time; the calling
 * thread must be one that may block, and is not interrupted out of an I/O that has begun.
 */
public final class BlockingDevice implements BlockingIo, AutoCloseable {
  private static final int BUFFER_BYTES = 1 << 20;

  private final BlockDevice device;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment buffer = arena.allocate(BUFFER_BYTES, 4096);
  private final ByteBuffer bufferBytes = buffer.asByteBuffer();
  private final BlockRequest request = new BlockRequest();
  private final Semaphore done = new Semaphore(0);
  private int errno;

  /** The device stays the caller's: {@link #close} releases only the buffer. */
  public BlockingDevice(BlockDevice device) {
    this.device = device;
  }

  @Override
  public String address() {
    return device.address();
  }

  @Override
  public long sizeBytes() {
    return device.sizeBytes();
  }

  @Override
  public @Nullable Remote remote() {
    return device.remote();
  }

  @Override
  public synchronized void read(long offsetBytes, ByteBuffer into) throws IOException {
    for (long at = offsetBytes; into.hasRemaining(); ) {
      int length = Math.min(into.remaining(), BUFFER_BYTES);
      run(Operation.READ, at, length);
      into.put(bufferBytes.slice(0, length));
      at += length;
    }
  }

  @Override
  public synchronized void write(long offsetBytes, ByteBuffer from) throws IOException {
    for (long at = offsetBytes; from.hasRemaining(); ) {
      int length = Math.min(from.remaining(), BUFFER_BYTES);
      bufferBytes.clear().put(from.slice(from.position(), length));
      run(Operation.WRITE, at, length);
      from.position(from.position() + length);
      at += length;
    }
  }

  @Override
  public synchronized void flush() throws IOException {
    run(Operation.FLUSH, 0, 0);
  }

  private void run(Operation operation, long offsetBytes, int lengthBytes) throws IOException {
    device.submit(request.data(operation, offsetBytes, buffer, 0, lengthBytes, 0, this::completed));
    done.acquireUninterruptibly();
    if (errno != Errno.OK) {
      throw new DeviceException(errno, device.address() + ": " + request + " failed");
    }
  }

  private void completed(BlockRequest ended, int result) {
    errno = result;
    done.release();
  }

  @Override
  public void close() {
    arena.close();
  }
}
