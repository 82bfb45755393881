package oxbow.engine;

import java.net.SocketAddress;

/** A listening socket. */
public interface Listener extends AutoCloseable {
  /** Where it listens, with the port that was picked. */
  SocketAddress address();

  /**
   * Accepts no more; when it returns the address is free (on a loop: soon after). Accepted streams
   * live on. Further calls do nothing.
   */
  @Override
  void close();

  /** Receives new connections. */
  interface Acceptor {
    /**
     * A peer has connected; called on {@code stream.loop()}. Sets the stream's handler and may
     * begin to send and receive, or closes it.
     */
    void accepted(Stream stream);
  }
}
