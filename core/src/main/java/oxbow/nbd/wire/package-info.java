/**
 * The NBD protocol's bytes: constants, headers, error numbers. Knows neither sockets nor devices;
 * client and server share it. All codecs work at absolute positions of a big-endian buffer and make
 * no garbage.
 *
 * @see <a href="https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md">The NBD
 *     protocol</a>
 */
@NullMarked
package oxbow.nbd.wire;

import org.jspecify.annotations.NullMarked;
