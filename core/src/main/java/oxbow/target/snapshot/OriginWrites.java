package oxbow.target.snapshot;

import java.util.ArrayDeque;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import oxbow.target.Effects;
import oxbow.target.Mapping;
import oxbow.target.Piece;

/**
 * Users' writes on their way to the origin: each goes on when all snapshots have saved what it
 * overwrites. Discards and zeroing are writes (O4).
 */
final class OriginWrites implements OriginFamily.Writer {
  /**
   * What is decided about at once is no longer. Any boundary is right, whatever the chunk sizes:
   * all chunks that a piece touches are saved (S2, S3).
   */
  private static final long MOST_BYTES = 1 << 20;

  private final OriginFamily family;
  private final int slot;
  private final Effects out;
  private final ArrayDeque<Piece> held = new ArrayDeque<>();
  private final ArrayDeque<Waiting> idle = new ArrayDeque<>();

  /**
   * @param slot of the origin among the target's devices
   */
  OriginWrites(OriginFamily family, int slot, Effects out) {
    this.family = family;
    this.slot = slot;
    this.out = out;
  }

  /**
   * Where a write goes. Any thread, no lock: the ticket is taken before the family is looked at,
   * and whoever changes the family waits for tickets afterwards. Where the write turns out to need
   * the core its ticket goes back at once; {@link #queue}, which follows, tells who waits for that.
   */
  void map(long offsetBytes, long lengthBytes, Mapping answer) {
    long length = lengthBytes;
    if (family.hasSnapshots()) {
      length = Math.min(length, MOST_BYTES - (offsetBytes & (MOST_BYTES - 1)));
    }
    int ticket = family.originWrites().enter();
    if (!family.isHeld() && family.isReleased(offsetBytes, offsetBytes + length)) {
      answer.remap(slot, offsetBytes, length);
      answer.track(ticket);
    } else {
      family.originWrites().leave(ticket);
      answer.queue(length);
    }
  }

  void queue(Piece piece) {
    family.lookAgain();
    dispatch(piece);
  }

  private void dispatch(Piece piece) {
    if (family.isHeld()) {
      held.add(piece);
      return;
    }
    Waiting free = idle.poll();
    Waiting write = free == null ? new Waiting() : free;
    write.piece = piece;
    write.lookAgain();
  }

  @Override
  public void goOn() {
    for (int count = held.size(); count > 0; count--) {
      dispatch(held.remove());
    }
  }

  /** A write that may have to wait; kept and used again. */
  private final class Waiting extends OriginWaiter {
    @Nullable Piece piece;

    @Override
    void lookAgain() {
      Piece write = Objects.requireNonNull(piece);
      if (!family.isHeld() && !family.preserve(write.offsetBytes(), write.endBytes(), this)) {
        return;
      }
      piece = null;
      idle.add(this);
      if (family.isHeld()) {
        held.add(write);
      } else {
        out.issue(write, slot, write.offsetBytes(), family.originWrites().enter());
      }
    }
  }
}
