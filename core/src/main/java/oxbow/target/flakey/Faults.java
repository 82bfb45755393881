package oxbow.target.flakey;

import java.util.Set;
import org.jspecify.annotations.Nullable;
import oxbow.block.Flags;
import oxbow.block.Operation;

/**
 * What goes wrong while the device is down, and for which requests. Without any of the first four
 * everything fails.
 *
 * @param dropsWrites writes, discards and flushes are answered and not done
 * @param failsWrites writes, discards and flushes fail
 * @param failsReads reads fail
 * @param corruption a byte is changed; null for none
 * @param hangs requests are held instead
 * @param hasShortReads a read that fails has brought its first half
 * @param operations those that are affected; discards and flushes on their own, unlike above
 * @param rangeStartSectors where on the target the affected range begins
 * @param rangeSectors its length; Long.MAX_VALUE for the rest of the target
 * @param errno of requests that fail
 * @param share which part of the requests is affected; null for all
 */
public record Faults(
    boolean dropsWrites,
    boolean failsWrites,
    boolean failsReads,
    @Nullable Corruption corruption,
    boolean hangs,
    boolean hasShortReads,
    Set<Operation> operations,
    long rangeStartSectors,
    long rangeSectors,
    int errno,
    @Nullable Share share) {

  /**
   * A byte of each request is another than it should be.
   *
   * @param position of the byte in the request's data, from 1
   * @param ofWrites in what is written, else in what is read
   * @param flagsMask only requests that have all of these bits of the kernel's bi_opf
   */
  public record Corruption(long position, boolean ofWrites, int value, long flagsMask) {
    private static final long OP_WRITE = 1;
    private static final long SYNC = 1 << 11;
    private static final long FUA = 1 << 17;

    /** Whether a request is one to corrupt. */
    boolean isFor(Operation operation, int flags) {
      long bits =
          operation == Operation.WRITE ? OP_WRITE | SYNC | ((flags & Flags.FUA) != 0 ? FUA : 0) : 0;
      return operation == (ofWrites ? Operation.WRITE : Operation.READ) && (flagsMask & ~bits) == 0;
    }
  }

  /**
   * Chance decides, reproducibly.
   *
   * @param percent above 0, at most 100
   */
  public record Share(double percent, long seed) {}

  /** What happens to a request. */
  enum Fate {
    PASS,
    FAIL,
    DROP,
    CORRUPT
  }

  /** Whether requests of a kind are affected at all. */
  boolean isFor(Operation operation) {
    // What brings data near is a read, and a write without data is a write.
    return operations.contains(
        switch (operation) {
          case READ, CACHE -> Operation.READ;
          case WRITE, WRITE_ZEROES -> Operation.WRITE;
          case FLUSH -> Operation.FLUSH;
          case DISCARD -> Operation.DISCARD;
        });
  }

  /** What happens while down to a request that is affected. */
  Fate fate(Operation operation, int flags) {
    boolean failsAll = !dropsWrites && !failsWrites && !failsReads && corruption == null;
    boolean isRead = operation == Operation.READ || operation == Operation.CACHE;
    if (failsAll || (isRead ? failsReads : failsWrites)) {
      return Fate.FAIL;
    }
    if (!isRead && dropsWrites) {
      return Fate.DROP;
    }
    return corruption != null && corruption.isFor(operation, flags) ? Fate.CORRUPT : Fate.PASS;
  }
}
