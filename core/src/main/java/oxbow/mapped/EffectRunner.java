package oxbow.mapped;

import java.util.List;
import java.util.Objects;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockDevice;
import oxbow.block.BlockRequest;
import oxbow.block.Errno;
import oxbow.block.Extents;
import oxbow.block.Operation;
import oxbow.mapped.EffectQueue.Effect;
import oxbow.mapped.Split.SplitPiece;
import oxbow.target.Effects.BlockingTask;
import oxbow.target.ExtentQuery;
import oxbow.target.Job;
import oxbow.target.Piece;

/**
 * Turns decisions into I/O: carries out one effect after the other, on the thread that is there.
 */
final class EffectRunner {
  /** What the mapped device itself does with an effect. */
  interface Host {
    void wakeAt(long nanos);

    void event(String why);

    void warn(String what);
  }

  private final List<Underlying> devices;
  private final Underlying tasks;
  private final TransferPool transfers;
  private final Executor blocking;
  private final Host host;

  /**
   * @param tasks where blocking tasks write
   * @param blocking runs them
   */
  EffectRunner(
      List<Underlying> devices,
      Underlying tasks,
      TransferPool transfers,
      Executor blocking,
      Host host) {
    this.devices = devices;
    this.tasks = tasks;
    this.transfers = transfers;
    this.blocking = blocking;
    this.host = host;
  }

  void run(Effect effect, Owner owner) {
    switch (effect.kind) {
      case COMPLETE, ISSUE, ISSUE_RANGE -> handBack(effect, Split.of(piece(effect)));
      case READ, WRITE, WRITE_BYTES, RANGE, COPY, READ_THROUGH, READ_FOR_MERGE ->
          transfer(effect, begin(effect, owner));
      case WRITE_MERGED ->
          ((Transfer) Objects.requireNonNull(job(effect).frame))
              .writeMerged(devices.get(effect.slot), piece(effect), effect.toBytes);
      case FLUSH_THEN -> flushThen(job(effect), devices.get(effect.slot), effect.task, owner);
      case RUN -> execute(job(effect), Objects.requireNonNull(effect.task), owner);
      case RELEASE_BUFFERS -> transfers.buffers().release();
      case EXTENTS -> extents((ExtentQuery) job(effect), effect, owner);
      case WAKE_AT -> host.wakeAt(effect.offsetBytes);
      case EVENT -> host.event(effect.text);
      case WARN -> host.warn(effect.text);
      case STEP -> Objects.requireNonNull(effect.step).run();
    }
  }

  /** The target has done with a piece. */
  private void handBack(Effect effect, SplitPiece piece) {
    if (!piece.takeFromTarget()) {
      return;
    }
    switch (effect.kind) {
      case COMPLETE -> piece.pieceEnded(effect.errno);
      case ISSUE -> {
        piece.track(effect.ticket);
        issue(piece, devices.get(effect.slot), effect.offsetBytes);
      }
      case ISSUE_RANGE ->
          piece.submitRange(
              devices.get(effect.slot),
              effect.operation,
              effect.offsetBytes,
              effect.lengthBytes,
              effect.flags);
      default -> throw new IllegalStateException("hands nothing back: " + effect.kind);
    }
  }

  private void transfer(Effect effect, Transfer transfer) {
    Underlying device = devices.get(effect.slot);
    long offset = effect.offsetBytes;
    long length = effect.lengthBytes;
    switch (effect.kind) {
      case READ -> transfer.read(device, piece(effect), offset);
      case WRITE ->
          transfer.write(device, piece(effect), effect.readFromBytes, length, offset, effect.flags);
      case WRITE_BYTES ->
          transfer.writeBytes(device, Objects.requireNonNull(effect.bytes), offset, effect.flags);
      case RANGE -> transfer.range(device, effect.operation, offset, length, effect.flags);
      case COPY ->
          transfer.copy(
              device, offset, devices.get(effect.toSlot), effect.toBytes, length, effect.skipZeros);
      case READ_THROUGH ->
          transfer.readThrough(
              device, devices.get(effect.toSlot), piece(effect), offset, length, effect.skipZeros);
      case READ_FOR_MERGE ->
          transfer.readForMerge(device, offset, length, effect.readFromBytes, effect.readToBytes);
      default -> throw new IllegalStateException("transfers nothing: " + effect.kind);
    }
  }

  private static Piece piece(Effect effect) {
    return Objects.requireNonNull(effect.piece);
  }

  private static Job job(Effect effect) {
    return Objects.requireNonNull(effect.job);
  }

  private Transfer begin(Effect effect, Owner owner) {
    Transfer transfer = transfers.take();
    Job job = job(effect);
    job.frame = transfer;
    transfer.begin(owner, job);
    return transfer;
  }

  private static void issue(SplitPiece piece, Underlying below, long offsetBytes) {
    if (piece.operation() == Operation.WRITE && !piece.isFua()) {
      int length = Math.toIntExact(piece.lengthBytes());
      BlockDevice device = below.device();
      int errno = device.writeNow(offsetBytes, piece.data(), piece.dataOffset(), length);
      if (errno != Errno.EAGAIN) {
        piece.ioEnded(errno);
        return;
      }
    }
    piece.submit(below, offsetBytes);
  }

  private void flushThen(Job job, Underlying below, @Nullable BlockingTask task, Owner owner) {
    Outstanding.Interval flushing = below.enter();
    below
        .device()
        .submit(
            new BlockRequest()
                .flush(
                    (request, errno) -> {
                      flushing.ended();
                      if (errno != Errno.OK || task == null) {
                        owner.ended(job, errno);
                      } else {
                        execute(job, task, owner);
                      }
                    }));
  }

  private void execute(Job job, BlockingTask task, Owner owner) {
    Outstanding.Interval running = tasks.enter();
    blocking.execute(() -> run(task, job, owner, running));
  }

  private static void run(BlockingTask task, Job job, Owner owner, Outstanding.Interval running) {
    int errno = Errno.EIO;
    try {
      errno = task.run();
    } catch (RuntimeException | Error fault) {
      owner.fail(fault);
    } finally {
      running.ended();
    }
    owner.ended(job, errno);
  }

  private void extents(ExtentQuery query, Effect effect, Owner owner) {
    Underlying below = devices.get(effect.slot);
    Outstanding.Interval asking = below.enter();
    below
        .device()
        .extents(
            effect.offsetBytes,
            effect.lengthBytes,
            ExtentQuery.MAX_EXTENTS,
            new Extents() {
              @Override
              public void extent(long lengthBytes, int state) {
                query.add(lengthBytes, (state & ZERO) != 0);
              }

              @Override
              public void end(int errno) {
                asking.ended();
                owner.ended(query, errno);
              }
            });
  }
}
