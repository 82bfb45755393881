package oxbow.it;

import java.util.Arrays;
import java.util.BitSet;
import java.util.Set;
import java.util.TreeSet;

/**
 * What each sector of a device with a volatile cache may hold, when one client asks one thing after
 * the other. Content goes by stamps; see {@link SectorPattern}. Where somebody is allowed a choice,
 * a sector has several stamps until it is looked at.
 *
 * <ul>
 *   <li>M1 After an orderly end a sector holds one of what it may read as now.
 *   <li>M2 After a crash it may also hold what it held at the last flush, or at any time since.
 * </ul>
 */
final class SectorModel {
  private final Set<Integer>[] now;
  private final Set<Integer>[] afterCrash;
  private final Set<Integer>[] ever;
  private final BitSet unflushed = new BitSet();

  /** All sectors hold the source. */
  @SuppressWarnings({"unchecked", "rawtypes"}) // Arrays of generic types cannot be made otherwise.
  SectorModel(int[] source) {
    now = new Set[source.length];
    Set<Integer> data = Set.of(SectorPattern.SOURCE);
    Set<Integer> hole = Set.of(SectorPattern.ZERO);
    Arrays.setAll(now, sector -> source[sector] == SectorPattern.ZERO ? hole : data);
    afterCrash = now.clone();
    ever = now.clone();
  }

  int sectorCount() {
    return now.length;
  }

  /** A change that was acknowledged. */
  void changed(int first, int count, int stamp) {
    Set<Integer> one = Set.of(stamp);
    for (int sector = first; sector < first + count; sector++) {
      now[sector] = one;
      afterCrash[sector] = with(afterCrash[sector], one);
      ever[sector] = with(ever[sector], one);
    }
    unflushed.set(first, first + count);
  }

  /** A change that may have happened: it was in flight, or the device has the choice. */
  void perhapsChanged(int first, int count, int stamp) {
    Set<Integer> one = Set.of(stamp);
    for (int sector = first; sector < first + count; sector++) {
      now[sector] = with(now[sector], one);
      afterCrash[sector] = with(afterCrash[sector], one);
      ever[sector] = with(ever[sector], one);
    }
    unflushed.set(first, first + count);
  }

  /** From now on the sectors hold whatever was there at any time, or zeros (D9). */
  void revealed(int first, int count) {
    perhapsChanged(first, count, SectorPattern.ZERO);
    for (int sector = first; sector < first + count; sector++) {
      now[sector] = with(now[sector], ever[sector]);
      afterCrash[sector] = with(afterCrash[sector], ever[sector]);
    }
  }

  /** A flush was acknowledged. */
  void flushed() {
    flushed(0, now.length);
  }

  /** A write of these sectors with FUA was acknowledged. */
  void flushed(int first, int count) {
    for (int sector = unflushed.nextSetBit(first);
        sector >= 0 && sector < first + count;
        sector = unflushed.nextSetBit(sector + 1)) {
      afterCrash[sector] = now[sector];
    }
    unflushed.clear(first, first + count);
  }

  /**
   * Each sector may hold what that of another device may hold, or have held since its last flush.
   */
  void mayHoldAsWell(SectorModel other) {
    for (int sector = 0; sector < now.length; sector++) {
      now[sector] = with(now[sector], with(other.now[sector], other.afterCrash[sector]));
      afterCrash[sector] = with(afterCrash[sector], now[sector]);
    }
  }

  boolean mayHold(int sector, int stamp, boolean isCrash) {
    return (isCrash ? afterCrash[sector] : now[sector]).contains(stamp);
  }

  String describe(int sector) {
    return "now %s, after a crash %s".formatted(now[sector], afterCrash[sector]);
  }

  /** The device has been looked at, and nobody uses it. */
  void found(int[] stamps) {
    for (int sector = 0; sector < now.length; sector++) {
      if (now[sector].size() > 1 || afterCrash[sector].size() > 1) {
        now[sector] = Set.of(stamps[sector]);
        afterCrash[sector] = now[sector];
      }
    }
    unflushed.clear();
  }

  private static Set<Integer> with(Set<Integer> all, Set<Integer> more) {
    if (all.containsAll(more)) {
      return all;
    }
    Set<Integer> union = new TreeSet<>(all);
    union.addAll(more);
    return union;
  }
}
