/**
 * The words everyone shares: requests, sectors, errors, and the one interface of whatever stores
 * blocks. A mapped device is a {@link oxbow.block.BlockDevice}; that is all stacking is.
 */
@NullMarked
package oxbow.block;

import org.jspecify.annotations.NullMarked;
