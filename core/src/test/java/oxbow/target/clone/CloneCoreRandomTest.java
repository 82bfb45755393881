package oxbow.target.clone;

import static oxbow.target.clone.CloneWorld.STALE;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import oxbow.block.Errno;
import oxbow.block.Operation;
import oxbow.target.clone.CloneWorld.UserRequest;

/**
 * Aim: no user ever reads what nobody wrote, and nothing that was flushed is lost, whatever the order
 * in which I/O ends. Method: seeded histories of requests over a small world, each completion picked
 * by the seed, against a model of what each sector may hold; crashes now and then, after which only
 * flushed values and later ones may be found.
 */
class CloneCoreRandomTest {
  private static final int HISTORIES = Integer.getInteger("oxbow.histories", 3000);

  @Test
  @DisplayName("R1-R4 W1-W8 D1-D6 F1-F6 M1 M2 Z5 O1 O2 O4-O7: any history, any order of completion")
  void everyHistoryKeepsEveryPromise() {
    Long only = Long.getLong("oxbow.seed");
    for (long seed = only == null ? 0 : only; ; seed++) {
      try {
        new History(seed).run();
      } catch (RuntimeException | AssertionError e) {
        throw new AssertionError(
            "reproduce with: ./mvnw test -pl core -Dtest=CloneCoreRandomTest -Doxbow.seed=" + seed,
            e);
      }
      if (only != null || seed == HISTORIES) {
        return;
      }
    }
  }

  /** One history. For each sector: its value, and what a crash may take it back to. */
  private static final class History {
    private final Random random;
    private final int regionSectors;
    private final int sectors;
    private final CloneOptions options;
    private final List<String> tail;
    private CloneWorld world;
    private final int[] value;
    private final List<List<Entry>> afterCrash = new ArrayList<>();
    private final long[] valueOrder;
    private long orders;
    private final List<UserRequest> running = new ArrayList<>();
    private final List<Flush> flushes = new ArrayList<>();
    private int nextValue = 1;

    /** A value that a crash may leave in a sector, and when it was first sent there. */
    private record Entry(long order, int value) {}

    /** A flush in flight and what it promises: the values answered before it was sent, or later. */
    private record Flush(UserRequest request, long[] promised) {}

    History(long seed) {
      random = new Random(seed);
      regionSectors = 1 << random.nextInt(4);
      sectors = regionSectors * (1 + random.nextInt(6)) + random.nextInt(regionSectors);
      options =
          new CloneOptions(random.nextBoolean(), 0, 10, random.nextBoolean(), 1_000_000);
      List<String> words = new ArrayList<>();
      boolean noHydration = random.nextInt(3) == 0;
      boolean noPassdown = random.nextInt(3) == 0;
      words.add(Integer.toString((noHydration ? 1 : 0) + (noPassdown ? 1 : 0)));
      if (noHydration) {
        words.add(CloneArgs.NO_HYDRATION);
      }
      if (noPassdown) {
        words.add(CloneArgs.NO_DISCARD_PASSDOWN);
      }
      words.addAll(List.of("4", "hydration_threshold", "" + random.nextInt(5)));
      words.addAll(List.of("hydration_batch_size", "" + random.nextInt(4)));
      tail = List.copyOf(words);
      world = new CloneWorld(sectors, regionSectors, options, tail);
      if (random.nextBoolean()) {
        int first = random.nextInt(sectors);
        world.sourceHole(first, 1 + random.nextInt(sectors - first));
      }
      value = world.source.clone();
      valueOrder = new long[sectors];
      for (int i = 0; i < sectors; i++) {
        afterCrash.add(new ArrayList<>(List.of(new Entry(0, value[i]))));
      }
    }

    void run() {
      world.resume();
      for (int step = 0; step < 120; step++) {
        world.isUserBusy = random.nextInt(4) == 0;
        int dice = random.nextInt(20);
        if (dice < 8) {
          submit();
        } else if (dice < 18 && !world.inFlight.isEmpty()) {
          world.finish(random.nextInt(world.inFlight.size()));
        } else if (dice == 18) {
          world.second();
        } else if (random.nextInt(6) == 0) {
          crash();
        } else {
          world.wake();
        }
        settle();
      }
      world.isUserBusy = false;
      world.runToRest();
      settle();
      require(running.isEmpty(), "requests never answered: " + running);
      checkAll();
    }

