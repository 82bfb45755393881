package oxbow.target.bow;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;
import oxbow.block.Errno;
import oxbow.block.Operation;
import oxbow.sim.SimDisk;
import oxbow.sim.SimFrame;
import oxbow.sim.SimRequest;

/**
 * What a user may find in each sector: now, after a crash and a roll forward, and after a crash and
 * a roll back. Knows requests and answers only. Where writes of a sector overlap in time each may
 * be on top. Nothing is promised of a sector that was discarded in state 0 and not written since.
 */
final class BowModel implements SimFrame.Listener {
  /** What was, or is being, written to a sector. */
  private static final class Version {
    final int stamp;
    final long sent;

    /** A discard need not have any effect, nor a write that has failed, or only in part. */
    boolean isSure;

    long answered = Long.MAX_VALUE;
    boolean isDurable;

    /** A flush has failed since: no later one is relied on. */
    boolean isForsaken;

    Version(int stamp, long sent, boolean isSure) {
      this.stamp = stamp;
      this.sent = sent;
      this.isSure = isSure;
    }

    boolean isAnswered() {
      return answered != Long.MAX_VALUE;
    }

    boolean supersedes(Version other) {
      return isSure && isAnswered() && other.answered < sent;
    }
  }

  /** The stamp of what may be anything. */
  private static final int ANYTHING = -1;

  private record Sent(long at, List<Set<Integer>> readable) {}

  private final int sectorsPerBlock;
  private final List<List<Version>> versions = new ArrayList<>();
  private final Map<SimRequest, Sent> sent = new HashMap<>();
  private final BooleanSupplier isTrim;
  private List<Set<Integer>> atCheckpoint = List.of();

  /** What a roll back has brought: every other one must bring the same. */
  private final Map<Integer, Integer> restored = new HashMap<>();

  private long clock;

  BowModel(int sectors, int firstStamp, int sectorsPerBlock, BooleanSupplier isTrim) {
    this.sectorsPerBlock = sectorsPerBlock;
    this.isTrim = isTrim;
    for (int sector = 0; sector < sectors; sector++) {
      versions.add(new ArrayList<>(List.of(settled(firstStamp + sector))));
    }
  }

  /** Written, and durably, before now. */
  private Version settled(int stamp) {
    Version version = new Version(stamp, clock, true);
    version.answered = clock;
    version.isDurable = true;
    return version;
  }

  private static boolean isAnything(Set<Integer> stamps) {
    return stamps.contains(ANYTHING);
  }

  @Override
  public void sending(SimRequest request) {
    clock++;
    List<Set<Integer>> readable = new ArrayList<>();
    for (int sector = request.firstSector(); sector < request.endSector(); sector++) {
      readable.add(live(sector));
    }
    sent.put(request, new Sent(clock, readable));
    switch (request.operation()) {
      case WRITE, WRITE_ZEROES -> add(request, true);
      case DISCARD -> {
        if (isTrim.getAsBoolean()) {
          free(request.firstSector(), request.endSector());
        } else {
          add(request, false);
        }
      }
      case READ, FLUSH, CACHE -> {}
    }
  }

  /** Whole blocks inside are of no interest from now on. */
  void free(int firstSector, int endSector) {
    int first = Math.ceilDiv(firstSector, sectorsPerBlock) * sectorsPerBlock;
    int end = endSector / sectorsPerBlock * sectorsPerBlock;
    for (int sector = first; sector < end; sector++) {
      versions.get(sector).clear();
      versions.get(sector).add(settled(ANYTHING));
    }
  }

  private void add(SimRequest request, boolean isSure) {
    for (int sector = request.firstSector(); sector < request.endSector(); sector++) {
      versions.get(sector).add(new Version(request.stampOf(sector), clock, isSure));
    }
  }

  @Override
  public void answering(SimRequest request) {
    clock++;
    Sent begun = sent.remove(request);
    switch (request.operation()) {
      case WRITE, WRITE_ZEROES, DISCARD -> written(request, begun);
      case READ -> {
        if (request.errno() == Errno.OK) {
          assertFound(request, begun);
        }
      }
      case FLUSH -> {
        if (request.errno() == Errno.OK) {
          flushed(begun.at);
        } else {
          versions.forEach(
              all -> all.forEach(version -> version.isForsaken |= version.isAnswered()));
        }
      }
      case CACHE -> {}
    }
  }

