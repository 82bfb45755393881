package oxbow.target;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockDevice;
import oxbow.block.BlockRequest;
import oxbow.block.Errno;
import oxbow.block.Operation;

/**
 * A frame for any target whose devices answer at once: without threads, and with a clock that the
 * test moves. What the target sends to its devices is noted in {@link #sent}.
 */
public final class TestFrame implements Effects {
  /** A request and, once there is one, its answer. */
  public static final class Asked {
    private final Arena arena = Arena.ofAuto();
    private final MemorySegment data;
    private int outstanding;
    private int errno;

    private Asked(int lengthBytes) {
      data = arena.allocate(Math.max(1, lengthBytes), 8);
    }

    public boolean isAnswered() {
      return outstanding == 0;
    }

    /** The first error of its pieces; there must be an answer. */
    public int errno() {
      if (outstanding > 0) {
        throw new AssertionError("not answered");
      }
      return errno;
    }

    /** What the buffer holds. */
    public byte[] bytes() {
      return data.toArray(ValueLayout.JAVA_BYTE);
    }
  }

  private static final class AskedPiece extends Piece {
    final Asked asked;

    AskedPiece(Asked asked) {
      this.asked = asked;
    }
  }

  private final Target target;
  private final ArrayDeque<Runnable> effects = new ArrayDeque<>();
  private final Mapping mapping = new Mapping();
  private final Moment moment = new Moment();
  private boolean isCarryingOut;
  private long nowNanos = 1_000_000_000;

  /** When the target wants to be woken; Long.MAX_VALUE for never. */
  private long wakeAtNanos = Long.MAX_VALUE;

  public final List<String> sent = new ArrayList<>();
  public final List<String> events = new ArrayList<>();
  public final List<String> warnings = new ArrayList<>();

  /** Resumes the target. */
  public TestFrame(Target target) {
    this.target = target;
    tell(() -> target.resume(now(), this));
  }

  /** Devices by name. */
  public static TargetDevices devices(Map<String, ? extends BlockDevice> byName) {
    return (address, isWritable) -> {
      BlockDevice device = byName.get(address);
      if (device == null) {
        throw new IOException(address + ": No such device");
      }
      return device;
    };
  }

  private Moment now() {
    return moment.set(nowNanos, true);
  }

  /** Enters the core, then carries out what it wants, and what follows from that. */
  private void tell(Runnable event) {
    event.run();
    if (isCarryingOut) {
      return;
    }
    isCarryingOut = true;
    for (Runnable effect = effects.poll(); effect != null; effect = effects.poll()) {
      effect.run();
    }
    isCarryingOut = false;
  }

  /** Moves the clock; the target is woken at the times it asked for. */
  public void passMillis(long millis) {
    long end = nowNanos + millis * 1_000_000;
    while (wakeAtNanos <= end) {
      nowNanos = wakeAtNanos;
      wakeAtNanos = Long.MAX_VALUE;
      tell(() -> target.wake(now(), this));
    }
    nowNanos = end;
  }

  /** Whether the target has asked to be woken. */
  public boolean isWakeWanted() {
    return wakeAtNanos != Long.MAX_VALUE;
  }

  public void presuspend() {
    tell(() -> target.presuspend(now(), this));
  }

  public void suspend() {
    tell(() -> target.suspend(now(), this));
  }

  public void resume() {
    tell(() -> target.resume(now(), this));
  }

  public String message(String... words) throws MessageException {
    String[] answer = new String[1];
    MessageException[] refused = new MessageException[1];
    tell(
        () -> {
          try {
            answer[0] = target.message(List.of(words), now(), this);
          } catch (MessageException e) {
            refused[0] = e;
          }
        });
    if (refused[0] != null) {
      throw refused[0];
    }
    return answer[0];
  }

  public Asked write(long atBytes, byte[] bytes, int flags) {
    Asked asked = new Asked(bytes.length);
    MemorySegment.copy(bytes, 0, asked.data, ValueLayout.JAVA_BYTE, 0, bytes.length);
    return ask(asked, Operation.WRITE, atBytes, bytes.length, flags);
  }

  public Asked write(long atBytes, byte[] bytes) {
    return write(atBytes, bytes, 0);
  }

  public Asked read(long atBytes, int lengthBytes) {
    return ask(new Asked(lengthBytes), Operation.READ, atBytes, lengthBytes, 0);
  }

  public Asked flush() {
    return ask(Operation.FLUSH, 0, 0);
  }

  /** A request without data. */
  public Asked ask(Operation operation, long atBytes, long lengthBytes) {
    return ask(new Asked(0), operation, atBytes, lengthBytes, 0);
  }