    private void submit() {
      int first = random.nextInt(sectors);
      int count = 1 + random.nextInt(Math.min(sectors - first, 3 * regionSectors));
      if (random.nextInt(3) == 0) {
        first -= first % regionSectors;
        count = Math.min(regionSectors, sectors - first);
      }
      if (isBusy(first, count)) {
        return;
      }
      switch (random.nextInt(12)) {
        case 0, 1, 2, 3 -> started(world.write(first, count, nextValue++));
        case 4 -> started(world.writeFua(first, count, nextValue++));
        case 5 -> started(world.zero(first, count));
        case 6, 7, 8 -> started(world.read(first, count));
        case 9 -> started(world.discard(first, count));
        case 10 -> started(world.cache(first, count));
        default -> flushes.add(new Flush(world.flush(), valueOrder.clone()));
      }
    }

    /** Requests that overlap in flight have no defined result: the user does not send them. */
    private boolean isBusy(int first, int count) {
      return running.stream()
          .anyMatch(r -> first < r.firstSector + r.sectors && r.firstSector < first + count);
    }

    /** From its submission on, a crash may already show the new value of a write. */
    private void started(UserRequest request) {
      running.add(request);
      request.order = ++orders;
      if (request.operation.changesData()) {
        for (int i = firstChanged(request); i < endChanged(request); i++) {
          afterCrash.get(i).add(new Entry(request.order, request.value));
        }
      }
    }

    /** A discard counts for whole regions only (D1, D2). */
    private int firstChanged(UserRequest request) {
      return request.operation == Operation.DISCARD
          ? Math.ceilDiv(request.firstSector, regionSectors) * regionSectors
          : request.firstSector;
    }

    private int endChanged(UserRequest request) {
      int end = request.firstSector + request.sectors;
      return request.operation == Operation.DISCARD ? end - end % regionSectors : end;
    }

    private void settle() {
      for (UserRequest request : List.copyOf(running)) {
        if (request.isDone()) {
          running.remove(request);
          answered(request);
        }
      }
      for (Flush flush : List.copyOf(flushes)) {
        if (flush.request.isDone()) {
          flushes.remove(flush);
          require(flush.request.errno == Errno.OK, "a flush failed");
          for (int i = 0; i < sectors; i++) {
            promise(i, flush.promised[i]);
          }
        }
      }
    }

    private void answered(UserRequest request) {
      require(request.errno == Errno.OK, request + " failed: " + request.errno);
      if (request.operation == Operation.READ) {
        for (int i = 0; i < request.sectors; i++) {
          check(request.firstSector + i, request.found[i], "read");
        }
      }
      if (!request.operation.changesData()) {
        return;
      }
      boolean maybeNothing =
          request.operation == Operation.DISCARD && tail.contains(CloneArgs.NO_DISCARD_PASSDOWN);
      for (int i = firstChanged(request); i < endChanged(request); i++) {
        // D5: without passdown hydrated regions keep their contents, others read as zeros (O7).
        if (maybeNothing && world.look(i) != 0) {
          check(i, world.look(i), "after a discard");
        } else {
          value[i] = request.value;
          valueOrder[i] = request.order;
        }
        if (request.flags != 0) {
          promise(i, valueOrder[i]);
        }
      }
    }

    /** A flush or FUA was answered: no crash takes the sector back behind this value. */
    private void promise(int sector, long order) {
      afterCrash.get(sector).removeIf(entry -> entry.order < order);
    }

    private void checkAll() {
      for (int i = 0; i < sectors; i++) {
        check(i, world.look(i), "at the end");
      }
    }

    private void check(int sector, int found, String when) {
      require(found != STALE, "sector " + sector + " " + when + ": old destination contents");
      require(
          found == value[sector],
          "sector " + sector + " " + when + ": found " + found + ", not " + value[sector]);
    }

    private void crash() {
      world = world.crash(random, options.isDestinationZero() ? notFresh() : options, tail);
      running.clear();
      flushes.clear();
      for (int i = 0; i < sectors; i++) {
        int found = world.look(i);
        require(
            afterCrash.get(i).stream().anyMatch(entry -> entry.value == found),
            "after a crash sector " + i + " holds " + found + ", not one of " + afterCrash.get(i));
        value[i] = found;
        valueOrder[i] = orders;
        afterCrash.set(i, new ArrayList<>(List.of(new Entry(orders, found))));
      }
      world.resume();
    }

    /** O6: after any stop the knowledge that the destination holds zeros is gone. */
    private CloneOptions notFresh() {
      return new CloneOptions(
          options.isAdaptive(), 0, 10, false, options.failureLimit());
    }

    private void require(boolean condition, String what) {
      if (!condition) {
        int from = Math.max(0, world.log.size() - 40);
        throw new AssertionError(
            what + "\n  last: " + String.join("\n  ", world.log.subList(from, world.log.size())));
      }
    }
  }
}
