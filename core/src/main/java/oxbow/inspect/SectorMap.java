package oxbow.inspect;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Where the contents of each sector lie now. Starts as the identity; kept as runs of sectors whose
 * places ascend with them.
 */
final class SectorMap {
  /** So many sectors, from {@code place} on. */
  record Extent(long place, long count) {}

  /** Runs by their first sector; sectors in none lie where they belong. */
  private final TreeMap<Long, Extent> runs = new TreeMap<>();

  /** Places of so many sectors from {@code first} on, in their order. */
  List<Extent> places(long first, long count) {
    List<Extent> places = new ArrayList<>(1);
    long at = first;
    long end = first + count;
    Map.Entry<Long, Extent> run = runs.floorEntry(first);
    if (run == null || endOf(run) <= first) {
      run = runs.higherEntry(first);
    }
    while (at < end) {
      if (run == null || run.getKey() >= end) {
        add(places, at, end - at);
        break;
      }
      if (run.getKey() > at) {
        add(places, at, run.getKey() - at);
        at = run.getKey();
      }
      long length = Math.min(end, endOf(run)) - at;
      add(places, run.getValue().place() + (at - run.getKey()), length);
      at += length;
      run = runs.higherEntry(run.getKey());
    }
    return places;
  }

  private static void add(List<Extent> places, long place, long count) {
    Extent last = places.isEmpty() ? null : places.getLast();
    if (last != null && last.place() + last.count() == place) {
      places.set(places.size() - 1, new Extent(last.place(), last.count() + count));
    } else {
      places.add(new Extent(place, count));
    }
  }

  /** From now on the sectors from {@code first} on lie in these places. */
  void put(long first, List<Extent> places) {
    long count = places.stream().mapToLong(Extent::count).sum();
    cut(first);
    cut(first + count);
    runs.subMap(first, first + count).clear();
    long at = first;
    for (Extent extent : places) {
      runs.put(at, extent);
      at += extent.count();
    }
  }

  /** Lets a run begin at a sector that lies within one. */
  private void cut(long sector) {
    Map.Entry<Long, Extent> run = runs.lowerEntry(sector);
    if (run != null && endOf(run) > sector) {
      long head = sector - run.getKey();
      Extent whole = run.getValue();
      runs.put(run.getKey(), new Extent(whole.place(), head));
      runs.put(sector, new Extent(whole.place() + head, whole.count() - head));
    }
  }

  /** How many sectors were ever put somewhere. */
  long mappedSectors() {
    return runs.values().stream().mapToLong(Extent::count).sum();
  }

  private static long endOf(Map.Entry<Long, Extent> run) {
    return run.getKey() + run.getValue().count();
  }
}
