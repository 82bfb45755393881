package oxbow.nbd.server;

import java.net.InetSocketAddress;
import java.time.Duration;
import oxbow.nbd.wire.Nbd;

/**
 * Limits of a server (N3).
 *
 * @param maxConnections of all exports together; further clients are hung up on
 * @param handshakeTimeout from the connection to the choice of an export
 * @param maxRequestsInFlight of one connection, as far as they have to wait for the device
 * @param maxBytesInFlight payload of these requests; one request is always let in, whatever its
 *     size
 * @param maxRequestsPerTurn how many requests of one connection are handled before the other
 *     connections of its loop get their turn
 * @param isRemoteAllowed whether TCP addresses other than loopback may be listened on: NBD without
 *     TLS knows neither secrecy nor passwords
 * @param isListingAllowed whether clients that ask are told the names of all exports
 */
public record ServerOptions(
    int maxConnections,
    Duration handshakeTimeout,
    int maxRequestsInFlight,
    long maxBytesInFlight,
    int maxRequestsPerTurn,
    boolean isRemoteAllowed,
    boolean isListingAllowed) {

  /** What suits most. */
  public static final ServerOptions DEFAULT =
      new ServerOptions(
          128, Duration.ofSeconds(10), 128, 2L * Nbd.MAX_PAYLOAD_BYTES, 128, false, true);

  /** Checks that something is possible at all. */
  public ServerOptions {
    if (maxConnections < 1 || maxRequestsInFlight < 1 || maxRequestsPerTurn < 1) {
      throw new IllegalArgumentException("limits of an NBD server must be at least 1");
    }
  }

  /** The same with another limit of connections. */
  public ServerOptions withMaxConnections(int connections) {
    return new ServerOptions(
        connections,
        handshakeTimeout,
        maxRequestsInFlight,
        maxBytesInFlight,
        maxRequestsPerTurn,
        isRemoteAllowed,
        isListingAllowed);
  }

  /** The same with another time to negotiate. */
  public ServerOptions withHandshakeTimeout(Duration timeout) {
    return new ServerOptions(
        maxConnections,
        timeout,
        maxRequestsInFlight,
        maxBytesInFlight,
        maxRequestsPerTurn,
        isRemoteAllowed,
        isListingAllowed);
  }

  /** The same with other limits of what one connection may have in flight. */
  public ServerOptions withInFlight(int requests, long bytes) {
    return new ServerOptions(
        maxConnections,
        handshakeTimeout,
        requests,
        bytes,
        maxRequestsPerTurn,
        isRemoteAllowed,
        isListingAllowed);
  }

  /** The same, for other machines too. */
  public ServerOptions withRemoteAllowed() {
    return new ServerOptions(
        maxConnections,
        handshakeTimeout,
        maxRequestsInFlight,
        maxBytesInFlight,
        maxRequestsPerTurn,
        true,
        isListingAllowed);
  }

  /** The same, with exports that only those find who know their names. */
  public ServerOptions withoutListing() {
    return new ServerOptions(
        maxConnections,
        handshakeTimeout,
        maxRequestsInFlight,
        maxBytesInFlight,
        maxRequestsPerTurn,
        isRemoteAllowed,
        false);
  }

  /**
   * Whether a server may listen there.
   *
   * @param at resolved
   */
  public boolean allows(InetSocketAddress at) {
    return isRemoteAllowed || at.getAddress().isLoopbackAddress();
  }
}
