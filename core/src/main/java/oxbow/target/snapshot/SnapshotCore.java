package oxbow.target.snapshot;

import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;
import oxbow.block.Errno;
import oxbow.block.Flags;
import oxbow.block.Operation;
import oxbow.target.Effects;
import oxbow.target.Geometry;
import oxbow.target.InFlightEpochs;
import oxbow.target.Job;
import oxbow.target.OwnedRanges;
import oxbow.target.Piece;

/**
 * All state and all decisions of one snapshot. Pure: no I/O, no clock, no lock; entered under the
 * family's lock.
 *
 * <p>Invariants:
 *
 * <ul>
 *   <li>S1 A chunk gets at most one exception: whoever needs one looks into the table, then at what
 *       is in flight, and only then has a chunk handed out, all in one decision (E5).
 *   <li>S2 An exception is readable only after its chunk of the store has been written, durable
 *       only after a flush of the store that began after that, and never taken back.
 *   <li>S3 Exceptions are appended to the store in the order in which their chunks were handed out,
 *       whatever the order in which these were written (E1).
 *   <li>S4 A write to the origin passes an exception only when it is released; while one is
 *       pending, nobody changes its chunk in the origin (E4, R2).
 *   <li>S5 The state goes to INVALID and never back; nobody who waits for the origin is then kept
 *       waiting for longer than the invalidation takes to be durable (O3, F5).
 * </ul>
 */
final class SnapshotCore {
  static final int ORIGIN = 0;
  static final int STORE = 1;

  /** No buffer is larger: larger chunks are copied in pieces first, then written. */
  private static final long MAX_MERGE_BYTES = 1 << 20;

  private final SnapshotArgs args;
  private final OriginFamily family;
  private final Exceptions exceptions;
  private final ExceptionTable table;
  private final ExceptionStore store;

  /** Chunks of the origin, to its own end: a chunk is copied whole where there is one (C5). */
  private final Geometry chunks;

  /** Of the snapshot: at most the origin's. */
  private final long lengthBytes;

  private final Effects out;
  private final OwnedRanges<ChunkIo> inFlight = new OwnedRanges<>();
  private final ArrayDeque<ChunkIo> idle = new ArrayDeque<>();
  private final StoreCommits commits;
  private final Releases releases;
  private final FillMark mark;
  private final Job invalidation = new Job();

  /** What makes exceptions, in the order in which chunks were handed out (S3). */
  private final ArrayDeque<ChunkIo> handedOut = new ArrayDeque<>();

  SnapshotCore(
      SnapshotArgs args,
      OriginFamily family,
      Exceptions exceptions,
      Geometry chunks,
      long lengthBytes,
      Effects out) {
    this.args = args;
    this.family = family;
    this.exceptions = exceptions;
    this.table = exceptions.table;
    this.store = exceptions.store;
    this.chunks = chunks;
    this.lengthBytes = lengthBytes;
    this.out = out;
    this.commits = new StoreCommits(this, exceptions, out);
    this.releases = new Releases(exceptions);
    this.mark = new FillMark(store, args.warnPercent(), out);
  }

  Exceptions exceptions() {
    return exceptions;
  }

  // Tickets: reads of the snapshot that go to the origin, and discards that are passed down to it.

  /** For a read that may go to the origin; taken before the table is looked at. Any thread. */
  int readTicket() {
    return releases.originReads().enter() + InFlightEpochs.TICKETS;
  }

  private int passdownTicket() {
    return family.originWrites().enter();
  }

  /** I/O with a ticket has ended; whether somebody waits for that. Any thread. */
  boolean endIo(int ticket) {
    return ticket < InFlightEpochs.TICKETS
        ? family.originWrites().leave(ticket)
        : releases.originReads().leave(ticket - InFlightEpochs.TICKETS);
  }

  long chunkBytes() {
    return chunks.partBytes();
  }

  /** The chunk of the store that will be handed out next. */
  long handedOutBelow() {
    return store.nextFree();
  }

  /** Whether what was handed out below is durable, or never will be. */
  boolean isDurable(long below) {
    return !exceptions.isValid() || exceptions.durableBelow() >= below;
  }

