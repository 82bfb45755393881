package oxbow.target.bow;

import java.util.Comparator;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The device in ranges of blocks, each of one type, neighbours of equal type merged; and those that
 * are free by their length, so that none is ever searched for (section 4 of the format's
 * description, and section 8, 6).
 */
final class BowRanges {
  /** A run of blocks of one type. */
  record Range(long first, long end, RangeType type) {
    long count() {
      return end - first;
    }
  }

  private final long blockCount;
  private final TreeMap<Long, Range> byFirst = new TreeMap<>();

  /** The shortest first. */
  private final TreeSet<Range> free =
      new TreeSet<>(Comparator.comparingLong(Range::count).thenComparingLong(Range::first));

  private long freeBlocks;

  /** All unchanged. */
  BowRanges(long blockCount) {
    this.blockCount = blockCount;
    add(new Range(0, blockCount, RangeType.UNCHANGED));
  }

  /** The same ranges, to be changed aside. */
  BowRanges(BowRanges other) {
    blockCount = other.blockCount;
    byFirst.putAll(other.byFirst);
    free.addAll(other.free);
    freeBlocks = other.freeBlocks;
  }

  /** Those that can be taken. */
  long freeBlocks() {
    return freeBlocks;
  }

  /** The range that a block is in. */
  Range at(long block) {
    return Objects.requireNonNull(byFirst.floorEntry(Objects.checkIndex(block, blockCount)))
        .getValue();
  }

  /** How many blocks of a range have a type. */
  long count(long first, long end, RangeType type) {
    long count = 0;
    for (long block = first; block < end; ) {
      Range range = at(block);
      long next = Math.min(end, range.end);
      count += range.type == type ? next - block : 0;
      block = next;
    }
    return count;
  }

  /** How many blocks of a range must be saved before they are overwritten. */
  long countToSave(long first, long end) {
    return count(first, end, RangeType.UNCHANGED)
        + count(first, end, RangeType.BACKUP)
        + count(first, end, RangeType.SECTOR0_CURRENT);
  }

  /**
   * Takes neighbouring free blocks: from the shortest range that has as many as are wanted, else
   * from the longest, and then fewer. There must be one.
   *
   * @param type theirs from now on
   */
  Range take(long wanted, RangeType type) {
    Range key = new Range(0, wanted, RangeType.FREE);
    Range from = Objects.requireNonNullElseGet(free.ceiling(key), free::last);
    Range taken = new Range(from.first, from.first + Math.min(wanted, from.count()), type);
    set(taken.first, taken.end, type);
    return taken;
  }

  /** Gives a range a type. */
  void set(long first, long end, RangeType type) {
    if (first >= end) {
      return;
    }
    long from = first;
    long to = end;
    Range before = at(first);
    Range after = at(end - 1);
    for (Map.Entry<Long, Range> entry = byFirst.ceilingEntry(before.first);
        entry != null && entry.getKey() < end;
        entry = byFirst.ceilingEntry(before.first)) {
      remove(entry.getValue());
    }
    if (before.first < first) {
      add(new Range(before.first, first, before.type));
    }
    if (after.end > end) {
      add(new Range(end, after.end, after.type));
    }
    Map.Entry<Long, Range> left = byFirst.lowerEntry(first);
    if (left != null && left.getValue().type == type) {
      from = left.getValue().first;
      remove(left.getValue());
    }
    Range right = byFirst.get(end);
    if (right != null && right.type == type) {
      to = right.end;
      remove(right);
    }
    add(new Range(from, to, type));
  }

  private void add(Range range) {
    byFirst.put(range.first, range);
    if (range.type == RangeType.FREE) {
      free.add(range);
      freeBlocks += range.count();
    }
  }

  private void remove(Range range) {
    byFirst.remove(range.first);
    if (range.type == RangeType.FREE) {
      free.remove(range);
      freeBlocks -= range.count();
    }
  }

  /** The original's list, one range a line, by first sector. */
  String list(long blockSectors) {
    StringBuilder lines = new StringBuilder();
    String last = "";
    for (Range range : byFirst.values()) {
      if (!range.type.word().equals(last)) {
        lines
            .append(range.type.word())
            .append(": ")
            .append(range.first * blockSectors)
            .append('\n');
      }
      last = range.type.word();
    }
    return lines.append(top(blockCount * blockSectors)).toString();
  }

  /** The end marker. */
  static String top(long deviceSectors) {
    return "Top: " + deviceSectors;
  }
}
