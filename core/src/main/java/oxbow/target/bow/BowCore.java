package oxbow.target.bow;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import oxbow.block.Errno;
import oxbow.block.Operation;
import oxbow.target.Effects;
import oxbow.target.Geometry;
import oxbow.target.InFlightEpochs;
import oxbow.target.Job;
import oxbow.target.OwnedRange;
import oxbow.target.OwnedRanges;
import oxbow.target.Piece;
import oxbow.target.bow.BowRanges.Range;

/**
 * All state and all decisions of one device. Pure: no I/O, no clock, no lock; entered under the
 * owner's lock. The invariants B1 to B8 stand in the package's description.
 */
final class BowCore {
  static final int DEVICE = 0;

  private static final long NONE = -1;

  private final Geometry blocks;
  private final int blockBytes;
  private final Effects out;
  private final InFlightEpochs epochs = new InFlightEpochs();
  private final CheckpointBegin begin;
  private final CheckpointCommit commit;
  private final SpaceMark mark;
  private final Block0Move move;
  private final Flushes flushes;

  /** Blocks that are being saved, and those that they are saved to. */
  private final OwnedRanges<OwnedRange> inFlight = new OwnedRanges<>();

  /** Pieces that wait for something else than a range: a new state, block 0, room in the log. */
  private ArrayDeque<Piece> held = new ArrayDeque<>();

  private BowState state = BowState.TRIM;
  private BowRanges ranges;
  private BlockBits bits;
  private @Nullable BowLogWriter log;

  /** Where users find block 0. */
  private long current0;

  private long reserve = NONE;

  /** Where the full log is being saved to by the running turn. */
  private BowBackup.@Nullable Place logPlace;

  /** Copies that were begun and whose entries are not durable yet. */
  private int unlogged;

  /** Free when the checkpoint began; NONE until then. */
  private long gainedBlocks = NONE;

  private WhenFull whenFull = WhenFull.FAIL;
  private boolean isStopped;

  /** Why what needs the log fails; empty while nothing does. */
  private String failure = "";

  /** Why the last transition has failed; empty if it has not. */
  private String lastProblem = "";

  private volatile BowView view;

  BowCore(Geometry blocks, Effects out) {
    this.blocks = blocks;
    this.blockBytes = (int) blocks.partBytes();
    this.out = out;
    this.ranges = new BowRanges(blocks.count());
    this.bits = new BlockBits(blocks.count());
    this.begin = new CheckpointBegin(this, out, blockBytes);
    this.commit = new CheckpointCommit(this, out, blockBytes);
    this.mark = new SpaceMark(out);
    this.move = new Block0Move(this);
    this.flushes = new Flushes(this, out);
    this.view = new BowView(state, bits, 0, false, false);
  }

  BowView view() {
    return view;
  }

  InFlightEpochs epochs() {
    return epochs;
  }

  BowRanges ranges() {
    return ranges;
  }

  BowState state() {
    return state;
  }

  boolean hasFailed() {
    return !failure.isEmpty();
  }

  Flushes flushes() {
    return flushes;
  }

  long current0() {
    return current0;
  }

  boolean isSavingNothing() {
    return inFlight.isEmpty() && (log == null || log.isIdle());
  }

  /** Nothing is under way that the core has begun. */
  boolean isQuiet() {
    return isSavingNothing() && flushes.isIdle() && begin.isIdle() && commit.isIdle();
  }

  /** Has the view show what is so now; only then are tickets waited for (B7). */
  void publish() {
    boolean isHeld =
        state == BowState.CHECKPOINTING || state == BowState.COMMITTING || move.isUnderWay();
    long block0Bytes = isHeld ? BowView.HELD : blocks.startOf(current0);
    view = new BowView(state, bits, block0Bytes, hasFailed(), flushes.isOwing());
  }

  private void enter(BowState next) {
    state = next;
    publish();
  }

  // Requests.

  /** Takes over a piece that memory alone could not decide about. */
  void queue(Piece piece) {
    lookAgain();
    dispatch(piece);
  }

  private void dispatch(Piece piece) {
    switch (state) {
      case TRIM -> trim(piece);
      case CHECKPOINTING -> held.add(piece);
      case CHECKPOINT, COMMITTING -> checkpointed(piece);
      case COMMITTED -> {
        if (piece.operation() == Operation.FLUSH) {
          flushes.add(piece);
        } else {
          pass(piece, piece.offsetBytes());
        }
      }
    }
  }

