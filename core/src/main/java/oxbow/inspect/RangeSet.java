package oxbow.inspect;

import java.util.Map;
import java.util.TreeMap;

/** Numbers of sectors, or of blocks, kept as ranges that neither overlap nor touch. */
final class RangeSet {
  /** End of each range, by its first sector. */
  private final TreeMap<Long, Long> endByFirst = new TreeMap<>();

  /** Adds so many, at least one, from {@code first} on. */
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

  /** Whether one of so many from {@code first} on is in the set. */
  boolean overlaps(long first, long count) {
    Map.Entry<Long, Long> before = endByFirst.lowerEntry(first + count);
    return before != null && before.getValue() > first;
  }

  /** Receives parts of ranges. */
  @FunctionalInterface
  interface Visitor {
    void range(long first, long count);
  }

  /** What of the set lies among so many from {@code first} on, ascending. */
  void forEachIn(long first, long count, Visitor visitor) {
    long end = first + count;
    Map.Entry<Long, Long> at = endByFirst.floorEntry(first);
    Long from = at != null && at.getValue() > first ? at.getKey() : endByFirst.higherKey(first);
    for (; from != null && from < end; from = endByFirst.higherKey(from)) {
      long begin = Math.max(from, first);
      long rangeEnd = Math.min(endByFirst.getOrDefault(from, from), end);
      visitor.range(begin, rangeEnd - begin);
    }
  }

  void clear() {
    endByFirst.clear();
  }
}