  /** Everything handed out below is written and appended. */
  long writtenBelow() {
    ChunkIo oldest = handedOut.peek();
    return oldest == null ? store.nextFree() : oldest.firstNew;
  }

  /** Nothing is in flight and all is durable, or will never be. */
  boolean isQuiet() {
    boolean isSettled =
        exceptions.isValid() ? exceptions.isCommitted() : releases.isInvalidationOver();
    return inFlight.isEmpty() && commits.isIdle() && releases.isIdle() && isSettled;
  }

  // Requests of the snapshot's user.

  void queue(Piece piece) {
    switch (piece.operation()) {
      case WRITE, WRITE_ZEROES -> write(piece);
      case DISCARD -> discard(piece);
      case READ -> read(piece);
      case CACHE -> out.complete(piece, Errno.OK);
      case FLUSH -> {
        if (exceptions.isValid()) {
          commits.awaitTurn(piece);
        } else {
          out.complete(piece, Errno.EIO);
        }
      }
    }
  }

  /** Within one chunk: reads come here only while the snapshot is not in use yet. */
  private void read(Piece piece) {
    long chunk = chunks.partOf(piece.offsetBytes());
    long stored = table.get(chunk);
    if (!exceptions.isValid()) {
      out.complete(piece, Errno.EIO);
    } else if (stored == ExceptionTable.NONE) {
      out.issue(piece, ORIGIN, piece.offsetBytes(), readTicket());
    } else {
      out.issue(piece, STORE, storeOffset(stored, piece.offsetBytes()));
    }
  }

  private void write(Piece piece) {
    if (exceptions.state() != SnapshotState.ACTIVE) {
      out.complete(piece, Errno.EIO); // W4, W6: also where there is an exception.
      return;
    }
    long first = chunks.partOf(piece.offsetBytes());
    long end = chunks.partOf(piece.endBytes() - 1) + 1;
    ChunkIo owner = inFlight.firstOverlapping(first, end);
    if (owner != null) {
      owner.addWaiter(piece);
      return;
    }
    long stored = table.get(first);
    boolean isWhole =
        piece.offsetBytes() == chunks.startOf(first) && piece.endBytes() == chunks.endOf(end);
    if (stored != ExceptionTable.NONE && table.runLength(first, end - first) == end - first) {
      rewrite(piece, stored, end - first);
    } else if (isWhole) {
      overwrite(piece, first, end);
    } else {
      merge(piece, first);
    }
  }

  /** W1. With FUA it is sent after a commit, if its exceptions are not durable yet. */
  private void rewrite(Piece piece, long stored, long count) {
    long offset = storeOffset(stored, piece.offsetBytes());
    if (piece.isFua() && stored + count > exceptions.durableBelow()) {
      commits.issueAfterTurn(piece, offset);
    } else {
      out.issue(piece, STORE, offset);
    }
  }

  /** W3: whole chunks, with exceptions or without yet; usually a single run. */
  private void overwrite(Piece piece, long first, long end) {
    long count = end - first;
    boolean isGap = table.gapLength(first, count) == count;
    long stored = isGap ? store.allocate(count) : ExceptionStore.NONE;
    if (stored == ExceptionStore.NONE || store.allocatedCount() < count) {
      overwriteInParts(piece, first, end, stored);
      return;
    }
    ChunkIo io = begin(ChunkIo.Cause.OVERWRITE, first, count, stored);
    io.pieces = piece;
    writePart(io, piece);
  }

  /**
   * Run by run.
   *
   * @param handedOutNow what the first chunks have got already, or NONE
   */
  private void overwriteInParts(Piece piece, long first, long end, long handedOutNow) {
    PartedWrite whole = new PartedWrite(piece);
    long stored = handedOutNow;
    for (long chunk = first; chunk < end; ) {
      ChunkIo io;
      if (stored == ExceptionStore.NONE && table.get(chunk) != ExceptionTable.NONE) {
        long count = table.runLength(chunk, end - chunk);
        io = begin(ChunkIo.Cause.REWRITE, chunk, count, table.get(chunk));
      } else {
        if (stored == ExceptionStore.NONE) {
          stored = store.allocate(table.gapLength(chunk, end - chunk));
        }
        if (stored == ExceptionStore.NONE) {
          partEnded(whole, noRoom());
          return;
        }
        io = begin(ChunkIo.Cause.OVERWRITE, chunk, store.allocatedCount(), stored);
        stored = ExceptionStore.NONE;
      }
      io.whole = whole;
      whole.partBegun();
      writePart(io, piece);
      chunk = io.end();
    }
    partEnded(whole, Errno.OK);
  }

