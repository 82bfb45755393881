package oxbow.target.snapshot;

import java.util.ArrayDeque;
import java.util.List;
import java.util.Objects;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;
import oxbow.block.Errno;
import oxbow.block.Flags;
import oxbow.block.Operation;
import oxbow.target.Effects;
import oxbow.target.Geometry;
import oxbow.target.InFlightEpochs;
import oxbow.target.Job;
import oxbow.target.Mapping;
import oxbow.target.Piece;
import oxbow.target.TurnQueue;

/**
 * All state and all decisions of a merge: exceptions go back to the origin, the newest first, run
 * by run, and users' requests go on meanwhile. Pure, as {@link SnapshotCore} is; entered under the
 * family's lock.
 *
 * <p>A run takes these steps, each only after the one before has ended (snapshot-cow.md, section
 * 9). G1: other snapshots have saved what it overwrites (M5). G2: no user's write to its chunks of
 * the store is on its way, and new ones wait (M4). G3: it is copied. G4: the origin is flushed. G5:
 * its entries are removed from the store, durably. G6: it leaves the table, and those who waited go
 * on.
 *
 * <p>So a crash at any moment leaves either the exceptions, whose chunks of the store are whole, or
 * an origin that holds the same. The origin alone is of no use before the end (M11).
 */
final class MergeCore implements OriginFamily.Writer {
  static final int ORIGIN = SnapshotCore.ORIGIN;
  static final int STORE = SnapshotCore.STORE;

  /** What the merge is doing; FINISHED and FAILED for good. */
  private enum Step {
    IDLE,
    LOADS,
    PRESERVES,
    AWAITS_WRITES,
    COPIES,
    FLUSHES_ORIGIN,
    ZEROES_STALE,
    FLUSHES_STORE,
    WRITES_AREA,
    FLUSHES_AREA,
    FINISHED,
    FAILED
  }

  /** Writes to a run wait until it is merged: no run is longer, unless a chunk is. */
  private static final long MOST_BYTES = 4 << 20;

  private final OriginFamily family;
  private final Exceptions exceptions;

  /**
   * Empty where the store is invalid, whatever was known of it before: all is the origin's (M10).
   */
  private final ExceptionTable table;

  private final PersistentStore store;
  private final ToIntFunction<TailRead> reader;
  private final Geometry chunks;
  private final long mostChunks;
  private final long lengthBytes;
  private final Effects out;
  private final OriginWrites originWrites;
  private final Job job = new Job();
  private final Job flushJob = new Job();

  /** Users' writes to chunks of the store that are on their way. */
  private final InFlightEpochs storeWrites = new InFlightEpochs();

  private final ArrayDeque<Piece> waiting = new ArrayDeque<>();
  private final TurnQueue flushes = new TurnQueue();
  private boolean isFlushing;
  private boolean isOriginFlushed;
  private boolean isSuspending;
  private volatile Step step = Step.IDLE;
  private @Nullable Run run;
  private @Nullable TailRead tail;
  private @Nullable Commit removal;

  /** The run that is being merged; set before its end, read after it. */
  private volatile long mergingFirst;

  /** 0 if none is. */
  private volatile long mergingEnd;

  private long awaitedWrites;

  /** The run's own ticket as a write to the origin. */
  private int originTicket;

  /** The next of the removal's ranges to zero, then of its writes. */
  private int next;

  /**
   * A flush of the origin has failed while the run was being copied: what it should have made
   * durable no later flush can vouch for (O3).
   */
  private boolean isCopyInDoubt;

  private final OriginWaiter othersSave =
      new OriginWaiter() {
        @Override
        void lookAgain() {
          preserve();
        }
      };

  /**
   * @param lengthBytes of the snapshot: at most the origin's
   * @param reader reads the end of the table where that may block; answers with 0 or an error
   *     number
   */
  MergeCore(
      OriginFamily family,
      Exceptions exceptions,
      Geometry chunks,
      long lengthBytes,
      ToIntFunction<TailRead> reader,
      Effects out) {
    this.family = family;
    this.exceptions = exceptions;
    this.table = exceptions.isValid() ? exceptions.table : new ExceptionTable(chunks.count());
    this.store = Objects.requireNonNull(exceptions.persistent, "C7: nothing to merge");
    this.reader = reader;
    this.mostChunks = Math.max(1, MOST_BYTES / chunks.partBytes());
    this.chunks = chunks;
    this.lengthBytes = lengthBytes;
    this.out = out;
    this.originWrites = new OriginWrites(family, ORIGIN, out);
  }

