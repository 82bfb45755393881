/**
 * An NBD export as a block device: {@link oxbow.device.nbd.NbdDevice} cuts requests to what the
 * server takes, spreads them over connections, and keeps them over a loss of the connection until
 * {@link oxbow.device.nbd.Backoff} and patience decide. The protocol itself is in {@code
 * oxbow.nbd.client}.
 */
@NullMarked
package oxbow.device.nbd;

import org.jspecify.annotations.NullMarked;