  /** Sends a piece down, counted as the mapper counts. */
  private void pass(Piece piece, long atBytes) {
    out.issue(piece, DEVICE, atBytes, epochs.enter());
  }

  private long firstBlock(Piece piece) {
    return blocks.partOf(piece.offsetBytes());
  }

  private long endBlock(Piece piece) {
    return blocks.partOf(piece.endBytes() - 1) + 1;
  }

  private void trim(Piece piece) {
    switch (piece.operation()) {
      case DISCARD -> {
        free(blocks.firstWhole(piece.offsetBytes()), blocks.partOf(piece.endBytes()));
        out.complete(piece, Errno.OK);
      }
      case WRITE, WRITE_ZEROES -> {
        // What is written becomes worth keeping first (section 8, 8).
        ranges.set(firstBlock(piece), endBlock(piece), RangeType.UNCHANGED);
        bits.put(false, firstBlock(piece), endBlock(piece));
        pass(piece, piece.offsetBytes());
      }
      case FLUSH -> flushes.add(piece);
      case READ, CACHE -> pass(piece, piece.offsetBytes());
    }
  }

  /** State 0: nothing in these blocks is worth keeping. */
  void free(long first, long end) {
    if (first < end) {
      ranges.set(first, end, RangeType.FREE);
      bits.put(true, first, end);
    }
  }

  private void checkpointed(Piece piece) {
    boolean isInBlock0 = piece.offsetBytes() < blockBytes;
    switch (piece.operation()) {
      case FLUSH -> flushes.add(piece);
      case DISCARD -> out.complete(piece, Errno.OK); // Was for state 0: too late to be of use.
      case READ, CACHE -> passToBlock0(piece);
      case WRITE, WRITE_ZEROES -> {
        if (!isInBlock0) {
          write(piece);
        } else if (failure.isEmpty()) {
          passToBlock0(piece);
        } else {
          out.complete(piece, Errno.EIO);
        }
      }
    }
  }

  private void passToBlock0(Piece piece) {
    if (view.holdsBlock0()) {
      held.add(piece);
    } else {
      pass(piece, view.block0Bytes() + piece.offsetBytes());
    }
  }

  // Writes in state 1.

  private void write(Piece piece) {
    long first = firstBlock(piece);
    long end = endBlock(piece);
    OwnedRange owner = inFlight.firstOverlapping(first, end);
    if (owner != null) {
      owner.addWaiter(piece);
      return;
    }
    long toSave = ranges.countToSave(first, end);
    if (toSave > 0 && isRefused(piece, toSave, first, end)) {
      return;
    }
    if (!useFree(first, end)) {
      held.add(piece);
    } else if (toSave == 0) {
      out.issue(piece, DEVICE, piece.offsetBytes());
    } else {
      save(first, end);
      await(piece, first, end);
    }
  }

  /** Whether a write that needs copies cannot have them, now or ever; then it is dealt with. */
  private boolean isRefused(Piece piece, long toSave, long first, long end) {
    long room = ranges.freeBlocks() - ranges.count(first, end, RangeType.FREE);
    long needed = toSave + (first <= reserve && reserve < end ? 1 : 0);
    if (isStopped || hasFailed()) {
      out.complete(piece, Errno.EIO);
    } else if (state == BowState.COMMITTING) {
      held.add(piece);
    } else if (room < needed || (entriesLeft() == 0 && unlogged == 0)) {
      noSpace(piece);
    } else {
      return false;
    }
    return true;
  }

  /** How many more entries can be brought into the log, if the reserve is used for the next one. */
  private long entriesLeft() {
    BowLogWriter now = Objects.requireNonNull(log);
    long roomOfNext = reserve == NONE ? 0 : now.roomOfNext();
    return now.room() + roomOfNext - unlogged;
  }

  /**
   * Free blocks of a range become changed: nothing of them is saved. If the reserve is one of them
   * another block takes its place; without another one it is given up, unless the log needs it.
   *
   * @return false if it does: it will not be the reserve for much longer
   */
  private boolean useFree(long first, long end) {
    for (long block = first; block < end; ) {
      Range range = ranges.at(block);
      long next = Math.min(end, range.end());
      if (range.type() == RangeType.FREE) {
        change(block, next);
      }
      block = next;
    }
    if (reserve < first || reserve >= end) {
      return true;
    }
    if (ranges.freeBlocks() == 0 && unlogged > Objects.requireNonNull(log).room()) {
      return false;
    }
    change(reserve, reserve + 1);
    keepReserve();
    return true;
  }

