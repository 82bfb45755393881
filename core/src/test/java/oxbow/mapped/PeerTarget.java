package oxbow.mapped;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockDevice;
import oxbow.block.Errno;
import oxbow.block.Limits;
import oxbow.block.Operation;
import oxbow.target.Effects;
import oxbow.target.Family;
import oxbow.target.Job;
import oxbow.target.Mapping;
import oxbow.target.MessageException;
import oxbow.target.Moment;
import oxbow.target.Piece;
import oxbow.target.Target;

/**
 * A target that has its peer do something for it. Reads carry tickets. A write is first a zeroing
 * by the peer's device, which nobody waits for, then a write of its own, with a ticket. Zeroing is
 * answered when a job has ended; discards are kept, and answered never.
 */
final class PeerTarget implements Target {
  static final int SIZE = 1 << 20;
  private static final int TICKET = 7;

  private final @Nullable Family family;
  private final BlockDevice device;

  /** Tickets that were given, and that came back. */
  final AtomicInteger given = new AtomicInteger();

  final AtomicInteger back = new AtomicInteger();

  /** What the core was told, in words. */
  final List<String> told = Collections.synchronizedList(new ArrayList<>());

  /** Where it throws: "map", "zero", "endIo", "ended", "resumeProblem" or nowhere. */
  volatile String broken = "";

  volatile boolean mapsWrites;
  volatile boolean isInvalid;
  volatile boolean wantsWake;
  volatile long mostBytes = Long.MAX_VALUE;
  volatile Runnable whenTicketIsBack = () -> {};
  volatile BooleanSupplier isRemoved = () -> true;
  volatile @Nullable String problem;
  private @Nullable Effects own;
  private @Nullable PeerTarget other;
  private @Nullable Piece zeroing;

  PeerTarget(@Nullable Family family, BlockDevice device) {
    this.family = family;
    this.device = device;
  }

  void meet(PeerTarget peer) {
    other = peer;
    peer.other = this;
  }

  private void mayThrow(String where) {
    if (broken.equals(where)) {
      throw new IllegalStateException("a mistake in " + where);
    }
  }

  @Override
  public void attach(Effects effects) {
    own = effects;
    told.add("attach");
  }

  @Override
  public @Nullable Family family() {
    return family;
  }

  @Override
  public String typeName() {
    return "peer";
  }

  @Override
  public long lengthBytes() {
    return SIZE;
  }

  @Override
  public Limits limits() {
    return Limits.FILE;
  }

  @Override
  public List<BlockDevice> devices() {
    return List.of(device);
  }

  @Override
  public void map(Operation operation, long offset, long length, int flags, Mapping answer) {
    boolean isTracked = operation == Operation.READ || (operation == Operation.WRITE && mapsWrites);
    if (!isTracked) {
      answer.queue(length);
      return;
    }
    given.incrementAndGet();
    if (isInvalid) {
      answer.complete(Math.min(length, mostBytes), Errno.ENOSPC);
    } else {
      answer.remap(0, offset, Math.min(length, mostBytes));
    }
    answer.track(TICKET);
    mayThrow("map");
  }

  @Override
  public boolean endIo(int ticket) {
    assertThat(ticket).isEqualTo(TICKET);
    back.incrementAndGet();
    whenTicketIsBack.run();
    mayThrow("endIo");
    return wantsWake;
  }

  @Override
  public void queue(Piece piece, Moment now, Effects out) {
    switch (piece.operation()) {
      case WRITE -> {
        out.event("mine, first");
        Objects.requireNonNull(other).zero(piece.offsetBytes(), piece.lengthBytes());
        out.event("mine, then");
        given.incrementAndGet();
        out.issue(piece, 0, piece.offsetBytes(), TICKET);
      }
      case WRITE_ZEROES -> {
        zeroing = piece;
        zero(piece.offsetBytes(), piece.lengthBytes());
      }
      case FLUSH -> out.complete(piece, Errno.OK);
      case READ, CACHE, DISCARD -> told.add("kept");
    }
  }

  private void zero(long offset, long length) {
    mayThrow("zero");
    Effects mine = Objects.requireNonNull(own);
    mine.event("zeroing");
    mine.range(new Job(), 0, Operation.WRITE_ZEROES, offset, length, 0);
  }

  @Override
  public void ended(Job job, int errno, Moment now, Effects out) {
    mayThrow("ended");
    told.add("ended");
    out.event("zeroed");
    Piece piece = zeroing;
    zeroing = null;
    if (piece != null) {
      out.complete(piece, errno);
    }
  }

  @Override
  public void wake(Moment now, Effects out) {
    told.add("wake");
  }

  /** Asks to be woken, then refuses what it was told. */
  @Override
  public String message(List<String> words, Moment now, Effects out) throws MessageException {
    out.event("refused");
    out.wakeAt(now.nanos());
    throw new MessageException("refused");
  }

  @Override
  public @Nullable String resumeProblem() {
    mayThrow("resumeProblem");
    return problem;
  }

  @Override
  public void resume(Moment now, Effects out) {
    told.add("resume");
  }

  @Override
  public void remove(Moment now, Effects out) {
    told.add("remove");
  }

  @Override
  public boolean isRemoved() {
    return isRemoved.getAsBoolean();
  }

  @Override
  public void close() {
    told.add("close");
  }

  @Override
  public String status() {
    return "";
  }

  @Override
  public String table() {
    return "";
  }
}
