package oxbow.device.mem;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockDevice;
import oxbow.block.BlockRequest;
import oxbow.block.ByteSize;
import oxbow.block.Errno;
import oxbow.block.Extents;
import oxbow.block.Limits;

/**
 * Bytes in memory, gone at the end of the process. Memory is taken piece by piece, for what has
 * been written; a discarded piece goes back to the garbage collector. All calls end at once, on the
 * calling thread; overlapping requests in flight together may mix, as on any device.
 */
public final class MemDevice implements BlockDevice {
  /** Beyond this the table of pieces alone would be a burden. */
  public static final long MAX_SIZE_BYTES = 64L << 40;

  private static final long MIN_PIECE_BYTES = 64 << 10;
  private static final long MAX_PIECES = 1 << 20;
  private static final Limits LIMITS =
      new Limits(false, 1, true, Long.MAX_VALUE, true, true, false);

  private final long sizeBytes;
  private final long pieceBytes;

  /** A null piece reads as zeros. */
  private final AtomicReferenceArray<@Nullable MemorySegment> pieces;

  /**
   * @throws IllegalArgumentException beyond {@link #MAX_SIZE_BYTES}
   */
  public MemDevice(long sizeBytes) {
    if (sizeBytes < 0 || sizeBytes > MAX_SIZE_BYTES) {
      throw new IllegalArgumentException(
          "mem:" + ByteSize.format(sizeBytes) + ": at most " + ByteSize.format(MAX_SIZE_BYTES));
    }
    this.sizeBytes = sizeBytes;
    long piece = MIN_PIECE_BYTES;
    while (sizeBytes / piece >= MAX_PIECES) {
      piece *= 2;
    }
    this.pieceBytes = piece;
    this.pieces = new AtomicReferenceArray<>(Math.toIntExact((sizeBytes + piece - 1) / piece));
  }

  @Override
  public String address() {
    return "mem:" + ByteSize.format(sizeBytes);
  }

  @Override
  public long sizeBytes() {
    return sizeBytes;
  }

  @Override
  public Limits limits() {
    return LIMITS;
  }

  @Override
  public int readNow(long offsetBytes, MemorySegment data, long dataOffset, int lengthBytes) {
    return read(offsetBytes, data, dataOffset, lengthBytes);
  }

  @Override
  public int writeNow(long offsetBytes, MemorySegment data, long dataOffset, int lengthBytes) {
    return write(offsetBytes, data, dataOffset, lengthBytes);
  }

  @Override
  public void submit(BlockRequest request) {
    request.complete(request.isWithin(sizeBytes) ? execute(request) : Errno.EINVAL);
  }

  private int execute(BlockRequest request) {
    return switch (request.operation()) {
      case READ ->
          read(request.offsetBytes(), request.data(), request.dataOffset(), request.lengthBytes());
      case WRITE ->
          write(request.offsetBytes(), request.data(), request.dataOffset(), request.lengthBytes());
      case DISCARD, WRITE_ZEROES -> zero(request.offsetBytes(), request.endBytes());
      case FLUSH, CACHE -> Errno.OK;
    };
  }

  private int read(long offsetBytes, MemorySegment data, long dataOffset, long lengthBytes) {
    for (long done = 0; done < lengthBytes; ) {
      long at = offsetBytes + done;
      long length = Math.min(lengthBytes - done, pieceBytes - at % pieceBytes);
      MemorySegment piece = pieces.get((int) (at / pieceBytes));
      if (piece == null) {
        data.asSlice(dataOffset + done, length).fill((byte) 0);
      } else {
        MemorySegment.copy(piece, at % pieceBytes, data, dataOffset + done, length);
      }
      done += length;
    }
    return Errno.OK;
  }

  private int write(long offsetBytes, MemorySegment data, long dataOffset, long lengthBytes) {
    for (long done = 0; done < lengthBytes; ) {
      long at = offsetBytes + done;
      long length = Math.min(lengthBytes - done, pieceBytes - at % pieceBytes);
      MemorySegment piece = pieceForWriting((int) (at / pieceBytes));
      if (piece == null) {
        return Errno.ENOSPC;
      }
      MemorySegment.copy(data, dataOffset + done, piece, at % pieceBytes, length);
      done += length;
    }
    return Errno.OK;
  }

  /** Null when there is no more memory. */
  private @Nullable MemorySegment pieceForWriting(int index) {
    MemorySegment piece = pieces.get(index);
    if (piece != null) {
      return piece;
    }
    try {
      // Freed once nobody holds it: a reader may still be in a piece that is being discarded.
      MemorySegment fresh = Arena.ofAuto().allocate(pieceBytes, Long.BYTES);
      MemorySegment earlier = pieces.compareAndExchange(index, null, fresh);
      return earlier == null ? fresh : earlier;
    } catch (OutOfMemoryError nativeMemoryIsUsedUp) {
      return null;
    }
  }

  private int zero(long offsetBytes, long endBytes) {
    for (long at = offsetBytes; at < endBytes; ) {
      int index = (int) (at / pieceBytes);
      long pieceStart = index * pieceBytes;
      long end = Math.min(endBytes, pieceStart + pieceBytes);
      MemorySegment piece = pieces.get(index);
      if (at == pieceStart && end == Math.min(sizeBytes, pieceStart + pieceBytes)) {
        pieces.set(index, null);
      } else if (piece != null) {
        piece.asSlice(at - pieceStart, end - at).fill((byte) 0);
      }
      at = end;
    }
    return Errno.OK;
  }

  @Override
  public void extents(long offsetBytes, long lengthBytes, int maxExtents, Extents receiver) {
    long end = offsetBytes + lengthBytes;
    long at = offsetBytes;
    for (int reported = 0; reported < maxExtents && at < end; reported++) {
      int index = (int) (at / pieceBytes);
      boolean isHole = pieces.get(index) == null;
      do {
        index++;
      } while (index < pieces.length()
          && index * pieceBytes < end
          && (pieces.get(index) == null) == isHole);
      long extentEnd = Math.min(end, index * pieceBytes);
      receiver.extent(extentEnd - at, isHole ? Extents.HOLE | Extents.ZERO : 0);
      at = extentEnd;
    }
    receiver.end(Errno.OK);
  }

  @Override
  public void close() {
    for (int i = 0; i < pieces.length(); i++) {
      pieces.set(i, null);
    }
  }
}