  private void keepReserve() {
    reserve = ranges.freeBlocks() == 0 ? NONE : ranges.take(1, RangeType.RESERVED).first();
    lookAtSpace();
  }

  /** From now on a write passes without being looked at (B3). */
  private void change(long first, long end) {
    ranges.set(first, end, RangeType.CHANGED);
    bits.put(true, first, end);
  }

  /** Begins copies of what must be saved in a range, as far as there is room in the log. */
  private void save(long first, long end) {
    for (long block = first; block < end; ) {
      Range range = ranges.at(block);
      long next = Math.min(end, range.end());
      while (block < next && range.type().mustBeSaved()) {
        if (entriesLeft() <= 0) {
          return;
        }
        block += beginCopy(block, next - block, range.type()).count();
      }
      block = next;
    }
  }

  private BowBackup beginCopy(long first, long most, RangeType type) {
    BowBackup io = new BowBackup(first, ranges.take(most, RangeType.BACKUP), type);
    inFlight.add(io);
    inFlight.add(io.place);
    unlogged++;
    if (io.isMove()) {
      move.begin(io);
    } else {
      copy(io);
    }
    lookAtSpace();
    return io;
  }

  void copy(BowBackup io) {
    long from = blocks.startOf(io.first());
    long to = blocks.startOf(io.place.first());
    out.copy(io, DEVICE, from, DEVICE, to, blocks.lengthOf(io.first(), io.count()), false);
  }

  /** The piece is looked at again when the first of what it needs has come. */
  private void await(Piece piece, long first, long end) {
    OwnedRange owner = inFlight.firstOverlapping(first, end);
    if (owner == null) {
      held.add(piece);
    } else {
      owner.addWaiter(piece);
    }
  }

  private void noSpace(Piece piece) {
    switch (whenFull) {
      case FAIL -> out.complete(piece, Errno.ENOSPC);
      case STOP -> {
        isStopped = true;
        out.event("no space for copies: writes that need some fail until the checkpoint is ended");
        out.complete(piece, Errno.EIO);
      }
      case COMMIT -> {
        held.add(piece);
        out.event("no space for copies: the checkpoint is committed");
        enter(BowState.COMMITTING);
        commit.begin();
      }
    }
  }

  private void lookAtSpace() {
    mark.look(ranges.freeBlocks(), gainedBlocks);
  }

  // The end of I/O.

  void ended(Job job, int errno) {
    if (job instanceof BowBackup io) {
      copyEnded(io, errno);
    } else if (flushes.owns(job)) {
      flushes.ended(errno);
    } else if (begin.owns(job)) {
      begin.ended(errno);
    } else if (commit.owns(job)) {
      commit.ended(errno);
    } else {
      Objects.requireNonNull(log).ended(errno);
    }
    lookAgain();
  }

  /** Something that was tracked has ended. */
  void lookAgain() {
    move.lookAgain();
    begin.lookAgain();
    commit.lookAgain();
  }

  private void copyEnded(BowBackup io, int errno) {
    if (errno == Errno.OK && failure.isEmpty()) {
      Objects.requireNonNull(log).add(io);
      return;
    }
    RangeType left = io.mayHaveWritten() ? RangeType.CHANGED : RangeType.FREE;
    ranges.set(io.place.first(), io.place.end(), left);
    bits.put(left == RangeType.CHANGED, io.place.first(), io.place.end());
    abandon(io, errno == Errno.OK ? Errno.EIO : errno);
    releaseHeld();
  }

  /** Nothing has been saved: who waits for it fails. */
  private void abandon(BowBackup io, int errno) {
    forget(io);
    for (Piece piece = io.takeWaiters(); piece != null; ) {
      Piece following = piece.next;
      out.complete(piece, errno);
      piece = following;
    }
    again(io.place);
  }

  private void forget(BowBackup io) {
    unlogged--;
    inFlight.remove(io);
    inFlight.remove(io.place);
    move.forget(io);
  }

  /** The log is full: gives the block that was kept for it, and keeps another one. */
  OwnedRange takeReserve() {
    if (reserve == NONE) {
      throw new IllegalStateException("B5: no block is left for the log");
    }
    BowBackup.Place place = new BowBackup.Place(reserve, 1);
    ranges.set(reserve, reserve + 1, RangeType.BACKUP);
    inFlight.add(place);
    logPlace = place;
    keepReserve();
    return place;
  }