  OriginWrites originWrites() {
    return originWrites;
  }

  // Requests. What map() asks is read without a lock.

  void map(Operation operation, long offsetBytes, long lengthBytes, Mapping answer) {
    switch (operation) {
      case READ, CACHE -> locate(offsetBytes, lengthBytes, answer);
      case WRITE, WRITE_ZEROES -> mapWrite(offsetBytes, lengthBytes, answer);
      case DISCARD -> answer.complete(lengthBytes, Errno.OK); // M6
      case FLUSH -> answer.queue(lengthBytes);
    }
  }

  /** M2: what is being merged is read from the store until it has left the table. */
  void locate(long offsetBytes, long lengthBytes, Mapping answer) {
    long chunk = chunks.partOf(offsetBytes);
    long most = chunks.partOf(offsetBytes + lengthBytes - 1) + 1 - chunk;
    long stored = table.get(chunk);
    if (stored == ExceptionTable.NONE) {
      long gap = Math.max(1, table.gapLength(chunk, most));
      answer.remap(ORIGIN, offsetBytes, cut(offsetBytes, lengthBytes, chunk + gap));
    } else {
      long count = Math.max(1, table.runLength(chunk, most));
      answer.remap(
          STORE, storeOffset(stored, offsetBytes), cut(offsetBytes, lengthBytes, chunk + count));
    }
  }

  /**
   * M3. Where there is an exception, a ticket is taken, then looked at what is being merged, then
   * into the table once more. A merge marks its run, waits for tickets, and takes the run out of
   * the table before it takes the mark away: so no write goes to a chunk of the store that is being
   * copied or has been. Where the core has to decide, the ticket goes back, and {@link #queue},
   * which follows, tells who waits for it.
   */
  private void mapWrite(long offsetBytes, long lengthBytes, Mapping answer) {
    long chunk = chunks.partOf(offsetBytes);
    long most = chunks.partOf(offsetBytes + lengthBytes - 1) + 1 - chunk;
    if (table.get(chunk) == ExceptionTable.NONE) {
      // Exceptions are never added here: it stays so.
      long gap = Math.max(1, table.gapLength(chunk, most));
      originWrites.map(offsetBytes, cut(offsetBytes, lengthBytes, chunk + gap), answer);
      return;
    }
    int ticket = storeWrites.enter();
    long end = mergingEnd;
    long first = mergingFirst;
    long count = table.runLength(chunk, most);
    long stored = table.get(chunk);
    if (chunk >= first && chunk < end) {
      storeWrites.leave(ticket);
      answer.queue(cut(offsetBytes, lengthBytes, end));
    } else if (count == 0 || stored == ExceptionTable.NONE) {
      storeWrites.leave(ticket);
      answer.queue(cut(offsetBytes, lengthBytes, chunk + 1));
    } else {
      boolean isBefore = chunk < first && first < end;
      long limit = isBefore ? Math.min(chunk + count, first) : chunk + count;
      answer.remap(STORE, storeOffset(stored, offsetBytes), cut(offsetBytes, lengthBytes, limit));
      answer.track(ticket + InFlightEpochs.TICKETS);
    }
  }

  private long storeOffset(long stored, long offsetBytes) {
    return store.offsetBytes(stored) + (offsetBytes & (chunks.partBytes() - 1));
  }

  private long cut(long offsetBytes, long lengthBytes, long endChunk) {
    return Math.min(lengthBytes, chunks.endOf(endChunk) - offsetBytes);
  }

  /** I/O with a ticket has ended; whether somebody waits for that. Any thread. */
  boolean endIo(int ticket) {
    return ticket < InFlightEpochs.TICKETS
        ? family.originWrites().leave(ticket)
        : storeWrites.leave(ticket - InFlightEpochs.TICKETS);
  }

