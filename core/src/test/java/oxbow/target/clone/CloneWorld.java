package oxbow.target.clone;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import oxbow.block.Errno;
import oxbow.block.Flags;
import oxbow.block.Operation;
import oxbow.target.Effects;
import oxbow.target.ExtentQuery;
import oxbow.target.Job;
import oxbow.target.Mapping;
import oxbow.target.Moment;
import oxbow.target.Piece;

/**
 * A clone without threads, files or time: {@link CloneCore} over a source and a destination in
 * memory. I/O that the core asks for waits until the test, or a seed, says that it ends; errors are
 * as the test wants them. A crash keeps what was flushed and a random choice of what was not.
 *
 * <p>Contents are one int per sector: the source holds {@link #sourceValue}, an old destination
 * {@link #STALE}, user writes their own numbers, zeros are 0.
 */
final class CloneWorld implements Effects {
  static final int STALE = -13;
  static final int SECTOR = 512;

  /** A piece as the test sees it: it remembers its answer. */
  static final class UserPiece extends Piece {
    @Nullable UserRequest request;
  }

  /** A request and what has become of it. */
  static final class UserRequest {
    final Operation operation;
    final int firstSector;
    final int sectors;
    final int value;
    final int flags;
    int outstanding;
    int errno;

    /** For the test's own bookkeeping. */
    long order;

    /** What a READ found, sector by sector. */
    final int[] found;

    UserRequest(Operation operation, int firstSector, int sectors, int value, int flags) {
      this.operation = operation;
      this.firstSector = firstSector;
      this.sectors = sectors;
      this.value = value;
      this.flags = flags;
      this.found = new int[sectors];
    }

    boolean isDone() {
      return outstanding == 0;
    }

    @Override
    public String toString() {
      return operation + " " + firstSector + "+" + sectors + " of " + value + " flags " + flags;
    }
  }

  /** I/O in flight: {@code run} makes its effect, then tells the core or the user. */
  static final class InFlight {
    final String what;
    final Runnable run;

    InFlight(String what, Runnable run) {
      this.what = what;
      this.run = run;
    }

    @Override
    public String toString() {
      return what;
    }
  }

  private record Unflushed(long order, int sector, int value) {}

  final int sectors;
  final int regionSectors;
  final int[] source;
  final int[] destination;
  final int[] durable;
  final BitSet sourceHoles = new BitSet();
  final BitSet committed = new BitSet();
  final RegionMap map;
  final CloneCore core;
  final List<InFlight> inFlight = new ArrayList<>();
  final List<String> log = new ArrayList<>();
  final List<String> events = new ArrayList<>();
  long nowNanos = 1_000_000_000L;
  boolean isUserBusy;
  long wakeAtNanos = Long.MAX_VALUE;
  int failSourceReads;
  int failDestinationWrites;
  int failFlushes;
  int failCommits;
  BitSet badSourceSectors = new BitSet();

  private final CloneMapper mapper;
  private final Mapping mapping = new Mapping();
  private final Moment moment = new Moment();
  private final List<Unflushed> unflushed = new ArrayList<>();
  private long writes;

  CloneWorld(int sectors, int regionSectors, CloneOptions options, List<String> tail) {
    this(sectors, regionSectors, options, tail, null, new BitSet());
  }

  /** With a given destination and committed regions: what a crash left. */
  CloneWorld(
      int sectors,
      int regionSectors,
      CloneOptions options,
      List<String> tail,
      int @Nullable [] oldDestination,
      BitSet oldCommitted) {
    this.sectors = sectors;
    this.regionSectors = regionSectors;
    this.source = new int[sectors];
    this.destination = new int[sectors];
    for (int i = 0; i < sectors; i++) {
      source[i] = sourceValue(i);
      destination[i] =
          oldDestination != null ? oldDestination[i] : options.isDestinationZero() ? 0 : STALE;
    }
    this.durable = destination.clone();
    committed.or(oldCommitted);
    CloneGeometry geometry =
        new CloneGeometry((long) sectors * SECTOR, (long) regionSectors * SECTOR);
    this.map = new RegionMap(geometry.regionCount());
    oldCommitted.stream().forEach(region -> map.set(region, 1));
    List<String> words = new ArrayList<>(List.of("m", "d", "s", "8"));
    words.addAll(tail);
    boolean passdown = !tail.contains(CloneArgs.NO_DISCARD_PASSDOWN);
    this.core =
        new CloneCore(parse(words), options, geometry, map, passdown, this::commitRegions);
    this.mapper = new CloneMapper(geometry, map, core);
  }

