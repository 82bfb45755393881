/**
 * The kernel's persistent-data library over a {@link oxbow.block.BlockingIo}: space map, B-tree,
 * array and bitset, changed in transactions that a crash leaves whole or not begun. It holds what
 * dm-clone needs; formats of the blocks are in {@link oxbow.format.pdata}.
 *
 * <p>The state of the world is what is reachable from the superblock. Invariants:
 *
 * <ul>
 *   <li>P1. No block reachable from the last durable superblock is ever written, except block 0. To
 *       change a block, its new contents go to a free one, and so up to the root.
 *   <li>P2. A block is allocated only if it is free both in the committed space map and in the new
 *       one: what a transaction frees is reused after its commit.
 *   <li>P3. All blocks are durable before the superblock that points at them is written, and the
 *       superblock is durable before the commit has succeeded ({@link BlockManager#commit}).
 *   <li>P4. After a failure everything in memory is forgotten and read again; nothing of these
 *       classes is used on.
 * </ul>
 *
 * <p>All methods may block. Objects belong to one thread at a time.
 */
@NullMarked
package oxbow.pdata;

import org.jspecify.annotations.NullMarked;
