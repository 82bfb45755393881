package oxbow.engine;

import java.nio.ByteBuffer;

/**
 * A list of pieces of buffers that leave one after another. Reused: filled, sent, cleared. The same
 * buffer may stand in it several times.
 */
public final class Pieces {
  private final IoBuffer[] buffers;
  private final int[] starts;
  private final int[] ends;
  private int count;

  /** A list of at most so many pieces. */
  public Pieces(int capacity) {
    this.buffers = new IoBuffer[capacity];
    this.starts = new int[capacity];
    this.ends = new int[capacity];
  }

  /** Adds a piece; it must not change until it has been sent. */
  public void add(IoBuffer from, int at, int length) {
    buffers[count] = from;
    starts[count] = at;
    ends[count] = at + length;
    count++;
  }

  public int count() {
    return count;
  }

  /** How many more can be added. */
  public int room() {
    return buffers.length - count;
  }

  /** The bytes of a piece, from position to limit; good until the next call. */
  ByteBuffer select(int index) {
    return buffers[index].transferred(starts[index], ends[index]);
  }

  /** The selected piece has left in part: remembers how far. */
  void advance(int index) {
    starts[index] = buffers[index].transferredTo();
  }

  /** Forgets all pieces. Only when they are not being sent. */
  public void clear() {
    count = 0;
  }
}
