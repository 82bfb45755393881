package oxbow.inspect;

import java.util.Map;
import java.util.TreeMap;

/** Sectors of a device, kept as ranges that neither overlap nor touch. */
final class SectorSet {
  /** End of each range, by its first sector. */
  private final TreeMap<Long, Long> endByFirst = new TreeMap<>();

  /** Adds so many sectors, at least one, from {@code first} on. */
  void add(long first, long count) {
    long begin = first;
    long end = first + count;
    Map.Entry<Long, Long> before = endByFirst.floorEntry(first);
    if (before != null && before.getValue() >= first) {
      begin = before.getKey();
      end = Math.max(end, before.getValue());
    }
    Map.Entry<Long, Long> next = endByFirst.ceilingEntry(begin);
    while (next != null && next.getKey() <= end) {
      end = Math.max(end, next.getValue());
      endByFirst.remove(next.getKey());
      next = endByFirst.ceilingEntry(begin);
    }
    endByFirst.put(begin, end);
  }

  /** Whether one of so many sectors from {@code first} on is in the set. */
  boolean overlaps(long first, long count) {
    Map.Entry<Long, Long> before = endByFirst.lowerEntry(first + count);
    return before != null && before.getValue() > first;
  }

  void clear() {
    endByFirst.clear();
  }
}
