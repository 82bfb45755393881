/**
 * The NBD server. A connection begins with the negotiation, a table of states that eats bytes and
 * never touches a socket, and goes on with the transmission: one receive brings a batch of
 * requests, each is carried out at once where the device can do so without waiting, straight from
 * the receive buffer or into the send buffer, and one send answers them all. What has to wait takes
 * a slot and is answered, out of order, when the device has completed it.
 *
 * <p>Invariants:
 *
 * <ul>
 *   <li><b>N1</b> A bad peer costs its own connection, never the loop or another connection.
 *   <li><b>N2</b> Memory that a device may still touch is reused only after the device has
 *       completed the request, also when the connection died long before.
 *   <li><b>N3</b> What a connection may hold (slots, payload bytes, option bytes, time to
 *       negotiate) is bounded; at a bound we stop receiving from that peer.
 *   <li><b>N4</b> Requests are checked here, once: range, alignment, flags, read-only. Devices
 *       assert.
 *   <li><b>N5</b> In steady state a request makes no garbage.
 * </ul>
 */
@NullMarked
package oxbow.nbd.server;

import org.jspecify.annotations.NullMarked;