  void queue(Piece piece) {
    if (piece.operation() == Operation.FLUSH) {
      flushes.join(piece, null);
      if (!isFlushing) {
        flush();
      }
    } else if (piece.operation() == Operation.DISCARD) {
      out.complete(piece, Errno.OK);
    } else if (piece.operation() == Operation.READ || piece.operation() == Operation.CACHE) {
      read(piece);
    } else {
      write(piece);
    }
    lookAgain();
  }

  /** Within one chunk: reads come here only while the merge has not begun yet. */
  private void read(Piece piece) {
    long stored = table.get(chunks.partOf(piece.offsetBytes()));
    if (stored == ExceptionTable.NONE) {
      out.issue(piece, ORIGIN, piece.offsetBytes());
    } else {
      out.issue(piece, STORE, storeOffset(stored, piece.offsetBytes()));
    }
  }

  /** All chunks of the piece are of one kind: merging never makes exceptions. */
  private void write(Piece piece) {
    long chunk = chunks.partOf(piece.offsetBytes());
    long stored = table.get(chunk);
    if (chunk >= mergingFirst && chunk < mergingEnd) {
      if (step == Step.FAILED) {
        out.complete(piece, Errno.EIO);
      } else {
        waiting.add(piece);
      }
    } else if (stored == ExceptionTable.NONE) {
      originWrites.queue(piece);
    } else {
      int ticket = storeWrites.enter() + InFlightEpochs.TICKETS;
      out.issue(piece, STORE, storeOffset(stored, piece.offsetBytes()), ticket);
    }
  }

  // Flushes: of both devices, since users' data may be on either (F1).

  private void flush() {
    flushes.begin();
    isFlushing = true;
    isOriginFlushed = false;
    out.flushThen(flushJob, ORIGIN, null);
  }

  private void flushEnded(int errno) {
    boolean isOriginInDoubt = errno != Errno.OK && !isOriginFlushed;
    if (isOriginInDoubt && (step == Step.COPIES || step == Step.FLUSHES_ORIGIN)) {
      isCopyInDoubt = true;
    }
    if (errno == Errno.OK && !isOriginFlushed) {
      isOriginFlushed = true;
      out.flushThen(flushJob, STORE, null);
      return;
    }
    isFlushing = false;
    for (Piece piece = flushes.takeTurn(); piece != null; ) {
      Piece following = piece.next;
      out.complete(piece, errno);
      piece = following;
    }
    if (!flushes.isEmpty()) {
      flush();
    }
  }

  // The merge.

  /** Begins, or goes on after a suspend (M1, M8). */
  void resume() {
    isSuspending = false;
    lookAgain();
  }

  /** M8: the run at hand is merged to its end. */
  void suspend() {
    isSuspending = true;
  }

  /** No run is at hand, and no flush. */
  boolean isQuiet() {
    return (step == Step.IDLE || step == Step.FINISHED || step == Step.FAILED) && !isFlushing;
  }

  boolean isFinished() {
    return step == Step.FINISHED;
  }

  /** Writes to the origin are held no more. */
  @Override
  public void goOn() {
    originWrites.goOn();
    lookAgain();
  }

  /** Something has ended that the merge may be waiting for. */
  void lookAgain() {
    if (step == Step.IDLE && !isSuspending && exceptions.isValid() && !family.isHeld()) {
      takeNext();
    } else if (step == Step.AWAITS_WRITES && storeWrites.isOver(awaitedWrites)) {
      copy();
    }
  }

  private void takeNext() {
    if (store.isEmpty()) {
      step = Step.FINISHED;
      out.event("merge completed");
      return;
    }
    TailRead read = store.tailToRead(mostChunks);
    if (read != null) {
      step = Step.LOADS;
      tail = read;
      out.run(job, () -> reader.applyAsInt(read));
      return;
    }
    run = store.lastRun(mostChunks);
    step = Step.PRESERVES;
    originTicket = family.originWrites().enter();
    preserve();
  }

  private Run run() {
    return Objects.requireNonNull(run);
  }

  private Commit removal() {
    return Objects.requireNonNull(removal);
  }

