package oxbow.target.snapshot;

import java.util.ArrayList;
import java.util.List;

/**
 * What one device may show, sector by sector: what a read finds now, and what a crash may take it
 * back to. Each value that was ever sent to a sector has an order; a promise, of a flush or FUA,
 * rules out what was sent earlier.
 */
final class SectorModel {
  /** A value, and when it was sent there. */
  private record Entry(long order, int value) {}

  /** What a read may find: one value, but for writes that failed or whose place in time is open. */
  private final List<List<Entry>> now = new ArrayList<>();

  private final List<List<Entry>> afterCrash = new ArrayList<>();

  /** A flush has failed: what was sent before is never promised any more (O3). */
  private long forsakenOrder = -1;

  private SectorModel() {}

  /** A device that holds these values, durably. */
  static SectorModel of(int[] values, long order) {
    SectorModel model = new SectorModel();
    for (int value : values) {
      model.now.add(new ArrayList<>());
      model.afterCrash.add(new ArrayList<>());
      model.settle(model.now.size() - 1, value, order);
    }
    return model;
  }

  /** A device that shows the first sectors of this one as they are at this moment. */
  SectorModel copy(int sectors) {
    SectorModel copy = new SectorModel();
    for (int sector = 0; sector < sectors; sector++) {
      copy.now.add(new ArrayList<>(now.get(sector)));
      copy.afterCrash.add(new ArrayList<>(afterCrash.get(sector)));
    }
    return copy;
  }

  /** From now on its first sectors are what another device shows. */
  void become(SectorModel other) {
    for (int sector = 0; sector < other.sectors(); sector++) {
      now.set(sector, new ArrayList<>(other.now.get(sector)));
      afterCrash.set(sector, new ArrayList<>(other.afterCrash.get(sector)));
    }
    forsakenOrder = Math.max(forsakenOrder, other.forsakenOrder);
  }

  int sectors() {
    return now.size();
  }

  /** A value is sent: a crash may show it from now on. */
  void sent(int sector, int value, long order) {
    afterCrash.get(sector).add(new Entry(order, value));
  }

  /** The value that was sent is there. */
  void written(int sector, int value, long order) {
    now.get(sector).clear();
    now.get(sector).add(new Entry(order, value));
  }

  /** It may be there. */
  void maybeWritten(int sector, int value, long order) {
    now.get(sector).add(new Entry(order, value));
  }

  /** A read has found a value: from now on it is that one; false if it cannot be. */
  boolean found(int sector, int value) {
    List<Entry> entries = now.get(sector);
    if (entries.stream().noneMatch(entry -> entry.value == value)) {
      return false;
    }
    entries.removeIf(entry -> entry.value != value);
    return true;
  }

  boolean mayBeAfterCrash(int sector, int value) {
    List<Entry> entries = afterCrash.get(sector);
    for (int i = 0; i < entries.size(); i++) {
      if (entries.get(i).value == value) {
        return true;
      }
    }
    return false;
  }

  /** When the oldest of the values that may be there now was sent. */
  long orderOf(int sector) {
    return now.get(sector).stream().mapToLong(Entry::order).min().orElseThrow();
  }

  long[] orders() {
    long[] orders = new long[now.size()];
    for (int sector = 0; sector < orders.length; sector++) {
      orders[sector] = orderOf(sector);
    }
    return orders;
  }

  /** A flush has failed. */
  void forsake(long order) {
    forsakenOrder = order;
  }

  boolean isForsaken(long order) {
    return order <= forsakenOrder;
  }

  /** No crash takes the sector back behind what was sent then. */
  void promise(int sector, long order) {
    afterCrash.get(sector).removeIf(entry -> entry.order < order);
  }

  /** The sector holds this, durably. */
  void settle(int sector, int value, long order) {
    now.get(sector).clear();
    now.get(sector).add(new Entry(order, value));
    afterCrash.get(sector).clear();
    afterCrash.get(sector).add(new Entry(order, value));
    forsakenOrder = -1;
  }

  String lawful(int sector) {
    return "now " + now.get(sector) + ", after a crash " + afterCrash.get(sector);
  }
}
