package oxbow.nbd.server;

import org.jspecify.annotations.Nullable;
import oxbow.block.BlockRequest;
import oxbow.block.Completion;
import oxbow.block.Errno;
import oxbow.block.Extents;
import oxbow.engine.IoBuffer;
import oxbow.nbd.wire.Nbd;
import oxbow.nbd.wire.ReplyChunk;

/**
 * A request that waits for the device, and what its reply needs. Made when first needed, then used
 * again and again by its connection.
 *
 * <p>Belongs to the loop, but from submission to completion to the device's thread; the
 * connection's queue of completed requests hands it back.
 */
final class Slot implements Completion, Extents {
  /** Bytes for the reply to BLOCK_STATUS. */
  static final int STATUS_BUFFER_BYTES = 4096;

  /** Most extents that fit there. */
  static final int MAX_EXTENTS =
      (STATUS_BUFFER_BYTES - ReplyChunk.BLOCK_STATUS_BYTES) / ReplyChunk.EXTENT_BYTES;

  final BlockRequest request = new BlockRequest();
  private final Transmission transmission;

  /** Link of the list that the slot is in: free, waiting for its reply, or being sent. */
  @Nullable Slot next;

  /** Payload; null for requests without. */
  @Nullable IoBuffer buffer;

  int command;
  int flags;
  long cookie;
  long offsetBytes;
  long lengthBytes;

  /** When the batch came that brought it, by the system's clock for durations. */
  long arrivedNanos;

  /** How it ended. */
  int errno;

  /** Of a DISCARD that the device takes in pieces: where the next piece begins. */
  long nextBytes;

  private int extentCount;
  private long extentsBytes;
  private int lastState;
  private int maxExtents;

  Slot(Transmission transmission) {
    this.transmission = transmission;
    request.context = this;
  }

  /** What it holds of the connection's memory. */
  int bufferBytes() {
    return buffer == null ? 0 : buffer.capacity();
  }

  /** What goes to or comes from the device for such a request. */
  static long payloadBytes(int command, long lengthBytes) {
    return command == Nbd.CMD_READ || command == Nbd.CMD_WRITE ? lengthBytes : 0;
  }

  @Override
  public void completed(BlockRequest ended, int result) {
    errno = result;
    transmission.completed(this);
  }

  /** Gets ready to receive extents into the buffer, right behind where the reply's header goes. */
  void expectExtents(int atMost) {
    maxExtents = atMost;
    extentCount = 0;
    extentsBytes = 0;
    lastState = -1;
  }

  /** Extents of equal state become one; none reaches beyond the range that was asked for. */
  @Override
  public void extent(long extentBytes, int state) {
    IoBuffer into = buffer;
    long length = Math.min(extentBytes, lengthBytes - extentsBytes);
    if (into == null || length <= 0) {
      return;
    }
    boolean isSame = state == lastState;
    if (!isSame && extentCount == maxExtents) {
      return;
    }
    int index = isSame ? extentCount - 1 : extentCount++;
    int at = ReplyChunk.BLOCK_STATUS_BYTES + index * ReplyChunk.EXTENT_BYTES;
    int before = isSame ? into.bytes().getInt(at) : 0;
    into.bytes().putInt(at, before + (int) length);
    into.bytes().putInt(at + Integer.BYTES, state & (HOLE | ZERO));
    lastState = state;
    extentsBytes += length;
  }

  @Override
  public void end(int result) {
    // A device that knows nothing of the first byte breaks its contract: that is an I/O error.
    errno = result == Errno.OK && extentCount == 0 ? Errno.EIO : result;
    transmission.completed(this);
  }

  int extentCount() {
    return extentCount;
  }
}