  /** G1. */
  private void preserve() {
    long from = chunks.startOf(run().oldChunk());
    if (family.preserve(from, endOf(run()), othersSave)) {
      step = Step.AWAITS_WRITES;
      mergingFirst = run().oldChunk();
      mergingEnd = run().oldChunk() + run().count();
      awaitedWrites = storeWrites.await();
      lookAgain();
    }
  }

  /** What lies behind the snapshot's end was never its own: the last chunk is cut there (N4). */
  private long endOf(Run merged) {
    return Math.min(chunks.endOf(merged.oldChunk() + merged.count()), lengthBytes);
  }

  /** G3, after G2. */
  private void copy() {
    step = Step.COPIES;
    long from = chunks.startOf(run().oldChunk());
    long length = endOf(run()) - from;
    out.copy(job, STORE, store.offsetBytes(run().newChunk()), ORIGIN, from, length, false);
  }

  void ended(Job ended, int errno) {
    if (ended == flushJob) {
      flushEnded(errno);
    } else if (errno != Errno.OK || isCopyInDoubt) {
      failed(errno == Errno.OK ? Errno.EIO : errno);
    } else {
      switch (step) {
        case LOADS -> {
          store.read(Objects.requireNonNull(tail));
          tail = null;
          step = Step.IDLE;
        }
        case COPIES -> {
          step = Step.FLUSHES_ORIGIN; // G4
          out.flushThen(job, ORIGIN, null);
        }
        case FLUSHES_ORIGIN -> {
          family.originWrites().leave(originTicket);
          removal = store.beginRemoval(run());
          next = 0;
          step = Step.ZEROES_STALE;
          zeroStale(removal);
        }
        case ZEROES_STALE -> zeroStale(removal());
        case FLUSHES_STORE, WRITES_AREA -> writeArea(removal());
        case FLUSHES_AREA -> removed();
        case IDLE, PRESERVES, AWAITS_WRITES, FINISHED, FAILED ->
            throw new IllegalStateException("no I/O in step " + step);
      }
    }
    family.lookAgain();
    lookAgain();
  }

  /** What would be read as entries once those before it are gone (O23). */
  private void zeroStale(Commit begun) {
    if (next < begun.zeroes().size()) {
      Commit.Zeroes range = begun.zeroes().get(next++);
      out.range(job, STORE, Operation.WRITE_ZEROES, range.offsetBytes(), range.lengthBytes(), 0);
    } else {
      next = 0;
      step = Step.FLUSHES_STORE; // For zeros, and as a kernel does.
      out.flushThen(job, STORE, null);
    }
  }

  /** G5: a single write brings its own flush; several share one that follows. */
  private void writeArea(Commit begun) {
    step = Step.WRITES_AREA;
    List<Write> writes = begun.writes();
    if (next < writes.size()) {
      Write write = writes.get(next++);
      int flags = writes.size() == 1 ? Flags.FUA : 0;
      out.writeBytes(job, write.bytes(), STORE, write.offsetBytes(), flags);
    } else if (writes.size() == 1) {
      removed();
    } else {
      step = Step.FLUSHES_AREA;
      out.flushThen(job, STORE, null);
    }
  }

  /** G6. */
  private void removed() {
    store.ended(removal());
    removal = null;
    table.remove(run().oldChunk(), run().count());
    run = null;
    mergingEnd = 0;
    step = Step.IDLE;
    for (int count = waiting.size(); count > 0; count--) {
      write(waiting.remove());
    }
  }

  /**
   * M9: no more is merged, and writes that wait fail. If entries may have been removed already, the
   * run stays closed to writes: what they put into the store might not be found again.
   */
  private void failed(int errno) {
    boolean isInDoubt = step == Step.WRITES_AREA || step == Step.FLUSHES_AREA;
    if (step == Step.COPIES || step == Step.FLUSHES_ORIGIN) {
      family.originWrites().leave(originTicket);
    }
    if (!isInDoubt) {
      mergingEnd = 0;
    }
    if (removal != null) {
      store.failed(removal);
      removal = null;
    }
    step = Step.FAILED;
    String why = "merging has stopped: " + Errno.describe(errno);
    exceptions.set(SnapshotState.MERGE_FAILED, why);
    out.event("merge failed: " + why);
    waiting.forEach(piece -> out.complete(piece, Errno.EIO));
    waiting.clear();
  }
}