  private static CloneArgs parse(List<String> words) {
    try {
      return CloneArgs.parse(words);
    } catch (oxbow.target.TargetException e) {
      throw new IllegalArgumentException(e);
    }
  }

  static int sourceValue(int sector) {
    return 1_000_000 + sector;
  }

  /** Makes a range of the source a hole, which reads as zeros. */
  void sourceHole(int firstSector, int count) {
    sourceHoles.set(firstSector, firstSector + count);
    for (int i = firstSector; i < firstSector + count; i++) {
      source[i] = 0;
    }
  }

  // The user.

  UserRequest write(int firstSector, int count, int value) {
    return submit(new UserRequest(Operation.WRITE, firstSector, count, value, 0));
  }

  UserRequest writeFua(int firstSector, int count, int value) {
    return submit(new UserRequest(Operation.WRITE, firstSector, count, value, Flags.FUA));
  }

  UserRequest zero(int firstSector, int count) {
    return submit(new UserRequest(Operation.WRITE_ZEROES, firstSector, count, 0, 0));
  }

  UserRequest read(int firstSector, int count) {
    return submit(new UserRequest(Operation.READ, firstSector, count, 0, 0));
  }

  UserRequest discard(int firstSector, int count) {
    return submit(new UserRequest(Operation.DISCARD, firstSector, count, 0, 0));
  }

  UserRequest cache(int firstSector, int count) {
    return submit(new UserRequest(Operation.CACHE, firstSector, count, 0, 0));
  }

  UserRequest flush() {
    return submit(new UserRequest(Operation.FLUSH, 0, 0, 0, 0));
  }

  /** The frame's work: maps, splits, and sends what memory can decide. */
  UserRequest submit(UserRequest request) {
    request.outstanding = 1;
    long at = (long) request.firstSector * SECTOR;
    long end = at + (long) request.sectors * SECTOR;
    do {
      mapper.map(request.operation, at, end - at, request.flags, mapping);
      long length = mapping.lengthBytes();
      UserPiece piece = new UserPiece();
      piece.request = request;
      piece.set(request.operation, at, length, request.flags, MemorySegment.NULL, 0);
      request.outstanding++;
      if (mapping.isRemap()) {
        issueNow(piece, mapping.slot());
      } else {
        core.queue(piece, now(), this);
      }
      at += length;
    } while (at < end);
    request.outstanding--;
    return request;
  }

  Moment now() {
    return moment.set(nowNanos, isUserBusy);
  }

  void resume() {
    core.resume(now(), this);
  }

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

  // What is in flight.

  /** Ends everything in flight, and what follows from it, oldest first. */
  void finishAll() {
    for (int i = 0; !inFlight.isEmpty(); i++) {
      if (i > 1_000_000) {
        throw new IllegalStateException("does not come to rest: " + inFlight);
      }
      finish(0);
    }
  }

  void finish(int index) {
    InFlight io = inFlight.remove(index);
    log.add(io.what);
    nowNanos += 1000;
    io.run.run();
  }

  /** Ends the first I/O in flight whose description begins so. */
  void finish(String what) {
    for (int i = 0; i < inFlight.size(); i++) {
      if (inFlight.get(i).what.startsWith(what)) {
        finish(i);
        return;
      }
    }
    throw new IllegalStateException("not in flight: " + what + " but " + inFlight);
  }

  boolean isInFlight(String what) {
    return inFlight.stream().anyMatch(io -> io.what.startsWith(what));
  }

