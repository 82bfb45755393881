/**
 * Backup on write: {@code bow <device> [1 block_size:<bytes>]}. A device can be changed, and later
 * be committed or put back, without a second device: what is overwritten is first copied into space
 * that the file system has declared free by discarding it. A log in block 0 says what was copied
 * where.
 *
 * <p>State 0 (trim) collects discards; 1 (checkpoint) saves; 2 (committed) passes everything
 * through. Only 0 to 1 and 1 to 2 are possible. State is not stored: a device with a log is put
 * back or committed offline before it is mapped again.
 *
 * <p>Status: {@code <state> <free bytes> <log entries> <log blocks> <backed up bytes> <sequence>
 * <gained bytes>}. Messages: {@code checkpoint} or {@code state 1}, {@code commit} or {@code state
 * 2}, {@code state}, {@code when_full fail|commit|stop}, {@code warn_at <percent>}, {@code free
 * <first sector> <sectors>}, {@code ranges}.
 *
 * <p>Invariants:
 *
 * <ul>
 *   <li>B1. In state 0 a block is free only if it was discarded, or said to be free, after the last
 *       write to any part of it. Only free blocks are ever used for copies.
 *   <li>B2. In state 1 a write reaches a block that was not free only when the block's copy is
 *       durable and, after that, its entry in the log.
 *   <li>B3. A block's bit in the view is set, in state 1, before the first write reaches it and
 *       after B2 holds; it is never cleared. So whoever finds it set needs no lock.
 *   <li>B4. A block that is being saved, and the block that it is saved to, have one owner until
 *       the entry is durable; writes to either wait for it in arrival order.
 *   <li>B5. A copy is begun only when there is room for its entry in the log in block 0, or in the
 *       next one and a block is kept back to save the log to. So chaining never fails for space.
 *   <li>B6. Block 0 of the device is written by the log only, as long as there is one; users find
 *       theirs elsewhere, and nobody reads or writes it while that place changes.
 *   <li>B7. Whoever sends something down that may have to be waited for takes a ticket, then looks
 *       at the view; the core changes the view, then waits for tickets. Who gives a ticket back
 *       without sending anything queues a piece, and the core looks again when it comes.
 *   <li>B8. When a write or a flush for the log has failed nobody knows what the log on disk says:
 *       from then on nothing is saved, what needs that fails, and so do flushes, until a commit
 *       succeeds. The log that is there stays good for going back.
 * </ul>
 *
 * @see "docs/targets/bow.md, docs/format/bow.md"
 */
@NullMarked
package oxbow.target.bow;

import org.jspecify.annotations.NullMarked;
