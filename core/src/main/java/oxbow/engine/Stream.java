package oxbow.engine;

/**
 * A connected socket that belongs to one loop; all methods are called on that loop. At most one
 * receive and one send are outstanding. Ends are told to the {@link Handler}, possibly before the
 * call that caused them returns.
 */
public interface Stream {
  EventLoop loop();

  /** Receives at least 1 and at most {@code length} bytes into the buffer, then tells received. */
  void receive(IoBuffer into, int at, int length);

  /** Sends exactly {@code length} bytes, then tells sent. The buffer must not change until then. */
  void send(IoBuffer from, int at, int length);

  /** Closes the socket; afterwards the handler hears only {@code closed}, once. */
  void close();

  /** What happens on a stream. */
  interface Handler {
    /** Bytes have arrived where {@link Stream#receive} asked for them. */
    void received(int lengthBytes);

    /** All bytes given to {@link Stream#send} have left. */
    void sent();

    /**
     * The stream is gone; buffers are the handler's again.
     *
     * @param why for people; empty after an orderly end
     */
    void closed(String why);
  }
}