  /** FUA is left to the commit that follows: it flushes the store. */
  private void writePart(ChunkIo io, Piece piece) {
    long start = chunks.startOf(io.first());
    long length = chunks.lengthOf(io.first(), io.count());
    out.write(
        io,
        piece,
        start - piece.offsetBytes(),
        length,
        STORE,
        store.offsetBytes(io.firstNew),
        piece.flags() & ~Flags.FUA);
  }

  /** Part of one chunk without an exception: what it leaves uncovered is read from the origin. */
  private void merge(Piece piece, long chunk) {
    long stored = store.allocate(1);
    if (stored == ExceptionStore.NONE) {
      out.complete(piece, noRoom());
      return;
    }
    long start = chunks.startOf(chunk);
    long end = chunks.endOf(chunk + 1);
    if (end - start > MAX_MERGE_BYTES) {
      ChunkIo io = begin(ChunkIo.Cause.COPY_FOR_WRITE, chunk, 1, stored);
      io.addWaiter(piece);
      copy(io);
      return;
    }
    ChunkIo io = begin(ChunkIo.Cause.MERGE, chunk, 1, stored);
    io.pieces = piece;
    long readFrom = piece.offsetBytes() == start ? piece.endBytes() : start;
    long readTo = piece.endBytes() == end ? piece.offsetBytes() : end;
    out.readForMerge(io, ORIGIN, start, end - start, readFrom, readTo);
  }

  /** Discards come cut at chunks (D2, D4). */
  private void discard(Piece piece) {
    if (exceptions.state() != SnapshotState.ACTIVE) {
      out.complete(piece, Errno.EIO);
      return;
    }
    long chunk = chunks.partOf(piece.offsetBytes());
    ChunkIo owner = inFlight.firstOverlapping(chunk, chunk + 1);
    if (owner != null) {
      owner.addWaiter(piece);
      return;
    }
    long stored = table.get(chunk);
    boolean isWhole = piece.lengthBytes() == chunks.lengthOf(chunk, 1);
    if (stored == ExceptionTable.NONE) {
      passDown(piece, Errno.OK);
    } else if (isWhole) {
      long length = piece.lengthBytes();
      ChunkIo io = begin(ChunkIo.Cause.DISCARD, chunk, 1, stored);
      io.pieces = piece;
      out.range(io, STORE, Operation.WRITE_ZEROES, store.offsetBytes(stored), length, 0);
    } else {
      ChunkIo io = begin(ChunkIo.Cause.DISCARD, chunk, 1, stored);
      io.pieces = piece;
      long offset = storeOffset(stored, piece.offsetBytes());
      out.range(io, STORE, Operation.DISCARD, offset, piece.lengthBytes(), 0);
    }
  }

  /** What follows for the origin, whose other snapshots save nothing (D3). */
  private void passDown(Piece piece, int errno) {
    if (errno == Errno.OK && args.discardPassdownOrigin()) {
      out.issue(piece, ORIGIN, piece.offsetBytes(), passdownTicket());
    } else {
      out.complete(piece, errno);
    }
  }

  private long storeOffset(long stored, long offsetBytes) {
    return store.offsetBytes(stored) + (offsetBytes & (chunks.partBytes() - 1));
  }

  // Writes to the origin.

