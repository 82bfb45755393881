/** Tests of the NBD codecs. */
@NullMarked
package oxbow.nbd.wire;

import org.jspecify.annotations.NullMarked;
