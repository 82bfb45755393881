/**
 * As much of ext2, ext3 and ext4 as tells which blocks are free: superblock, group descriptors,
 * block bitmaps, and their checksums. For reading only.
 *
 * @see "docs/format/ext-free.md"
 */
@NullMarked
package oxbow.format.ext;

import org.jspecify.annotations.NullMarked;
