package oxbow.target.clone;

import static oxbow.target.clone.CloneWorld.STALE;

import java.util.ArrayList;
import java.util.List;
import oxbow.block.Errno;
import oxbow.block.Operation;

/**
 * What a user may expect of a clone, sector by sector: what a read finds, and what a crash may take
 * it back to. It knows requests and answers only, and nothing of how a clone works but these: a
 * discard counts for whole regions, and without passdown it leaves hydrated ones as they are.
 */
final class CloneModel {
  private CloneWorld world;
  private final int[] value;

  /** When the present value was sent there. */
  private final long[] valueOrder;

  private final List<List<Entry>> afterCrash = new ArrayList<>();
  private final List<UserRequest> running = new ArrayList<>();
  private final List<Flush> flushes = new ArrayList<>();
  private long lastOrder;

  /** A value that a crash may leave in a sector, and when it was first sent there. */
  private record Entry(long order, int value) {}

  /** A flush in flight and what it promises: the values answered before it was sent, or later. */
  private record Flush(UserRequest request, long[] promised) {}

  /** A model of a world in which nothing has happened yet; hears of all requests from now on. */
  CloneModel(CloneWorld world) {
    this.world = world;
    world.whenSent = this::sent;
    this.value = world.source.clone();
    this.valueOrder = new long[world.sectors];
    for (int i = 0; i < world.sectors; i++) {
      afterCrash.add(new ArrayList<>(List.of(new Entry(0, value[i]))));
    }
  }

  /** Requests that overlap in flight have no defined result: the user does not send them. */
  boolean isBusy(int firstSector, int count) {
    return running.stream()
        .anyMatch(
            request ->
                firstSector < request.endSector() && request.firstSector < firstSector + count);
  }

  /** A request is about to be sent: from now on a crash may show its value. */
  private void sent(UserRequest request) {
    settle();
    // The world numbers requests anew after a crash; the model does not.
    request.order = ++lastOrder;
    if (request.operation == Operation.FLUSH) {
      flushes.add(new Flush(request, valueOrder.clone()));
      return;
    }
    running.add(request);
    if (request.operation.changesData()) {
      for (int i = firstChanged(request); i < endChanged(request); i++) {
        afterCrash.get(i).add(new Entry(request.order, request.value));
      }
    }
  }

  private int firstChanged(UserRequest request) {
    return request.operation == Operation.DISCARD
        ? Math.ceilDiv(request.firstSector, world.regionSectors) * world.regionSectors
        : request.firstSector;
  }

  private int endChanged(UserRequest request) {
    int end = request.endSector();
    return request.operation == Operation.DISCARD ? end - end % world.regionSectors : end;
  }

  /** Takes in what has been answered. */
  void settle() {
    for (int i = 0; i < running.size(); i++) {
      UserRequest request = running.get(i);
      if (request.isDone()) {
        running.remove(i--);
        answered(request);
      }
    }
    for (int i = 0; i < flushes.size(); i++) {
      Flush flush = flushes.get(i);
      if (flush.request.isDone()) {
        flushes.remove(i--);
        flushed(flush);
      }
    }
  }

  private void flushed(Flush flush) {
    if (flush.request.errno != Errno.OK) {
      require(world.hadFaults(), "a flush failed");
      return;
    }
    for (int i = 0; i < world.sectors; i++) {
      promise(i, flush.promised[i]);
    }
  }

  private void answered(UserRequest request) {
    if (request.errno != Errno.OK) {
      require(world.hadFaults(), request + " failed");
      failed(request);
      return;
    }
    if (request.operation == Operation.READ) {
      for (int i = 0; i < request.sectors; i++) {
        check(request.firstSector + i, request.found[i], "read");
      }
    }
    if (!request.operation.changesData()) {
      return;
    }
    boolean maybeNothing =
        request.operation == Operation.DISCARD
            && (!world.plan.hasPassdown() || world.core.mode() != CloneMode.READ_WRITE);
    for (int i = firstChanged(request); i < endChanged(request); i++) {
      // D5: without passdown hydrated regions keep their contents, others read as zeros (O7).
      if (maybeNothing && world.look(i) != 0) {
        check(i, world.look(i), "after a discard");
      } else {
        value[i] = request.value;
        valueOrder[i] = request.order;
      }
      if (request.isFua()) {
        promise(i, valueOrder[i]);
      }
    }
  }

  /** Any part of a write that failed may have happened: each sector is old or new, but stays so. */
  private void failed(UserRequest request) {
    if (!request.operation.changesData()) {
      return;
    }
    for (int i = firstChanged(request); i < endChanged(request); i++) {
      if (world.look(i) == request.value) {
        value[i] = request.value;
        valueOrder[i] = request.order;
      } else {
        check(i, world.look(i), "after " + request);
      }
    }
  }

  /** A flush or FUA was answered: no crash takes the sector back behind this value. */
  private void promise(int sector, long order) {
    afterCrash.get(sector).removeIf(entry -> entry.order < order);
  }

  /** All is quiet: everything was answered, and reads find what was written. */
  void checkAtRest() {
    settle();
    require(running.isEmpty() && flushes.isEmpty(), "never answered: " + running + flushes);
    for (int i = 0; i < world.sectors; i++) {
      check(i, world.look(i), "at rest");
    }
  }

  private void check(int sector, int found, String when) {
    require(found != STALE, "sector " + sector + " " + when + ": old destination contents");
    require(
        found == value[sector],
        "sector " + sector + " " + when + ": found " + found + ", not " + value[sector]);
  }

  /** If power failed now: both extremes of what it might leave are as promised. */
  void checkCrashNow() {
    for (int i = 0; i < world.sectors; i++) {
      boolean isCommitted = world.committed.get(i / world.regionSectors);
      checkAfterCrash(i, isCommitted ? world.destination.durable(i) : world.source[i]);
      checkAfterCrash(i, isCommitted ? world.destination.contents(i) : world.source[i]);
    }
  }

  /** A crash has left, or would leave, this in a sector. */
  void checkAfterCrash(int sector, int found) {
    List<Entry> lawful = afterCrash.get(sector);
    for (int i = 0; i < lawful.size(); i++) {
      if (lawful.get(i).value == found) {
        return;
      }
    }
    require(false, "a crash leaves " + found + " in sector " + sector + ", not one of " + lawful);
  }

  /** Power has failed, and this is what came up again. */
  void crashed(CloneWorld after) {
    // Messages of a failure shall show what led to it.
    after.log.addAll(0, world.log);
    world = after;
    world.whenSent = this::sent;
    running.clear();
    flushes.clear();
    for (int i = 0; i < world.sectors; i++) {
      int found = world.look(i);
      checkAfterCrash(i, found);
      value[i] = found;
      valueOrder[i] = ++lastOrder;
      afterCrash.set(i, new ArrayList<>(List.of(new Entry(lastOrder, found))));
    }
  }

  void require(boolean condition, String what) {
    if (!condition) {
      int from = Math.max(0, world.log.size() - 40);
      throw new AssertionError(
          what + "\n  last: " + String.join("\n  ", world.log.subList(from, world.log.size())));
    }
  }
}
