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
 *       negotiate) is bounded, and what all of an export may have at its device; at a bound we stop
 *       receiving from that peer.
 *   <li><b>N4</b> Requests are checked here, once: range, alignment, flags, read-only. Devices
 *       assert.
 *   <li><b>N5</b> In steady state a request makes no garbage.
 *   <li><b>N6</b> Who waits for others of its export gets its turn: first come, first served.
 *   <li><b>N7</b> A request that a device has carried out is counted once, also when its client is
 *       gone; counting takes no lock and writes nothing that another loop writes.
 * </ul>
 */
@NullMarked
package oxbow.nbd.server;

import org.jspecify.annotations.NullMarked;