  /**
   * Saves what the origin holds in a range, where that is not done yet. The waiter is told when all
   * of it is released. What lies behind the snapshot's end does not concern it (N4).
   */
  void preserve(long fromBytes, long toBytes, OriginWaiter waiter) {
    if (fromBytes >= lengthBytes) {
      return;
    }
    long first = chunks.partOf(fromBytes);
    long end = chunks.partOf(Math.min(toBytes, lengthBytes) - 1) + 1;
    long bound = 0;
    for (long chunk = first; chunk < end && exceptions.isValid(); ) {
      long run = table.runLength(chunk, end - chunk);
      if (run > 0) {
        bound = Math.max(bound, table.get(chunk) + run);
        chunk += run;
        continue;
      }
      ChunkIo owner = inFlight.firstOverlapping(chunk, end);
      if (owner != null && owner.first() <= chunk) {
        bound = Math.max(bound, owner.endNew());
        chunk = owner.end();
        continue;
      }
      long gapEnd = owner == null ? end : owner.first();
      long stored = store.allocate(table.gapLength(chunk, gapEnd - chunk));
      if (stored == ExceptionStore.NONE) {
        invalidate("no room for what a write to the origin overwrites");
        break;
      }
      ChunkIo io = begin(ChunkIo.Cause.COPY, chunk, store.allocatedCount(), stored);
      copy(io);
      bound = Math.max(bound, io.endNew());
      chunk = io.end();
    }
    if (releases.mustWait(bound)) {
      waiter.mustWait();
      releases.add(waiter, bound);
      commits.want(bound);
    }
  }

  private void copy(ChunkIo io) {
    long start = chunks.startOf(io.first());
    long length = chunks.lengthOf(io.first(), io.count());
    out.copy(io, ORIGIN, start, STORE, store.offsetBytes(io.firstNew), length, false);
  }

  // The end of I/O.

  private ChunkIo begin(ChunkIo.Cause cause, long first, long count, long firstNew) {
    ChunkIo free = idle.poll();
    ChunkIo io = (free == null ? new ChunkIo() : free).begin(cause, first, count, firstNew);
    inFlight.add(io);
    if (cause.makesExceptions()) {
      handedOut.add(io);
      mark.look();
    }
    return io;
  }

  void ended(Job job, int errno) {
    if (job == invalidation) {
      if (errno != Errno.OK) {
        out.warn("the invalidation of the store could not be written: " + Errno.describe(errno));
      }
      releases.invalidationIsDurable();
    } else if (job instanceof ChunkIo io) {
      chunkEnded(io, errno);
    } else {
      commits.ended(job, errno);
    }
  }

  private void chunkEnded(ChunkIo io, int errno) {
    if (io.cause == ChunkIo.Cause.MERGE && !io.isWriting && errno == Errno.OK) {
      writeMerged(io);
      return;
    }
    inFlight.remove(io);
    int result = errno == Errno.OK && !exceptions.isValid() ? Errno.EIO : errno;
    if (io.cause.makesExceptions()) {
      if (result == Errno.OK) {
        table.put(io.first(), io.firstNew, io.count());
      } else {
        invalidate("a chunk could not be saved: " + Errno.describe(result)); // E3
      }
    }
    Piece own = io.pieces;
    PartedWrite whole = io.whole;
    io.pieces = null;
    io.whole = null;
    if (whole != null) {
      partEnded(whole, result);
    } else if (io.cause == ChunkIo.Cause.DISCARD && own != null) {
      passDown(own, result);
    } else {
      answer(own, result);
    }
    wakeWaiters(io, result);
    if (!io.cause.makesExceptions()) {
      idle.add(io);
    } else if (result == Errno.OK) {
      io.isWritten = true;
      appendWritten();
      commits.lookAgain();
    }
  }

  /** S3: what was handed out first is appended first. Nobody uses what is idle from here on. */
  private void appendWritten() {
    for (ChunkIo oldest = handedOut.peek();
        oldest != null && oldest.isWritten;
        oldest = handedOut.peek()) {
      if (exceptions.persistent != null) {
        exceptions.persistent.append(oldest.first(), oldest.firstNew, oldest.count());
      }
      handedOut.remove();
      idle.add(oldest);
    }
    if (exceptions.persistent == null) {
      committed(writtenBelow()); // There is nothing to commit: a crash takes the snapshot anyway.
    }
  }

  /** The origin has been read: every write to the chunk that waits by now joins. */
  private void writeMerged(ChunkIo io) {
    io.isWriting = true;
    Piece last = io.pieces;
    Piece waiter = io.takeWaiters();
    while (waiter != null && last != null && joins(io, waiter)) {
      last.next = waiter;
      last = waiter;
      waiter = waiter.next;
      last.next = null;
    }
    while (waiter != null) {
      Piece following = waiter.next;
      io.addWaiter(waiter);
      waiter = following;
    }
    if (io.pieces != null) {
      out.writeMerged(io, io.pieces, STORE, store.offsetBytes(io.firstNew));
    }
  }

