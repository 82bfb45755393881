package oxbow.target.flakey;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.SplittableRandom;
import oxbow.block.Errno;
import oxbow.block.Operation;
import oxbow.block.Sectors;
import oxbow.target.Effects;
import oxbow.target.Job;
import oxbow.target.MessageException;
import oxbow.target.Moment;
import oxbow.target.Piece;
import oxbow.target.Underlay;

/**
 * Whether the device works now, and what happens to requests when it does not. Intervals count from
 * the first resume; a message overrules them until another gives them back their say.
 */
final class FlakeyCore {
  private static final long NANOS_PER_SECOND = 1_000_000_000;

  /** What the rest of a short read's buffer holds: nothing that anybody wrote. */
  private static final byte JUNK = (byte) 0xDB;

  /** What the last message has asked for. */
  private enum Order {
    INTERVALS,
    FAIL,
    HANG,
    HEAL
  }

  /** The device's answer is awaited, for something to be done with it. */
  private static final class Pending extends Job {
    final Piece piece;
    final boolean isCorrupted;

    Pending(Piece piece, boolean isCorrupted) {
      this.piece = piece;
      this.isCorrupted = isCorrupted;
    }
  }

  private final FlakeyArgs args;
  private final Faults faults;
  private final Underlay below;
  private final long rangeStartBytes;
  private final long rangeEndBytes;
  private final SplittableRandom random;
  private final ArrayDeque<Piece> held = new ArrayDeque<>();
  private Order order = Order.INTERVALS;
  private boolean hasStarted;
  private long startNanos;

  /** While a suspend waits for requests, none is held. */
  private boolean isSuspending;

  /** Read by any thread; written under the owner's lock. */
  private volatile boolean isDown;

  FlakeyCore(FlakeyArgs args, Underlay below) {
    this.args = args;
    this.faults = args.faults();
    this.below = below;
    this.rangeStartBytes = bytes(faults.rangeStartSectors());
    this.rangeEndBytes = rangeStartBytes + bytes(faults.rangeSectors());
    Faults.Share share = faults.share();
    this.random = new SplittableRandom(share == null ? 0 : share.seed());
    this.isDown = args.upSeconds() == 0;
  }

  // Any thread.

  /** Whether something may happen to such requests now. */
  boolean mayAffect(Operation operation) {
    return isDown && faults.isFor(operation);
  }

  boolean isInRange(long offsetBytes) {
    return offsetBytes >= rangeStartBytes && offsetBytes < rangeEndBytes;
  }

  /** How much of a request lies as its first byte does: within the range or outside. */
  long sameRangeBytes(long offsetBytes, long lengthBytes) {
    long border = offsetBytes < rangeStartBytes ? rangeStartBytes : rangeEndBytes;
    return offsetBytes < border ? Math.min(lengthBytes, border - offsetBytes) : lengthBytes;
  }

  // Under the owner's lock.

  void resume(Moment now, Effects out) {
    isSuspending = false;
    if (!hasStarted) {
      hasStarted = true;
      startNanos = now.nanos();
    }
    look(now, out);
  }

  /** Brings {@link #isDown} up to date, and has itself called when it changes next. */
  void look(Moment now, Effects out) {
    boolean wasDown = isDown;
    isDown =
        switch (order) {
          case FAIL, HANG -> true;
          case HEAL -> false;
          case INTERVALS -> isDownByTime(now, out);
        };
    if (wasDown && !isDown) {
      release(out);
    }
  }

  private boolean isDownByTime(Moment now, Effects out) {
    long up = args.upSeconds() * NANOS_PER_SECOND;
    long total = up + args.downSeconds() * NANOS_PER_SECOND;
    long at = (now.nanos() - startNanos) % total;
    if (up != 0 && up != total) {
      out.wakeAt(now.nanos() + (at < up ? up : total) - at);
    }
    return at >= up;
  }

  private boolean isHanging() {
    return !isSuspending
        && (order == Order.HANG || (faults.hangs() && isDown && order != Order.FAIL));
  }

  void queue(Piece piece, Moment now, Effects out) {
    look(now, out);
    Faults.Share share = faults.share();
    boolean isSpared = share != null && random.nextDouble(100) >= share.percent();
    if (!isDown || isSpared) {
      issue(piece, out);
    } else if (isHanging()) {
      held.add(piece);
    } else {
      befall(piece, out);
    }
  }