  /** Entries are durable: what they save may be overwritten (B2). */
  void logged(List<BowBackup> durable) {
    List<OwnedRange> ended = new ArrayList<>();
    if (logPlace != null) {
      inFlight.remove(logPlace);
      ended.add(logPlace);
      logPlace = null;
    }
    for (BowBackup io : durable) {
      if (io.isMove()) {
        current0 = io.place.first();
        ranges.set(current0, current0 + 1, RangeType.SECTOR0_CURRENT);
      }
      change(io.first(), io.end());
      forget(io);
      ended.add(io);
      ended.add(io.place);
    }
    ended.forEach(this::again);
    releaseHeld();
  }

  /** Looks again at whoever waited for a range, in arrival order. */
  private void again(OwnedRange range) {
    for (Piece piece = range.takeWaiters(); piece != null; ) {
      Piece following = piece.next;
      piece.next = null;
      dispatch(piece);
      piece = following;
    }
  }

  private void releaseHeld() {
    ArrayDeque<Piece> all = held;
    held = new ArrayDeque<>();
    all.forEach(this::dispatch);
  }

  // From state to state.

  /** Why a checkpoint cannot begin now; empty if it can. */
  String beginProblem() {
    if (state != BowState.TRIM) {
      return "it is in state " + state.word();
    }
    return failure.isEmpty() ? CheckpointBegin.problem(ranges) : failure;
  }

  /** State 0 to 1; the end is an event. */
  void begin() {
    enter(BowState.CHECKPOINTING);
    begin.begin();
  }

  void notCheckpointed(String why) {
    enter(BowState.TRIM);
    lastProblem = "checkpoint failed: " + why;
    out.event(lastProblem);
    releaseHeld();
  }

  /** The first log is durable: what was made aside counts. */
  void checkpointed(BowRanges next, byte[] firstSector, long current, long reserveBlock) {
    gainedBlocks = ranges.freeBlocks();
    ranges = next;
    bits = new BlockBits(blocks.count());
    current0 = current;
    reserve = reserveBlock;
    log = new BowLogWriter(this, out, blockBytes, firstSector);
    lastProblem = "";
    enter(BowState.CHECKPOINT);
    out.event("checkpoint");
    lookAtSpace();
    releaseHeld();
  }

  /** State 1 to 2; the end is an event. */
  void commit() {
    enter(BowState.COMMITTING);
    commit.begin();
  }

  /** Part of the log may be gone: it can be tried again, but nothing more be saved. */
  void notCommitted(String why) {
    lastProblem = "commit failed: " + why;
    enter(BowState.CHECKPOINT);
    fail(lastProblem);
  }

  void committed() {
    failure = "";
    lastProblem = "";
    current0 = 0;
    reserve = NONE;
    log = null;
    ranges = new BowRanges(blocks.count());
    bits = new BlockBits(1);
    enter(BowState.COMMITTED);
    out.event("committed");
    releaseHeld();
  }

  /** It is not known what the log on disk says: nothing that would need it goes on (B8). */
  void fail(String why) {
    failure = why;
    flushes.owe();
    enter(state == BowState.CHECKPOINTING ? BowState.TRIM : state);
    out.warn(why);
    out.event(why);
    if (log != null) {
      log.giveUp().forEach(io -> abandon(io, Errno.EIO));
    }
    BowBackup.Place place = logPlace;
    if (place != null) {
      inFlight.remove(place);
      logPlace = null;
      again(place);
    }
    BowBackup waiting = move.notCopying();
    if (waiting != null) {
      abandon(waiting, Errno.EIO);
    }
    releaseHeld();
  }

  // What is shown, and what can be set.

  void setWhenFull(WhenFull next) {
    whenFull = next;
    isStopped = false;
  }

  void setWarnAt(int percent) {
    mark.set(percent);
  }

  /** What has failed last; empty if nothing has. */
  String problem() {
    return failure.isEmpty() ? lastProblem : failure;
  }

  WhenFull whenFull() {
    return whenFull;
  }

  BowStatus status() {
    long free = ranges.freeBlocks() * blockBytes;
    long gained = gainedBlocks < 0 ? free : gainedBlocks * blockBytes;
    BowLogWriter now = log;
    if (now == null) {
      return new BowStatus(state, free, 0, 0, 0, 0, gained);
    }
    long sequence = now.sequence();
    return new BowStatus(
        state, free, now.entries(), sequence + 1, now.backedUpBytes(), sequence, gained);
  }
}
