/**
 * The client's side of the NBD protocol, one connection at a time: addresses, the handshake as a
 * table of states, commands with their slots, and the reading of replies. {@link
 * oxbow.nbd.client.Negotiation}, {@link oxbow.nbd.client.ReplyReader} and {@link
 * oxbow.nbd.client.SlotTable} eat bytes and never touch a socket; {@link
 * oxbow.nbd.client.Connection} puts them on a stream. What to do when a connection ends is not
 * decided here but by the device on top, {@code oxbow.device.nbd}.
 *
 * <p>The protocol: the NBD project's doc/proto.md (handshake, transmission) and doc/uri.md.
 */
@NullMarked
package oxbow.nbd.client;

import org.jspecify.annotations.NullMarked;
