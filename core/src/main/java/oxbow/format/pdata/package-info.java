/**
 * The blocks of the kernel's persistent-data library: B-tree nodes, array blocks and the space map
 * (drivers/md/persistent-data, as of Linux 6.1). All are 4096 bytes, know their own place and carry
 * a checksum; see docs/format/clone.md.
 *
 * <p>A structure here is a window on 4096 bytes of a caller's array: the bytes are its state, so
 * that none is ever lost and a million of them can be read without copying. {@code decode} makes
 * the window, {@code encode} copies the bytes out; whoever wants the window to live on keeps the
 * array to itself.
 */
@NullMarked
package oxbow.format.pdata;

import org.jspecify.annotations.NullMarked;
