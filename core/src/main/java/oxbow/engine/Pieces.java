package oxbow.engine;

/**
 * A list of pieces of buffers that leave one after another. Reused: filled, sent, cleared. No buffer
 * stands in it twice, because its byte buffer can be at one position only.
 */
public final class Pieces {
  private final IoBuffer[] buffers;
  private int count;

  public Pieces(int capacity) {
    this.buffers = new IoBuffer[capacity];
  }

  /** Adds a piece; it must not change until {@link #clear}. */
  public void add(IoBuffer from, int at, int length) {
    from.bytes().clear().limit(at + length).position(at);
    buffers[count++] = from;
  }

  public int count() {
    return count;
  }

  public boolean isFull() {
    return count == buffers.length;
  }

  /** The buffer of a piece, with position and limit around what has still to leave. */
  IoBuffer get(int index) {
    return buffers[index];
  }

  /** Forgets all pieces. Only when they are not being sent. */
  public void clear() {
    count = 0;
  }
}
