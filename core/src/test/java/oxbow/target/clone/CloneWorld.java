package oxbow.target.clone;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import java.util.function.BooleanSupplier;
import oxbow.block.Errno;
import oxbow.block.Flags;
import oxbow.block.Operation;
import oxbow.target.Job;
import oxbow.target.Mapping;
import oxbow.target.Moment;
import oxbow.target.TargetException;

/**
 * A clone without threads, files or time: {@link CloneCore} over a source and a destination in
 * memory, and a user who sends it requests. A crash keeps what was flushed and a random choice of
 * what was not.
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

    boolean hasPassdown() {
      return !tail.contains(CloneArgs.NO_DISCARD_PASSDOWN);
    }
  }

  final Plan plan;
  final int sectors;
  final int regionSectors;

  /** Regions whose bits are durable. */
  final BitSet committed = new BitSet();

  final RegionMap map;
  final CloneCore core;
  final CloneMapper mapper;
  boolean isUserBusy;
  boolean isSourceAway;
  int failingCommits;
  int commitErrno = Errno.EIO;

  private final Mapping mapping = new Mapping();
  private final Moment moment = new Moment();
  private long requests;

  CloneWorld(Plan plan) {
    this(plan, freshDestination(plan), new BitSet());
  }

  /** A small world of 4 regions of 4 sectors, as a table line alone makes it. */
  CloneWorld(String tail) {
    this(new Plan(16, 4, CloneOptions.TABLE, tail));
  }

  /** With a given destination and committed regions: what a crash left. */
  private CloneWorld(Plan plan, int[] oldDestination, BitSet oldCommitted) {
    super(plan.defect, freshSource(plan.sectors), oldDestination);
    this.plan = plan;
    this.sectors = plan.sectors;
    this.regionSectors = plan.regionSectors;
    committed.or(oldCommitted);
    CloneGeometry geometry =
        new CloneGeometry((long) sectors * SECTOR, (long) regionSectors * SECTOR);
    this.map = new RegionMap(geometry.regionCount());
    oldCommitted.stream().forEach(region -> map.set(region, 1));
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

  private static int[] freshSource(int sectors) {
    int[] contents = new int[sectors];
    Arrays.setAll(contents, CloneWorld::sourceValue);
    return contents;
  }

  private static int[] freshDestination(Plan plan) {
    int[] contents = new int[plan.sectors];
    Arrays.fill(contents, plan.options.isDestinationZero() ? 0 : STALE);
    return contents;
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
    destination.write(first, Arrays.copyOfRange(source, first, end));
    destination.harden(first, end - first);
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
    long at = (long) firstSector * SECTOR;
    long end = at + (long) count * SECTOR;
    do {
      mapper.map(operation, at, end - at, flags, mapping);
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
    switch (defect) {
      case SHARE_A_RUNNING_FLUSH -> {
        if (piece.operation() == Operation.FLUSH && isInFlight("flush")) {
          sharingTheRunningFlush.add(piece);
          return;
        }
      }
      case DISCARD_GOES_AROUND_A_COPY -> {
        if (piece.operation() == Operation.DISCARD && isInFlight("copy")) {
          discardAsTheKernelDoes(piece);
          return;
        }
      }
      default -> {}
    }
    core.queue(piece, now(), this);
  }

  private void discardAsTheKernelDoes(UserPiece piece) {
    UserRequest request = piece.request();
    int first = Math.ceilDiv(request.firstSector, regionSectors);
    int end = request.endSector() / regionSectors;
    if (first < end) {
      map.set(first, end - first);
      writeZeros(first * regionSectors, (end - first) * regionSectors);
    }
    end(piece, Errno.OK);
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

  private int commitRegions(RegionSet regions) {
    if (failingCommits > 0) {
      failingCommits--;
      return fault(commitErrno);
    }
    for (int region = 0; region < map.regionCount(); region++) {
      boolean isRecorded =
          defect == Defect.COMMIT_THE_LIVE_MAP ? map.isHydrated(region) : regions.contains(region);
      if (isRecorded) {
        committed.set(region);
      }
    }
    return Errno.OK;
  }

  // Views.

  /** What a read would find now, without I/O. */
  int look(int sector) {
    return map.isHydrated(sector / regionSectors) ? destination.contents[sector] : source[sector];
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

  /** The world after a crash now. O6: that the destination holds zeros is known no more. */
  CloneWorld crash(Random random) {
    CloneOptions options = plan.options;
    CloneOptions notFresh =
        new CloneOptions(
            options.isAdaptive(),
            options.rateBytesPerSecond(),
            options.minimumSharePercent(),
            false,
            options.failureLimit());
    CloneWorld after =
        new CloneWorld(plan.with(notFresh), destination.crashImage(random), committed);
    after.sourceHoles.or(sourceHoles);
    System.arraycopy(source, 0, after.source, 0, sectors);
    return after;
  }
}