  private void start(String what, Runnable run) {
    inFlight.add(new InFlight(what, run));
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

  // Devices.

  private int store(int slot, int sector, int value) {
    if (slot != CloneCore.DESTINATION) {
      throw new IllegalStateException("C11: the source is written");
    }
    destination[sector] = value;
    unflushed.add(new Unflushed(writes++, sector, value));
    return Errno.OK;
  }

  private int writeRange(int firstSector, int count, int value) {
    if (failDestinationWrites > 0) {
      failDestinationWrites--;
      return Errno.EIO;
    }
    for (int i = firstSector; i < firstSector + count; i++) {
      store(CloneCore.DESTINATION, i, value);
    }
    return Errno.OK;
  }

  private int checkSource(int firstSector, int count) {
    if (failSourceReads > 0) {
      failSourceReads--;
      return Errno.EIO;
    }
    int bad = badSourceSectors.nextSetBit(firstSector);
    return bad >= 0 && bad < firstSector + count ? Errno.EIO : Errno.OK;
  }

  private static int sector(long bytes) {
    return Math.toIntExact(bytes / SECTOR);
  }

  private void issueNow(UserPiece piece, int slot) {
    int first = sector(piece.offsetBytes());
    int count = sector(piece.lengthBytes());
    String where = (slot == CloneCore.SOURCE ? " source " : " destination ") + first + "+" + count;
    start(
        "user " + piece.operation() + where + (piece.isFua() ? " FUA" : ""),
        () -> end(piece, transfer(piece, slot, first, count)));
  }

  private int transfer(UserPiece piece, int slot, int first, int count) {
    UserRequest request = Objects.requireNonNull(piece.request);
    switch (piece.operation()) {
      case READ -> {
        int errno = slot == CloneCore.SOURCE ? checkSource(first, count) : Errno.OK;
        for (int i = first; i < first + count; i++) {
          int found = slot == CloneCore.SOURCE ? source[i] : destination[i];
          request.found[i - request.firstSector] = found;
        }
        return errno;
      }
      case WRITE, WRITE_ZEROES, DISCARD -> {
        int errno = writeRange(first, count, request.value);
        if (errno == Errno.OK && piece.isFua()) {
          for (int i = first; i < first + count; i++) {
            int now = i;
            durable[i] = destination[i];
            unflushed.removeIf(write -> write.sector == now);
          }
        }
        return errno;
      }
      case CACHE, FLUSH -> {
        return Errno.OK;
      }
    }
    return Errno.EINVAL;
  }

  private void end(Piece piece, int errno) {
    UserRequest request = Objects.requireNonNull(((UserPiece) piece).request);
    if (errno != Errno.OK && request.errno == Errno.OK) {
      request.errno = errno;
    }
    request.outstanding--;
  }

  // Effects.

  @Override
  public void complete(Piece piece, int errno) {
    end(piece, errno);
  }

  @Override
  public void issue(Piece piece, int slot, long offsetBytes) {
    issueNow((UserPiece) piece, slot);
  }

  @Override
  public void issueRange(
      Piece piece, int slot, Operation operation, long offsetBytes, long lengthBytes, int flags) {
    int first = sector(offsetBytes);
    int count = sector(lengthBytes);
    start(
        "user " + operation + " destination " + first + "+" + count,
        () -> end(piece, writeRange(first, count, 0)));
  }

  @Override
  public void write(Job job, Piece piece, int slot, long offsetBytes, int flags) {
    int first = sector(offsetBytes);
    int count = sector(piece.lengthBytes());
    int value = Objects.requireNonNull(((UserPiece) piece).request).value;
    start("overwrite " + first + "+" + count, () -> ended(job, writeRange(first, count, value)));
  }

  @Override
  public void range(
      Job job, int slot, Operation operation, long offsetBytes, long lengthBytes, int flags) {
    int first = sector(offsetBytes);
    int count = sector(lengthBytes);
    start(
        "range " + operation + " " + first + "+" + count,
        () -> ended(job, writeRange(first, count, 0)));
  }

  @Override
  public void copy(
      Job job, int fromSlot, int toSlot, long offsetBytes, long lengthBytes, boolean skipZeros) {
    int first = sector(offsetBytes);
    int count = sector(lengthBytes);
    start(
        "copy-read " + first + "+" + count,
        () -> {
          int errno = checkSource(first, count);
          int[] data = java.util.Arrays.copyOfRange(source, first, first + count);
          if (errno != Errno.OK) {
            ended(job, errno);
          } else {
            start(
                "copy-write " + first + "+" + count,
                () -> ended(job, copyWrite(first, data, skipZeros)));
          }
        });
  }

  private int copyWrite(int first, int[] data, boolean skipZeros) {
    if (failDestinationWrites > 0) {
      failDestinationWrites--;
      return Errno.EIO;
    }
    for (int i = 0; i < data.length; i++) {
      if (!skipZeros || data[i] != 0) {
        store(CloneCore.DESTINATION, first + i, data[i]);
      }
    }
    return Errno.OK;
  }

  @Override
  public void readForMerge(
      Job job, int slot, long baseBytes, long lengthBytes, long readFromBytes, long readToBytes) {
    int from = sector(readFromBytes);
    int to = sector(readToBytes);
    start(
        "merge-read " + from + "+" + (to - from),
        () -> {
          int errno = checkSource(from, to - from);
          int base = sector(baseBytes);
          int[] buffer = new int[sector(lengthBytes)];
          java.util.Arrays.fill(buffer, STALE * 7);
          System.arraycopy(source, from, buffer, from - base, to - from);
          job.frame = errno == Errno.OK ? new Merge(base, buffer) : null;
          ended(job, errno);
        });
  }

  private record Merge(int base, int[] buffer) {}

  @Override
  public void writeMerged(Job job, Piece pieces, int slot) {
    Merge merge = (Merge) Objects.requireNonNull(job.frame);
    for (Piece piece = pieces; piece != null; piece = piece.next) {
      int at = sector(piece.offsetBytes()) - merge.base;
      int value = Objects.requireNonNull(((UserPiece) piece).request).value;
      java.util.Arrays.fill(merge.buffer, at, at + sector(piece.lengthBytes()), value);
    }
    start(
        "merge-write " + merge.base + "+" + merge.buffer.length,
        () -> ended(job, copyWrite(merge.base, merge.buffer, false)));
  }

  @Override
  public void flushThen(Job job, int slot, @Nullable BlockingTask task) {
    long before = writes;
    start(
        "flush",
        () -> {
          if (failFlushes > 0) {
            failFlushes--;
            ended(job, Errno.EIO);
            return;
          }
          for (Unflushed write : unflushed) {
            if (write.order < before) {
              durable[write.sector] = write.value;
            }
          }
          unflushed.removeIf(write -> write.order < before);
          if (task == null) {
            ended(job, Errno.OK);
          } else {
            start("commit", () -> ended(job, task.run()));
          }
        });
  }

  private int commitRegions(RegionSet regions) {
    if (failCommits > 0) {
      failCommits--;
      return Errno.EIO;
    }
    for (int region = 0; region < map.regionCount(); region++) {
      if (regions.contains(region)) {
        committed.set(region);
      }
    }
    return Errno.OK;
  }

  @Override
  public void extents(ExtentQuery query, int slot, long offsetBytes, long lengthBytes) {
    start(
        "extents",
        () -> {
          int at = sector(offsetBytes);
          int end = at + sector(lengthBytes);
          for (int n = 0; at < end && n < 3; n++) {
            boolean isHole = sourceHoles.get(at);
            int next = isHole ? sourceHoles.nextClearBit(at) : sourceHoles.nextSetBit(at);
            next = next < 0 || next > end ? end : next;
            query.add((long) (next - at) * SECTOR, isHole);
            at = next;
          }
          ended(query, Errno.OK);
        });
  }

  private void ended(Job job, int errno) {
    core.ended(job, errno, now(), this);
  }

  @Override
  public void wakeAt(long nanos) {
    wakeAtNanos = Math.min(wakeAtNanos, nanos);
  }

  @Override
  public void event(String why) {
    events.add(why);
  }

  @Override
  public void warn(String what) {
    log.add("warning: " + what);
  }

  // Views.

  /** What a read would find now, without I/O. */
  int look(int sector) {
    return map.isHydrated(sector / regionSectors) ? destination[sector] : source[sector];
  }

  String hydrated() {
    StringBuilder bits = new StringBuilder();
    for (int region = 0; region < map.regionCount(); region++) {
      bits.append(map.isHydrated(region) ? '1' : '0');
    }
    return bits.toString();
  }

  /** The world after a crash now: flushed contents, and of the rest what the seed keeps. */
  CloneWorld crash(Random random, CloneOptions options, List<String> tail) {
    int[] image = durable.clone();
    for (Unflushed write : unflushed) {
      if (random.nextBoolean()) {
        image[write.sector] = write.value;
      }
    }
    CloneWorld after =
        new CloneWorld(sectors, regionSectors, options, tail, image, committed);
    after.sourceHoles.or(sourceHoles);
    System.arraycopy(source, 0, after.source, 0, sectors);
    return after;
  }

  /** Whether a sector's value is one of the allowed. */
  static boolean isOneOf(int value, int... allowed) {
    return java.util.Arrays.stream(allowed).anyMatch(each -> each == value);
  }

}