  private void written(SimRequest request, Sent begun) {
    for (int sector = request.firstSector(); sector < request.endSector(); sector++) {
      List<Version> all = versions.get(sector);
      for (Version version : all) {
        if (version.sent == begun.at) {
          version.answered = clock;
          version.isSure &= request.errno() == Errno.OK;
          version.isDurable = request.isFua() && version.isSure;
        }
      }
      prune(all);
    }
  }

  private void flushed(long asked) {
    for (List<Version> all : versions) {
      all.forEach(version -> version.isDurable |= version.answered < asked && !version.isForsaken);
      prune(all);
    }
  }

  private static void prune(List<Version> all) {
    for (Version version : List.copyOf(all)) {
      if (version.isDurable) {
        all.removeIf(other -> other != version && version.supersedes(other));
      }
    }
  }

  /** What a read that begins now may find, of what has been sent. */
  private Set<Integer> live(int sector) {
    Set<Integer> stamps = new HashSet<>();
    List<Version> all = versions.get(sector);
    for (Version version : all) {
      if (all.stream().noneMatch(other -> other.supersedes(version))) {
        stamps.add(version.stamp);
      }
    }
    return stamps;
  }

  private void assertFound(SimRequest read, Sent begun) {
    for (int i = 0; i < read.sectors(); i++) {
      Set<Integer> allowed = begun.readable.get(i);
      if (!isAnything(allowed)) {
        int sector = read.firstSector() + i;
        versions.get(sector).stream()
            .filter(version -> version.sent > begun.at)
            .forEach(version -> allowed.add(version.stamp));
        assertThat(allowed).as(read + ": sector " + sector).contains(read.found(sector));
      }
    }
  }

  /** A checkpoint has been asked for: what is there, or on its way, is what it keeps. */
  void checkpointAsked() {
    List<Set<Integer>> all = new ArrayList<>();
    for (int sector = 0; sector < versions.size(); sector++) {
      all.add(live(sector));
    }
    atCheckpoint = all;
    restored.clear();
  }

  /**
   * Every sector that counts has what was written last before the crash, as far as that is sure.
   */
  void assertForward(SimDisk image) {
    for (int sector = 0; sector < versions.size(); sector++) {
      int found = image.intAt((long) sector * SimDisk.SECTOR_BYTES);
      List<Version> all = versions.get(sector);
      boolean isAllowed =
          all.stream().anyMatch(version -> version.stamp == found || version.stamp == ANYTHING);
      if (!isAllowed) {
        throw new AssertionError(
            "forward: sector %d is %d, not one of %s"
                .formatted(sector, found, all.stream().map(version -> version.stamp).toList()));
      }
    }
  }

  /** Every sector that was not free is as it was at the checkpoint. */
  void assertBack(SimDisk image) {
    for (int sector = 0; sector < atCheckpoint.size(); sector++) {
      Set<Integer> allowed = atCheckpoint.get(sector);
      int found = image.intAt((long) sector * SimDisk.SECTOR_BYTES);
      if (!isAnything(allowed) && !allowed.contains(found)) {
        throw new AssertionError("back: sector %d is %d, not %s".formatted(sector, found, allowed));
      }
      Integer before = isAnything(allowed) ? null : restored.putIfAbsent(sector, found);
      if (before != null && before != found) {
        throw new AssertionError(
            "back: sector %d is %d, and was %d once".formatted(sector, found, before));
      }
    }
  }

  /** Whether a request that is on its way touches a range. */
  boolean isBusy(int firstSector, int endSector, boolean withDiscardsOnly) {
    return sent.keySet().stream()
        .anyMatch(
            request ->
                request.firstSector() < endSector
                    && firstSector < request.endSector()
                    && (!withDiscardsOnly || request.operation() == Operation.DISCARD));
  }
}
