/** Tests of the NBD server: over bytes, over real sockets, and with other people's clients. */
@NullMarked
package oxbow.nbd.server;

import org.jspecify.annotations.NullMarked;
