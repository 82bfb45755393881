package oxbow.target.clone;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import oxbow.block.Errno;
import oxbow.block.Flags;
import oxbow.block.Operation;
import oxbow.sim.SimDisk;
import oxbow.target.Geometry;
import oxbow.target.Job;
import oxbow.target.Mapping;
import oxbow.target.Moment;
import oxbow.target.TargetException;

/**
 * A clone without threads, files or time: {@link CloneCore} over a source in memory and a simulated
 * destination, and a user who sends it requests. Commits go to nowhere, or to real metadata: see
 * {@link CloneMachine}.
 *
 * <p>Contents are one int per sector: the source holds {@link #sourceValue}, an old destination
 * {@link #STALE}, user writes their own numbers, zeros are 0.
 */
final class CloneWorld extends SimulatedFrame {
  static final int STALE = -13;

  /**
   * What a world is made of.
   *
   * @param tail words of the table line after the region size
   */
  record Plan(
      int sectors, int regionSectors, CloneOptions options, List<String> tail, Defect defect) {
    Plan(int sectors, int regionSectors, CloneOptions options, String tail) {
      this(
          sectors,
          regionSectors,
          options,
          tail.isEmpty() ? List.of() : List.of(tail.split(" ")),
          Defect.NONE);
    }

    Plan with(CloneOptions otherOptions) {
      return new Plan(sectors, regionSectors, otherOptions, tail, defect);
    }

    Plan with(Defect otherDefect) {
      return new Plan(sectors, regionSectors, options, tail, otherDefect);
    }

    /** The plan after an unclean stop: that the destination holds zeros is known no more (O6). */
    Plan afterCrash() {
      if (defect == Defect.BELIEVE_IN_ZEROS_AFTER_A_CRASH) {
        return this;
      }
      return with(
          new CloneOptions(
              options.isAdaptive(),
              options.rateBytesPerSecond(),
              options.minimumSharePercent(),
              false,
              options.failureLimit()));
    }

    int regionCount() {
      return Math.ceilDiv(sectors, regionSectors);
    }

    boolean hasPassdown() {
      return !tail.contains(CloneArgs.NO_DISCARD_PASSDOWN);
    }
  }

  final Plan plan;
  final int sectors;
  final int regionSectors;

  /** Regions whose commit has succeeded: their bits are durable. */
  final BitSet committed = new BitSet();

  /** The same after the commit that runs, or that has failed: their bits may be durable. */
  final BitSet attempted = new BitSet();

  final RegionMap map;
  final CloneCore core;
  final CloneMapper mapper;
  boolean isUserBusy;
  boolean isSourceAway;
  int failingCommits;
  int commitErrno = Errno.EIO;

  /** Is told of each request before the clone is. */
  Consumer<UserRequest> whenSent = request -> {};

  private final CloneCommitter committer;
  private final Mapping mapping = new Mapping();
  private final Moment moment = new Moment();
  private long requests;

  /** A new clone whose commits always succeed. */
  CloneWorld(Plan plan) {
    this(plan, freshSource(plan.sectors), freshDestination(plan), new BitSet(), it -> Errno.OK);
  }

  /** A small world of 4 regions of 4 sectors, as a table line alone makes it. */
  CloneWorld(String tail) {
    this(new Plan(16, 4, CloneOptions.TABLE, tail));
  }

  /**
   * A clone over what there is already.
   *
   * @param hydrated the regions whose bits are durable
   */
  CloneWorld(
      Plan plan, int[] source, SimDisk destination, BitSet hydrated, CloneCommitter committer) {
    super(plan.defect, source, destination, plan.options.isDestinationZero());
    this.plan = plan;
    this.sectors = plan.sectors;
    this.regionSectors = plan.regionSectors;
    this.committer = committer;
    committed.or(hydrated);
    attempted.or(hydrated);
    Geometry geometry = new Geometry((long) sectors * SECTOR, (long) regionSectors * SECTOR);
    this.map = new RegionMap(geometry.count());
    hydrated.stream().forEach(region -> map.set(region, 1));
    List<String> words = new ArrayList<>(List.of("m", "d", "s", "8"));
    words.addAll(plan.tail);
    this.core =
        new CloneCore(
            parse(words),
            plan.options,
            geometry,
            map,
            plan.hasPassdown(),
            this::commitRegions,
            () -> isSourceAway);
    this.mapper = new CloneMapper(geometry, map, core);
  }

  /** Each sector holds its {@link #sourceValue}. */
  static int[] freshSource(int sectors) {
    int[] contents = new int[sectors];
    Arrays.setAll(contents, CloneWorld::sourceValue);
    return contents;
  }

  /** Zeros if the plan says so, or else what somebody left there. */
  static SimDisk freshDestination(Plan plan) {
    int[] contents = new int[plan.sectors];
    Arrays.fill(contents, plan.options.isDestinationZero() ? 0 : STALE);
    return SimulatedDestination.diskOf(contents);
  }

