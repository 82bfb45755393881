package oxbow.engine;

/**
 * A connected socket that belongs to one loop; all methods are called on that loop. At most one
 * receive and one send are outstanding.
 *
 * <p>What can be done at once is done within the call and said by its return value; the end of what
 * has to wait is told to the {@link Handler} later. The handler is never called from within a call:
 * a burst of bytes cannot become a deep recursion.
 */
public interface Stream {
  EventLoop loop();

  /** The other end, for people; a Unix peer has no name of its own and is called by our address. */
  String peer();

  /**
   * Grows whenever the peer shows that it lives: bytes have arrived, or a send that had to wait for
   * room could go on. What the system takes into its buffers by itself does not count.
   */
  long signsOfLife();

  /** Sets who hears what happens. Once, before the first receive or send. */
  void handler(Handler handler);

  /**
   * Receives at least 1 and at most {@code length} bytes into the buffer, which the stream owns
   * until the end.
   *
   * @param length at least 1
   * @return how many bytes have arrived at once, or 0 when {@link Handler#received} or {@link
   *     Handler#closed} will tell
   */
  int receive(IoBuffer into, int at, int length);

  /**
   * Sends exactly {@code length} bytes. The buffer must not change until they have left.
   *
   * @return true when all have left at once, false when {@link Handler#sent} or {@link
   *     Handler#closed} will tell
   */
  boolean send(IoBuffer from, int at, int length);

  /** Sends several pieces in order, as if they were one; like {@link #send(IoBuffer, int, int)}. */
  boolean send(Pieces pieces);

  /**
   * Closes the socket; bytes already given to {@code send} and told as sent still reach the peer.
   * Afterwards the handler hears only {@code closed}, once, soon. Further calls do nothing.
   */
  void close();

  /** What happens on a stream; called on its loop. */
  interface Handler {
    /** Bytes have arrived where a {@link Stream#receive} that returned 0 asked for them. */
    void received(int lengthBytes);

    /** All bytes of a {@link Stream#send} that returned false have left. */
    void sent();

    /**
     * The stream is gone, by whichever end; buffers are the handler's again.
     *
     * @param why for people; empty after {@link Stream#close} and when the peer ended it in order
     */
    void closed(String why);
  }
}
