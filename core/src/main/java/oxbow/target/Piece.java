package oxbow.target;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import oxbow.block.Flags;
import oxbow.block.Operation;

/**
 * A request, or the part of one that a single mapping answer was for. Pooled by the frame. From
 * {@link Target#queue} until an effect hands it back ({@link Effects#issue}, {@link
 * Effects#complete}) it belongs to the core, which may use {@link #next} and {@link #waitsFor}.
 */
public class Piece {
  private Operation operation = Operation.FLUSH;
  private long offsetBytes;
  private long lengthBytes;
  private int flags;
  private MemorySegment data = MemorySegment.NULL;
  private long dataOffset;

  /** Link for the list the piece is in. */
  public @Nullable Piece next;

  /** A core's note of what the piece waits for; only that core reads it. */
  public @Nullable Object waitsFor;

  /**
   * Fills the piece in; {@code atDataOffset} is where its own first byte lies in {@code buffer}.
   */
  public final void set(
      Operation what, long atBytes, long length, int requestFlags, MemorySegment buffer, long at) {
    this.operation = what;
    this.offsetBytes = atBytes;
    this.lengthBytes = length;
    this.flags = requestFlags;
    this.data = buffer;
    this.dataOffset = at;
    this.next = null;
    this.waitsFor = null;
  }

  public final Operation operation() {
    return operation;
  }

  public final long offsetBytes() {
    return offsetBytes;
  }

  public final long lengthBytes() {
    return lengthBytes;
  }

  public final long endBytes() {
    return offsetBytes + lengthBytes;
  }

  /** Bits of {@link Flags}. */
  public final int flags() {
    return flags;
  }

  public final boolean isFua() {
    return (flags & Flags.FUA) != 0;
  }

  /** The user's memory; NULL for requests without data. */
  public final MemorySegment data() {
    return data;
  }

  public final long dataOffset() {
    return dataOffset;
  }

  @Override
  public String toString() {
    return operation + " " + offsetBytes + "+" + lengthBytes + (isFua() ? " FUA" : "");
  }
}