  private static CloneArgs parse(List<String> words) {
    try {
      return CloneArgs.parse(words);
    } catch (TargetException e) {
      throw new IllegalArgumentException(e);
    }
  }

  static int sourceValue(int sector) {
    return 1_000_000 + sector;
  }

  /** Makes a range of the source a hole, which reads as zeros. */
  CloneWorld sourceHole(int firstSector, int count) {
    sourceHoles.set(firstSector, firstSector + count);
    Arrays.fill(source, firstSector, firstSector + count, 0);
    return this;
  }

  /** Regions that the destination holds already, durably, with the source's contents. */
  CloneWorld hydrated(int firstRegion, int count) {
    map.set(firstRegion, count);
    committed.set(firstRegion, firstRegion + count);
    int first = firstRegion * regionSectors;
    int end = Math.min(sectors, (firstRegion + count) * regionSectors);
    destination.end(destination.submit(first, Arrays.copyOfRange(source, first, end), false, true));
    return this;
  }

  // The user.

  UserRequest write(int firstSector, int count, int value) {
    return submit(Operation.WRITE, firstSector, count, value, 0);
  }

  UserRequest writeFua(int firstSector, int count, int value) {
    return submit(Operation.WRITE, firstSector, count, value, Flags.FUA);
  }

  UserRequest zero(int firstSector, int count) {
    return submit(Operation.WRITE_ZEROES, firstSector, count, 0, 0);
  }

  UserRequest read(int firstSector, int count) {
    return submit(Operation.READ, firstSector, count, 0, 0);
  }

  UserRequest discard(int firstSector, int count) {
    return submit(Operation.DISCARD, firstSector, count, 0, 0);
  }

  UserRequest cache(int firstSector, int count) {
    return submit(Operation.CACHE, firstSector, count, 0, 0);
  }

  UserRequest flush() {
    return submit(Operation.FLUSH, 0, 0, 0, 0);
  }

  /** The frame's work: maps, splits, and sends what memory can decide. */
  UserRequest submit(Operation operation, int firstSector, int count, int value, int flags) {
    UserRequest request = new UserRequest(operation, firstSector, count, value, flags);
    request.order = ++requests;
    request.outstanding = 1;
    whenSent.accept(request);
    long at = (long) firstSector * SECTOR;
    long end = at + (long) count * SECTOR;
    do {
      mapper.map(operation, at, end - at, flags, mapping);
      if (operation == Operation.READ && defect == Defect.FORGET_AFTER_A_FAILED_COMMIT) {
        forgetWhatIsNotCommitted(at);
      }
      long length = mapping.lengthBytes();
      UserPiece piece = new UserPiece();
      piece.request = request;
      piece.set(operation, at, length, flags, MemorySegment.NULL, 0);
      request.outstanding++;
      if (mapping.isRemap()) {
        issueNow(piece, mapping.slot());
      } else if (mapping.isQueue()) {
        queue(piece);
      } else {
        end(piece, mapping.errno());
      }
      at += length;
    } while (at < end);
    request.outstanding--;
    return request;
  }

  private void queue(UserPiece piece) {
    if (!goesAround(piece)) {
      core.queue(piece, now(), this);
    }
  }

  /** Whether a defect has seen to the piece, past the core. */
  private boolean goesAround(UserPiece piece) {
    int first = (int) (piece.offsetBytes() / SECTOR);
    int count = (int) (piece.lengthBytes() / SECTOR);
    boolean isFlush = piece.operation() == Operation.FLUSH;
    boolean isWrite = piece.operation() == Operation.WRITE;
    switch (defect) {
      case SHARE_A_RUNNING_FLUSH -> {
        return isFlush && isInFlight("flush") && sharing.add(piece);
      }
      case SHARE_A_RUNNING_COMMIT -> {
        return isFlush && isInFlight("commit") && sharing.add(piece);
      }
      case ANSWER_FLUSH_BEFORE_COMMIT -> {
        return isFlush && !flushesWaiting.add(piece);
      }
      case SEND_FUA_BEFORE_COMMIT -> {
        boolean isHydrated = isWrite && map.isHydrated(first / regionSectors);
        return isHydrated && issuesNow(piece);
      }
      case WRITE_GOES_AROUND_A_COPY -> {
        boolean isOwned =
            isWrite && core.ownerOf(first / regionSectors, first / regionSectors + 1) != null;
        return isOwned && isInFlight("copy-read") && issuesNow(piece);
      }
      case DISCARD_GOES_AROUND_A_COPY -> {
        boolean isDiscard = piece.operation() == Operation.DISCARD;
        return isDiscard && isInFlight("copy-read") && discardsAsTheKernelDoes(piece, first, count);
      }
      case ZEROES_ARE_A_DISCARD -> {
        boolean isZeroing = piece.operation() == Operation.WRITE_ZEROES;
        return isZeroing && count < regionSectors && endsAtOnce(piece);
      }
      default -> {
        return false;
      }
    }
  }

