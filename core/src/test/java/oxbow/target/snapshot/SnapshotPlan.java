package oxbow.target.snapshot;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import oxbow.format.snapshot.StoreLayout;

/** What a {@link SnapshotMachine} is made of: an origin, and the stores of its snapshots. */
record SnapshotPlan(int originSectors, List<Store> stores, Defect defect) {
  private static final int SECTOR = 512;

  /**
   * A store and the snapshot in it.
   *
   * @param kind P, PO or N
   * @param sectors of the snapshot; not more than the origin has
   * @param storeSectors of the store's disk
   * @param isUsed the disk held another store before, and still does but for what is written anew
   * @param features words of the table line after the chunk size
   */
  record Store(
      String kind,
      int chunkSectors,
      int sectors,
      int storeSectors,
      boolean isUsed,
      List<String> features) {
    boolean isPersistent() {
      return kind.startsWith("P");
    }

    StoreLayout layout() {
      return new StoreLayout(chunkSectors);
    }

    int chunkCount() {
      return Math.ceilDiv(sectors, chunkSectors);
    }

    /** So many exceptions find room, and the store remains valid. */
    int capacity() {
      int chunks = storeSectors / chunkSectors;
      if (!isPersistent()) {
        return chunks;
      }
      StoreLayout layout = layout();
      int data = 0;
      for (int chunk = 1; chunk < chunks; chunk++) {
        data += layout.isMetadata(chunk) ? 0 : 1;
      }
      // The one that fills the last area would need the next area, which does not exist.
      boolean endsWithAnArea = (chunks - 1) % (layout.exceptionsPerArea() + 1) == 0;
      return endsWithAnArea ? data - 1 : data;
    }
  }

  SnapshotPlan with(Defect other) {
    return new SnapshotPlan(originSectors, stores, other);
  }

  /** One to three snapshots of a small origin. */
  static SnapshotPlan random(Random random, Defect defect) {
    // Now and then so many that entries need more than one sector of an area.
    int originSectors = random.nextInt(4) == 0 ? 80 + random.nextInt(60) : 12 + random.nextInt(50);
    List<Store> stores = new ArrayList<>();
    for (int count = 1 + random.nextInt(3); count > 0; count--) {
      String kind = List.of("P", "P", "P", "PO", "PO", "N").get(random.nextInt(6));
      int chunkSectors = List.of(1, 1, 2, 2, 4, 8).get(random.nextInt(6));
      int sectors = random.nextInt(4) == 0 ? 1 + random.nextInt(originSectors) : originSectors;
      int chunks = chunks(random, chunkSectors, Math.ceilDiv(originSectors, chunkSectors));
      int storeSectors = chunks * chunkSectors + random.nextInt(chunkSectors);
      boolean hasDiscards = random.nextInt(4) == 0;
      List<String> features = hasDiscards ? List.of("1", "discard_zeroes_cow") : List.of();
      boolean isUsed = random.nextBoolean();
      stores.add(new Store(kind, chunkSectors, sectors, storeSectors, isUsed, features));
    }
    return new SnapshotPlan(originSectors, List.copyOf(stores), defect);
  }

  /** Of a store: enough for all, too few, or such that an area ends where the disk does. */
  private static int chunks(Random random, int chunkSectors, int originChunks) {
    int perArea = chunkSectors * SECTOR / 16;
    int enough = originChunks + 4 + originChunks / perArea;
    return switch (random.nextInt(6)) {
      case 0 -> 3 + random.nextInt(originChunks + 1);
      case 1 -> perArea + 2 + random.nextInt(2);
      default -> enough;
    };
  }
}
