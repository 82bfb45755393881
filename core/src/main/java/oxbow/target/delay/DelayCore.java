package oxbow.target.delay;

import java.util.ArrayDeque;
import java.util.List;
import java.util.function.IntToLongFunction;
import java.util.function.IntUnaryOperator;
import oxbow.block.Operation;
import oxbow.target.Effects;
import oxbow.target.Moment;
import oxbow.target.Piece;

/**
 * The requests that are kept back. All of one kind wait equally long, so each kind is a queue whose
 * head is due first.
 */
final class DelayCore {
  static final int READS = 0;
  static final int WRITES = 1;
  static final int FLUSHES = 2;

  private static final long NANOS_PER_MILLI = 1_000_000;

  /** A piece and when it is due. */
  private record Late(Piece piece, long dueNanos) {}

  private final DelayArgs args;
  private final IntUnaryOperator slotOf;
  private final IntToLongFunction offsetOf;
  private final List<ArrayDeque<Late>> late =
      List.of(new ArrayDeque<>(), new ArrayDeque<>(), new ArrayDeque<>());

  /** While a suspend waits for requests, none is kept back. */
  private boolean isSuspending;

  /**
   * @param slotOf the device of a kind
   * @param offsetOf where the target begins on it, in bytes
   */
  DelayCore(DelayArgs args, IntUnaryOperator slotOf, IntToLongFunction offsetOf) {
    this.args = args;
    this.slotOf = slotOf;
    this.offsetOf = offsetOf;
  }

  /** Discards and zeros are writes; what brings data near is a read. */
  static int kindOf(Operation operation) {
    return switch (operation) {
      case READ, CACHE -> READS;
      case WRITE, WRITE_ZEROES, DISCARD -> WRITES;
      case FLUSH -> FLUSHES;
    };
  }

  /** Whether requests of a kind are delayed at all; any thread. */
  boolean isDelayed(int kind) {
    return args.of(kind).delayMillis() > 0;
  }

  void queue(Piece piece, Moment now, Effects out) {
    int kind = kindOf(piece.operation());
    if (isSuspending) {
      issue(piece, kind, out);
      return;
    }
    long due = now.nanos() + args.of(kind).delayMillis() * NANOS_PER_MILLI;
    late.get(kind).add(new Late(piece, due));
    wakeForNext(out);
  }

  void wake(Moment now, Effects out) {
    for (int kind = READS; kind <= FLUSHES; kind++) {
      ArrayDeque<Late> queue = late.get(kind);
      while (!queue.isEmpty() && queue.getFirst().dueNanos() - now.nanos() <= 0) {
        issue(queue.removeFirst().piece(), kind, out);
      }
    }
    wakeForNext(out);
  }

  private void wakeForNext(Effects out) {
    boolean isAny = false;
    long next = 0;
    for (ArrayDeque<Late> queue : late) {
      if (!queue.isEmpty() && (!isAny || queue.getFirst().dueNanos() - next < 0)) {
        isAny = true;
        next = queue.getFirst().dueNanos();
      }
    }
    if (isAny) {
      out.wakeAt(next);
    }
  }

  void presuspend(Effects out) {
    isSuspending = true;
    for (int kind = READS; kind <= FLUSHES; kind++) {
      for (Late each : late.get(kind)) {
        issue(each.piece(), kind, out);
      }
      late.get(kind).clear();
    }
  }

  void resume() {
    isSuspending = false;
  }

  private void issue(Piece piece, int kind, Effects out) {
    long base = piece.operation() == Operation.FLUSH ? 0 : offsetOf.applyAsLong(kind);
    out.issue(piece, slotOf.applyAsInt(kind), base + piece.offsetBytes());
  }

  /** Requests kept back: reads, writes, flushes. */
  String status() {
    return late.get(READS).size() + " " + late.get(WRITES).size() + " " + late.get(FLUSHES).size();
  }
}