  private Asked ask(Asked asked, Operation operation, long from, long length, int flags) {
    long end = from + length;
    long at = from;
    asked.outstanding = 1;
    do {
      target.map(operation, at, end - at, flags, mapping);
      long accepted = mapping.lengthBytes();
      AskedPiece piece = new AskedPiece(asked);
      piece.set(operation, at, accepted, flags, asked.data, at - from);
      asked.outstanding++;
      if (mapping.isQueue()) {
        tell(() -> target.queue(piece, now(), this));
      } else if (mapping.isRemap()) {
        send(piece, mapping.slot(), mapping.offsetBytes());
      } else {
        end(piece, mapping.errno());
      }
      at += accepted;
    } while (at < end);
    asked.outstanding--;
    return asked;
  }

  private static void end(Piece piece, int errno) {
    Asked asked = ((AskedPiece) piece).asked;
    asked.outstanding--;
    if (asked.errno == Errno.OK) {
      asked.errno = errno;
    }
  }

  private void send(Piece piece, int slot, long atBytes) {
    submit(
        slot,
        new BlockRequest()
            .data(
                piece.operation(),
                atBytes,
                piece.data(),
                piece.dataOffset(),
                piece.lengthBytes(),
                piece.flags(),
                (ended, errno) -> end(piece, errno)));
  }

  private void submit(int slot, BlockRequest request) {
    sent.add(slot + " " + request);
    target.devices().get(slot).submit(request);
  }

  private void submitFor(
      Job job,
      int slot,
      Operation operation,
      long at,
      MemorySegment data,
      long dataOffset,
      long length,
      int flags) {
    submit(
        slot,
        new BlockRequest()
            .data(
                operation, at, data, dataOffset, length, flags, (ended, errno) -> end(job, errno)));
  }

  private void end(Job job, int errno) {
    tell(() -> target.ended(job, errno, now(), this));
  }

  @Override
  public void complete(Piece piece, int errno) {
    effects.add(() -> end(piece, errno));
  }

  @Override
  public void issue(Piece piece, int slot, long offsetBytes, int ticket) {
    effects.add(() -> send(piece, slot, offsetBytes));
  }

  @Override
  public void issueRange(
      Piece piece, int slot, Operation operation, long offsetBytes, long lengthBytes, int flags) {
    BlockRequest request = new BlockRequest();
    request.range(operation, offsetBytes, lengthBytes, flags, (ended, errno) -> end(piece, errno));
    effects.add(() -> submit(slot, request));
  }

  @Override
  public void read(Job job, Piece piece, int slot, long offsetBytes) {
    effects.add(
        () ->
            submitFor(
                job,
                slot,
                Operation.READ,
                offsetBytes,
                piece.data(),
                piece.dataOffset(),
                piece.lengthBytes(),
                0));
  }

  @Override
  public void write(
      Job job,
      Piece piece,
      long partBytes,
      long lengthBytes,
      int slot,
      long offsetBytes,
      int flags) {
    effects.add(
        () ->
            submitFor(
                job,
                slot,
                piece.operation(),
                offsetBytes,
                piece.data(),
                piece.dataOffset() + partBytes,
                lengthBytes,
                flags));
  }

  @Override
  public void writeBytes(Job job, byte[] bytes, int slot, long offsetBytes, int flags) {
    MemorySegment data = Arena.ofAuto().allocate(bytes.length);
    MemorySegment.copy(bytes, 0, data, ValueLayout.JAVA_BYTE, 0, bytes.length);
    effects.add(
        () -> submitFor(job, slot, Operation.WRITE, offsetBytes, data, 0, bytes.length, flags));
  }

  @Override
  public void range(
      Job job, int slot, Operation operation, long offsetBytes, long lengthBytes, int flags) {
    effects.add(
        () ->
            submitFor(
                job, slot, operation, offsetBytes, MemorySegment.NULL, 0, lengthBytes, flags));
  }

  @Override
  public void flushThen(Job job, int slot, @Nullable BlockingTask task) {
    BlockRequest flush = new BlockRequest();
    flush.flush((ended, errno) -> end(job, errno == Errno.OK && task != null ? task.run() : errno));
    effects.add(() -> submit(slot, flush));
  }

  @Override
  public void run(Job job, BlockingTask task) {
    effects.add(() -> end(job, task.run()));
  }

  @Override
  public void wakeAt(long nanos) {
    wakeAtNanos = Math.min(wakeAtNanos, nanos);
  }

  @Override
  public void event(String why) {
    events.add(Objects.requireNonNull(why));
  }

  @Override
  public void warn(String what) {
    warnings.add(what);
  }

  // What only a clone asks for.

  @Override
  public void copy(
      Job job,
      int fromSlot,
      long fromBytes,
      int toSlot,
      long toBytes,
      long lengthBytes,
      boolean skipZeros) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void readThrough(
      Job job, Piece piece, int fromSlot, int toSlot, long offset, long length, boolean skip) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void releaseBuffers() {
    throw new UnsupportedOperationException();
  }

  @Override
  public void readForMerge(
      Job job, int slot, long baseBytes, long lengthBytes, long readFromBytes, long readToBytes) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void writeMerged(Job job, Piece pieces, int slot, long toBytes) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void extents(ExtentQuery query, int slot, long offsetBytes, long lengthBytes) {
    throw new UnsupportedOperationException();
  }
}