  private boolean joins(ChunkIo io, Piece waiter) {
    boolean isWrite =
        waiter.operation() == Operation.WRITE || waiter.operation() == Operation.WRITE_ZEROES;
    return isWrite
        && chunks.partOf(waiter.offsetBytes()) == io.first()
        && chunks.partOf(waiter.endBytes() - 1) == io.first();
  }

  private void partEnded(PartedWrite whole, int errno) {
    if (whole.ended(errno)) {
      answer(whole.piece, whole.errno());
    }
  }

  /** O20: readable is enough for an answer, but FUA waits for a commit that begins from now on. */
  private void answer(@Nullable Piece first, int errno) {
    for (Piece piece = first; piece != null; ) {
      Piece following = piece.next;
      if (errno == Errno.OK && piece.isFua()) {
        commits.awaitTurn(piece);
      } else {
        out.complete(piece, errno);
      }
      piece = following;
    }
  }

  /** Looks again at whoever waited, in arrival order (W2). */
  private void wakeWaiters(ChunkIo io, int errno) {
    for (Piece piece = io.takeWaiters(); piece != null; ) {
      Piece following = piece.next;
      piece.next = null;
      if (errno != Errno.OK && io.cause.makesExceptions()) {
        out.complete(piece, Errno.EIO);
      } else {
        queue(piece);
      }
      piece = following;
    }
  }

  // Time and commits.

  /** Has everything that was handed out so far committed: each second, and at the end. */
  void commitAll() {
    if (exceptions.isValid()) {
      commits.want(store.nextFree());
    }
  }

  /**
   * Whether a write to the origin may pass without asking the core: all of a range is released, or
   * does not concern the snapshot. Any thread.
   */
  boolean isReleased(long fromBytes, long toBytes) {
    long end = chunks.partOf(Math.min(toBytes, lengthBytes) - 1) + 1;
    for (long chunk = chunks.partOf(fromBytes); fromBytes < lengthBytes && chunk < end; ) {
      long stored = table.get(chunk);
      long run = stored == ExceptionTable.NONE ? 0 : table.runLength(chunk, end - chunk);
      if (run == 0 || stored + run > exceptions.releasedBelow()) {
        return releases.isInvalidationOver();
      }
      chunk += run;
    }
    return true;
  }

  /** Something that was tracked has ended. */
  void wake() {
    releases.lookAgain();
  }

  /** What was handed out below is durable now. */
  void committed(long durableBelow) {
    exceptions.setDurableBelow(Math.max(durableBelow, exceptions.durableBelow()));
    releases.lookAgain();
  }

  // Room, and its end.

  /** W4: a write to the snapshot has found no room. */
  private int noRoom() {
    if (args.kind() == StoreKind.PERSISTENT_OVERFLOW) {
      String why = "no room for a write to the snapshot";
      exceptions.set(SnapshotState.OVERFLOW, why);
      out.warn("Snapshot overflowed: Unable to allocate exception.");
      out.event("snapshot overflowed: " + why); // T3: the kernel raises none.
    } else {
      invalidate("no room for a write to the snapshot");
    }
    return Errno.EIO;
  }

  /** The device of the store has grown: what did not fit may fit now. */
  void storeGrew(long storeBytes) {
    store.growTo(storeBytes);
    mark.reset();
    if (exceptions.state() == SnapshotState.OVERFLOW) {
      exceptions.set(SnapshotState.ACTIVE, "");
      out.event("snapshot has room again");
    }
  }

  /** O3, E3: of no use any more, and durably so before a write to the origin goes on (F5). */
  void invalidate(String why) {
    if (!exceptions.isValid()) {
      return;
    }
    exceptions.set(SnapshotState.INVALID, why);
    out.warn("Invalidating snapshot: " + why + ".");
    out.event("snapshot invalid: " + why);
    handedOut.clear();
    commits.invalidated();
    if (exceptions.persistent == null) {
      releases.invalidationIsDurable();
    } else {
      Write header = exceptions.persistent.invalidation();
      out.writeBytes(invalidation, header.bytes(), STORE, header.offsetBytes(), Flags.FUA);
    }
  }
}
