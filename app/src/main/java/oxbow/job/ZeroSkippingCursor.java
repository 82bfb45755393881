package oxbow.job;

import org.jspecify.annotations.Nullable;
import oxbow.block.BlockDevice;

/**
 * Walks along two devices and hands out one piece after the other: either short enough for a
 * buffer, or of any length where both devices say that it reads as zeros. Any thread may ask.
 */
final class ZeroSkippingCursor {
  private static final long ALIGNMENT_BYTES = 4096;

  private final ExtentWalk walkA;
  private final ExtentWalk walkB;
  private final long endBytes;
  private final int maxDataBytes;
  private long atBytes;

  /** A piece of both devices. */
  record Chunk(long offsetBytes, long lengthBytes, boolean isZero) {}

  ZeroSkippingCursor(BlockDevice a, BlockDevice b, long endBytes, int maxDataBytes) {
    this.walkA = new ExtentWalk(a);
    this.walkB = new ExtentWalk(b);
    this.endBytes = endBytes;
    this.maxDataBytes = maxDataBytes;
  }

  /** The next piece, or null at the end. May block. */
  synchronized @Nullable Chunk next() {
    if (atBytes >= endBytes) {
      return null;
    }
    ExtentWalk.Extent inA = walkA.at(atBytes, endBytes);
    ExtentWalk.Extent inB = walkB.at(atBytes, endBytes);
    long zeroUntil = endOfZeros(inA, inB);
    boolean isZero = zeroUntil > atBytes;
    long until = isZero ? zeroUntil : Math.min(endBytes, atBytes + maxDataBytes);
    Chunk chunk = new Chunk(atBytes, until - atBytes, isZero);
    atBytes = until;
    return chunk;
  }

  /** Pieces begin at multiples of any device's block size, hence zeros end at one or at the end. */
  private long endOfZeros(ExtentWalk.Extent inA, ExtentWalk.Extent inB) {
    if (!inA.isZero() || !inB.isZero()) {
      return atBytes;
    }
    long until = Math.min(inA.endBytes(), inB.endBytes());
    return until >= endBytes ? endBytes : until - until % ALIGNMENT_BYTES;
  }
}