  private boolean issuesNow(UserPiece piece) {
    issueNow(piece, CloneCore.DESTINATION);
    return true;
  }

  private boolean endsAtOnce(UserPiece piece) {
    end(piece, Errno.OK);
    return true;
  }

  private boolean discardsAsTheKernelDoes(UserPiece piece, int firstSector, int count) {
    int first = Math.ceilDiv(firstSector, regionSectors);
    int end = (firstSector + count) / regionSectors;
    if (first < end) {
      map.set(first, end - first);
      destination.write(first * regionSectors, new int[(end - first) * regionSectors]);
    }
    return endsAtOnce(piece);
  }

  /** A defect reads as if only committed regions were hydrated, once a commit has failed. */
  private void forgetWhatIsNotCommitted(long atBytes) {
    int region = (int) (atBytes / SECTOR) / regionSectors;
    if (core.mode() != CloneMode.READ_WRITE && !committed.get(region)) {
      long end = (long) (region + 1) * regionSectors * SECTOR;
      mapping.remap(CloneCore.SOURCE, atBytes, Math.min(mapping.lengthBytes(), end - atBytes));
    }
  }

  // Time.

  private Moment now() {
    return moment.set(nowNanos, isUserBusy);
  }

  /** Begins: after this the background runs if it may. */
  CloneWorld resume() {
    core.resume(now(), this);
    return this;
  }

  void suspend() {
    core.suspend(now(), this);
  }

  /** The one-second tick. */
  void second() {
    nowNanos += 1_000_000_000L;
    core.everySecond(now(), this);
  }

  /** Lets time pass up to the moment the core wants to be woken at. */
  boolean wake() {
    if (wakeAtNanos == Long.MAX_VALUE) {
      return false;
    }
    nowNanos = Math.max(nowNanos, wakeAtNanos);
    wakeAtNanos = Long.MAX_VALUE;
    core.wake(now(), this);
    return true;
  }

  /** Has the core look again, without letting time pass: what a message does. */
  void nudge() {
    core.wake(now(), this);
  }

  /** Runs everything to the end: I/O, retries, hydration; bounded. */
  void runToRest() {
    for (int i = 0; i < 10_000; i++) {
      finishAll();
      if (!wake()) {
        return;
      }
    }
    throw new IllegalStateException("does not come to rest");
  }

  /** The same until something holds: where a part fails for good, there is no rest. */
  void runToRestUntil(BooleanSupplier holds) {
    for (int i = 0; i < 10_000 && !holds.getAsBoolean(); i++) {
      if (inFlight.isEmpty()) {
        wake();
      } else {
        finish(0);
      }
    }
  }

  @Override
  void ended(Job job, int errno) {
    core.ended(job, errno, now(), this);
  }

  @Override
  void failCommit() {
    failingCommits = 1;
  }

  private int commitRegions(RegionSet regions) {
    if (failingCommits > 0) {
      failingCommits--;
      return fault(commitErrno);
    }
    RegionSet toCommit = defect == Defect.COMMIT_THE_LIVE_MAP ? liveMap() : regions;
    for (int region = 0; region < map.regionCount(); region++) {
      if (toCommit.contains(region)) {
        attempted.set(region);
      }
    }
    int errno = committer.commit(toCommit);
    if (errno != Errno.OK) {
      return fault(errno);
    }
    committed.or(attempted);
    return errno;
  }

  private RegionSet liveMap() {
    RegionSet live = new RegionSet(map.regionCount());
    for (int region = 0; region < map.regionCount(); region++) {
      live.add(region, map.isHydrated(region) ? 1 : 0);
    }
    return live;
  }

  // Views.

  /** What a read would find now, without I/O. */
  int look(int sector) {
    return map.isHydrated(sector / regionSectors) ? destination.contents(sector) : source[sector];
  }

  /** The same for a range. */
  int[] look(int firstSector, int count) {
    int[] found = new int[count];
    Arrays.setAll(found, i -> look(firstSector + i));
    return found;
  }

  /** One digit per region: 1 is hydrated. */
  String hydrated() {
    StringBuilder bits = new StringBuilder();
    for (int region = 0; region < map.regionCount(); region++) {
      bits.append(map.isHydrated(region) ? '1' : '0');
    }
    return bits.toString();
  }

  /** One digit per region: 1 is durable in metadata. */
  String committed() {
    StringBuilder bits = new StringBuilder();
    for (int region = 0; region < map.regionCount(); region++) {
      bits.append(committed.get(region) ? '1' : '0');
    }
    return bits.toString();
  }

  /** The world after a crash now, if metadata keeps what was committed. */
  CloneWorld crash(Random random) {
    SimDisk image = destination.disk.crashImage(random);
    CloneWorld after =
        new CloneWorld(plan.afterCrash(), source, image, committed, regions -> Errno.OK);
    after.sourceHoles.or(sourceHoles);
    return after;
  }
}
