package oxbow.nbd.server;

/**
 * Hears of clients and of what goes wrong for them. Called on event loops, outside locks; must not
 * block or throw. Nothing is filtered: a dying disk fails thousands of requests a second.
 */
public interface ServerListener {
  /** Hears nothing. */
  ServerListener NONE = new ServerListener() {};

  /** A client has chosen an export. */
  default void connected(Client client) {}

  /** It is gone, and the device has given back all it had of it. */
  default void disconnected(Client client) {}

  /** A request is answered with an error, or has failed after its client was gone. */
  default void requestFailed(FailedRequest request) {}

  /**
   * A client of an export.
   *
   * @param connection a number that no other connection of the server has had
   * @param peer the other end, for people
   * @param exportName the export's present name
   */
  record Client(long connection, String peer, String exportName) {}

  /**
   * A request that was not carried out.
   *
   * @param command as the protocol calls it, without CMD
   * @param cookie the client's own mark of the request
   * @param offsetBytes unsigned, as on the wire: it may be nonsense
   * @param lengthBytes 0 to 2^32 - 1
   * @param errno why, as the device or the check of the request has it
   */
  record FailedRequest(
      Client client, String command, long cookie, long offsetBytes, long lengthBytes, int errno) {
    /** As it stands in traces of other programs: 16 digits. */
    public String cookieHex() {
      return String.format("%016x", cookie);
    }
  }
}