  private void befall(Piece piece, Effects out) {
    switch (faults.fate(piece.operation(), piece.flags())) {
      case PASS -> issue(piece, out);
      case DROP -> out.complete(piece, Errno.OK);
      case CORRUPT -> corrupt(piece, out);
      case FAIL -> {
        if (faults.hasShortReads() && piece.operation() == Operation.READ) {
          out.read(new Pending(piece, false), piece, 0, offsetBelow(piece));
        } else {
          out.complete(piece, faults.errno());
        }
      }
    }
  }

  private void corrupt(Piece piece, Effects out) {
    Pending job = new Pending(piece, true);
    if (piece.operation() == Operation.READ) {
      out.read(job, piece, 0, offsetBelow(piece));
      return;
    }
    // The user's buffer is not ours to change: a corrupted copy is written.
    byte[] bytes = new byte[Math.toIntExact(piece.lengthBytes())];
    MemorySegment.copy(
        piece.data(), ValueLayout.JAVA_BYTE, piece.dataOffset(), bytes, 0, bytes.length);
    Faults.Corruption change = Objects.requireNonNull(faults.corruption());
    if (change.position() <= bytes.length) {
      bytes[(int) change.position() - 1] = (byte) change.value();
    }
    out.writeBytes(job, bytes, 0, offsetBelow(piece), piece.flags());
  }

  void ended(Job job, int errno, Effects out) {
    Pending pending = (Pending) job;
    Piece piece = pending.piece;
    if (!pending.isCorrupted) {
      long half = Sectors.toBytes(Sectors.fromBytes(piece.lengthBytes() / 2));
      piece.data().asSlice(piece.dataOffset() + half, piece.lengthBytes() - half).fill(JUNK);
      out.complete(piece, faults.errno());
      return;
    }
    Faults.Corruption change = Objects.requireNonNull(faults.corruption());
    if (piece.operation() == Operation.READ && change.position() <= piece.lengthBytes()) {
      long at = piece.dataOffset() + change.position() - 1;
      piece.data().set(ValueLayout.JAVA_BYTE, at, (byte) change.value());
    }
    out.complete(piece, errno);
  }

  /** Those that are held go on as if they came now. */
  private void release(Effects out) {
    for (Piece piece = held.poll(); piece != null; piece = held.poll()) {
      if (isDown) {
        out.complete(piece, faults.errno());
      } else {
        issue(piece, out);
      }
    }
  }

  /** Nobody could ever wait for the end of a hang: who is held fails now. */
  void presuspend(Effects out) {
    isSuspending = true;
    release(out);
  }

  void message(List<String> words, Moment now, Effects out) throws MessageException {
    String word = words.size() == 1 ? words.getFirst().toLowerCase(Locale.ROOT) : "";
    order =
        switch (word) {
          case "fail" -> Order.FAIL;
          case "hang" -> Order.HANG;
          case "heal" -> Order.HEAL;
          case "intervals" -> Order.INTERVALS;
          default ->
              throw new MessageException(
                  "Invalid argument: "
                      + String.join(" ", words)
                      + " (fail, hang, heal and intervals are messages)");
        };
    look(now, out);
    if (!isHanging()) {
      release(out);
    }
  }

  /** Empty as the kernel's, unless a message overrules the intervals or requests are held. */
  String status() {
    String said = order == Order.INTERVALS ? "" : order.name().toLowerCase(Locale.ROOT);
    return held.isEmpty() ? said : (said + " " + held.size() + " held").strip();
  }

  private void issue(Piece piece, Effects out) {
    out.issue(piece, 0, piece.operation() == Operation.FLUSH ? 0 : offsetBelow(piece));
  }

  private long offsetBelow(Piece piece) {
    return below.offsetBytes() + piece.offsetBytes();
  }

  /** Sectors in bytes; what is beyond all devices stays so. */
  private static long bytes(long sectors) {
    return sectors > Long.MAX_VALUE / (2L * Sectors.SIZE_BYTES)
        ? Long.MAX_VALUE / 2
        : Sectors.toBytes(sectors);
  }
}
