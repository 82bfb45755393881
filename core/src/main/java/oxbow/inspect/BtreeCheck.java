package oxbow.inspect;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import oxbow.format.Fault;
import oxbow.format.FormatException;
import oxbow.format.pdata.BtreeNode;
import oxbow.inspect.Findings.Path;
import oxbow.inspect.Findings.Use;

/**
 * Walks a B-tree level by level, goes on past whatever is broken, and keeps the entries of all
 * sound leaves in the order of their keys.
 */
final class BtreeCheck {
  private static final int MAX_DEPTH = 16;

  /** A node to be looked at, with the keys that its parent leaves to it. */
  private record Place(Path path, long low, long high) {}

  /** An entry of a leaf. */
  record Entry(long key, long value, Path leaf) {}

  private final Findings findings;
  private final int valueSizeBytes;
  private final Use use;
  private final List<Entry> entries = new ArrayList<>();
  private final TreeSet<Integer> leafDepths = new TreeSet<>();

  BtreeCheck(Findings findings, Use use, int valueSizeBytes) {
    this.findings = findings;
    this.use = use;
    this.valueSizeBytes = valueSizeBytes;
  }

  /** Entries of all sound leaves. */
  List<Entry> entries() {
    return entries;
  }

  /** Levels, 0 when there is no sound leaf. */
  int depth() {
    return leafDepths.isEmpty() ? 0 : leafDepths.last();
  }

  void walk(Path root) {
    List<Place> level = List.of(new Place(root, 0, Long.MAX_VALUE));
    for (int depth = 1; !level.isEmpty(); depth++) {
      if (depth > MAX_DEPTH) {
        findings.problem(
            Fault.NODE, root, use.word + ": tree deeper than " + MAX_DEPTH + " levels");
        return;
      }
      level = walkLevel(level, depth);
    }
    if (leafDepths.size() > 1) {
      findings.problem(Fault.NODE, root, use.word + ": leaves at different depths " + leafDepths);
    }
    entries.sort((a, b) -> Long.compare(a.key, b.key));
  }

  private List<Place> walkLevel(List<Place> level, int depth) {
    List<Place> below = new ArrayList<>();
    findings.read(
        level.stream().map(Place::path).toList(),
        use,
        (index, bytes, at) -> {
          Place place = level.get(index);
          Path path = place.path;
          BtreeNode node = BtreeNode.decode(bytes, at);
          if (!isSound(node, place, depth)) {
            return;
          }
          int count = node.entryCount();
          for (int i = 0; i < count; i++) {
            if (node.isLeaf()) {
              entries.add(new Entry(node.key(i), node.value(i), path));
            } else {
              long high = i + 1 < count ? node.key(i + 1) : place.high;
              below.add(new Place(path.child(node.value(i)), node.key(i), high));
            }
          }
          if (node.isLeaf()) {
            leafDepths.add(depth);
          }
        });
    return below;
  }

  private boolean isSound(BtreeNode node, Place place, int depth) {
    Path path = place.path;
    try {
      node.check(path.blockNr());
    } catch (FormatException e) {
      findings.problem(e, path);
      return false;
    }
    int expected = node.isLeaf() ? valueSizeBytes : BtreeNode.CHILD_SIZE_BYTES;
    if (node.valueSizeBytes() != expected) {
      findings.problem(
          Fault.NODE,
          path,
          use.word + ": value size " + node.valueSizeBytes() + ", expected " + expected);
      return false;
    }
    if (node.maxEntries() != BtreeNode.maxEntries(expected)) {
      findings.warn(
          "block %d: %s: max_entries %d, a kernel writes %d"
              .formatted(
                  path.blockNr(), use.word, node.maxEntries(), BtreeNode.maxEntries(expected)));
    }
    if (node.padding() != 0) {
      findings.warn("block " + path.blockNr() + ": " + use.word + ": padding is not zero");
    }
    if (node.entryCount() == 0 && !(depth == 1 && node.isLeaf())) {
      findings.problem(Fault.NODE, path, use.word + ": node without entries");
      return false;
    }
    return hasKeysInOrder(node, place);
  }

  private boolean hasKeysInOrder(BtreeNode node, Place place) {
    long low = place.low;
    for (int i = 0; i < node.entryCount(); i++) {
      long key = node.key(i);
      if (key < low || key >= place.high) {
        findings.problem(
            Fault.ORDER,
            place.path,
            "%s: key %d (%s) is not from %d up to, but not including, %d"
                .formatted(use.word, i, Long.toUnsignedString(key), low, place.high));
        return false;
      }
      low = key + 1;
    }
    return true;
  }
}
