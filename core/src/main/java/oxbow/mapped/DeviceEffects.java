package oxbow.mapped;

import org.jspecify.annotations.Nullable;
import oxbow.block.Operation;
import oxbow.mapped.EffectQueue.Effect;
import oxbow.mapped.EffectQueue.Kind;
import oxbow.target.Effects;
import oxbow.target.ExtentQuery;
import oxbow.target.Job;
import oxbow.target.Piece;

/**
 * What a target calls to have something done: notes it, as this device's, in the queue of the
 * calling thread, which is in the family's cores.
 */
final class DeviceEffects implements Effects {
  private final Owner owner;

  DeviceEffects(Owner owner) {
    this.owner = owner;
  }

  private Effect add(Kind kind) {
    return owner.family().queue().add(owner, kind);
  }

  @Override
  public void complete(Piece piece, int errno) {
    Effect effect = add(Kind.COMPLETE);
    effect.piece = piece;
    effect.errno = errno;
  }

  @Override
  public void issue(Piece piece, int slot, long offsetBytes, int ticket) {
    Effect effect = add(Kind.ISSUE);
    effect.piece = piece;
    effect.slot = slot;
    effect.offsetBytes = offsetBytes;
    effect.ticket = ticket;
  }

  @Override
  public void issueRange(
      Piece piece, int slot, Operation operation, long offsetBytes, long lengthBytes, int flags) {
    Effect effect = add(Kind.ISSUE_RANGE);
    effect.piece = piece;
    effect.slot = slot;
    effect.operation = operation;
    effect.offsetBytes = offsetBytes;
    effect.lengthBytes = lengthBytes;
    effect.flags = flags;
  }

  @Override
  public void read(Job job, Piece piece, int slot, long offsetBytes) {
    Effect effect = add(Kind.READ);
    effect.job = job;
    effect.piece = piece;
    effect.slot = slot;
    effect.offsetBytes = offsetBytes;
  }

  @Override
  public void writeBytes(Job job, byte[] bytes, int slot, long offsetBytes, int flags) {
    Effect effect = add(Kind.WRITE_BYTES);
    effect.job = job;
    effect.bytes = bytes;
    effect.slot = slot;
    effect.offsetBytes = offsetBytes;
    effect.flags = flags;
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
    Effect effect = add(Kind.WRITE);
    effect.job = job;
    effect.piece = piece;
    effect.readFromBytes = partBytes;
    effect.lengthBytes = lengthBytes;
    effect.slot = slot;
    effect.offsetBytes = offsetBytes;
    effect.flags = flags;
  }

  @Override
  public void range(
      Job job, int slot, Operation operation, long offsetBytes, long lengthBytes, int flags) {
    Effect effect = add(Kind.RANGE);
    effect.job = job;
    effect.slot = slot;
    effect.operation = operation;
    effect.offsetBytes = offsetBytes;
    effect.lengthBytes = lengthBytes;
    effect.flags = flags;
  }

  @Override
  public void copy(
      Job job,
      int fromSlot,
      long fromBytes,
      int toSlot,
      long toBytes,
      long lengthBytes,
      boolean skipZeros) {
    Effect effect = add(Kind.COPY);
    effect.job = job;
    effect.slot = fromSlot;
    effect.offsetBytes = fromBytes;
    effect.toSlot = toSlot;
    effect.toBytes = toBytes;
    effect.lengthBytes = lengthBytes;
    effect.skipZeros = skipZeros;
  }

  @Override
  public void readThrough(
      Job job,
      Piece piece,
      int fromSlot,
      int toSlot,
      long baseBytes,
      long lengthBytes,
      boolean skipZeros) {
    Effect effect = add(Kind.READ_THROUGH);
    effect.job = job;
    effect.piece = piece;
    effect.slot = fromSlot;
    effect.toSlot = toSlot;
    effect.offsetBytes = baseBytes;
    effect.lengthBytes = lengthBytes;
    effect.skipZeros = skipZeros;
  }

  @Override
  public void readForMerge(
      Job job, int slot, long baseBytes, long lengthBytes, long readFromBytes, long readToBytes) {
    Effect effect = add(Kind.READ_FOR_MERGE);
    effect.job = job;
    effect.slot = slot;
    effect.offsetBytes = baseBytes;
    effect.lengthBytes = lengthBytes;
    effect.readFromBytes = readFromBytes;
    effect.readToBytes = readToBytes;
  }

  @Override
  public void writeMerged(Job job, Piece pieces, int slot, long toBytes) {
    Effect effect = add(Kind.WRITE_MERGED);
    effect.job = job;
    effect.piece = pieces;
    effect.slot = slot;
    effect.toBytes = toBytes;
  }

  @Override
  public void flushThen(Job job, int slot, @Nullable BlockingTask task) {
    Effect effect = add(Kind.FLUSH_THEN);
    effect.job = job;
    effect.slot = slot;
    effect.task = task;
  }

  @Override
  public void run(Job job, BlockingTask task) {
    Effect effect = add(Kind.RUN);
    effect.job = job;
    effect.task = task;
  }

  @Override
  public void releaseBuffers() {
    add(Kind.RELEASE_BUFFERS);
  }

  @Override
  public void extents(ExtentQuery query, int slot, long offsetBytes, long lengthBytes) {
    Effect effect = add(Kind.EXTENTS);
    effect.job = query;
    effect.slot = slot;
    effect.offsetBytes = offsetBytes;
    effect.lengthBytes = lengthBytes;
  }

  @Override
  public void wakeAt(long nanos) {
    add(Kind.WAKE_AT).offsetBytes = nanos;
  }

  @Override
  public void event(String why) {
    add(Kind.EVENT).text = why;
  }

  @Override
  public void warn(String what) {
    add(Kind.WARN).text = what;
  }
}
