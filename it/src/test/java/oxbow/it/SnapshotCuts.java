package oxbow.it;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import oxbow.sim.SimDisk;
import oxbow.target.snapshot.StoreOpener;
import oxbow.target.snapshot.StoreProbe;

/**
 * After a power cut a snapshot must open and hold what had been promised, and so must its origin.
 * What was written to the origin is nothing the snapshot may show: for it, what lies in the origin
 * without an exception is wrong as soon as it has changed (F2).
 */
final class SnapshotCuts implements PowerCuts.Judge {
  private static final int ENTRY_BYTES = 16;

  private final Requirements ofSnapshot;
  private final Requirements ofOrigin;
  private final int chunkBytes;

  private SnapshotCuts(Requirements ofSnapshot, Requirements ofOrigin, int chunkBytes) {
    this.ofSnapshot = ofSnapshot;
    this.ofOrigin = ofOrigin;
    this.chunkBytes = chunkBytes;
  }

  /** Cuts of a snapshot that makes its store, and of its origin, which is there. */
  static PowerCuts of(
      Promises ofSnapshot,
      Promises ofOrigin,
      PowerCuts.DiskState origin,
      PowerCuts.DiskState store,
      int chunkBytes,
      long seed) {
    Requirements snapshot = new Requirements(ofSnapshot);
    Requirements changed = new Requirements(ofOrigin);
    return new PowerCuts(
        List.of(snapshot, changed),
        origin,
        store,
        new SnapshotCuts(snapshot, changed, chunkBytes),
        seed);
  }

  @Override
  public void judge(PowerCuts.Image origin, PowerCuts.Image store)
      throws IOException, PowerCuts.Lost {
    byte[] content = origin.bytes();
    if (content == null) {
      throw new IllegalStateException("the origin is there before the program");
    }
    Map<Integer, Integer> exceptions = exceptions(store);
    MemorySegment inOrigin = MemorySegment.ofArray(content);
    byte[] stored = store.bytes();
    MemorySegment inStore = stored == null ? inOrigin : MemorySegment.ofArray(stored);
    int granules = content.length / VolatileModel.GRANULE_BYTES;
    for (int granule = 0; granule < granules; granule++) {
      int at = granule * VolatileModel.GRANULE_BYTES;
      Integer chunk = exceptions.get(at / chunkBytes);
      ofOrigin.check(granule, inOrigin, at);
      if (chunk == null) {
        ofSnapshot.check(granule, inOrigin, at);
      } else {
        ofSnapshot.check(granule, inStore, (long) chunk * chunkBytes + at % chunkBytes);
      }
    }
  }

  /** By chunk of the origin; none before there is a store. */
  private Map<Integer, Integer> exceptions(PowerCuts.Image store)
      throws IOException, PowerCuts.Lost {
    byte[] bytes = store.bytes();
    if (bytes == null || store.isEmpty()) {
      return Map.of();
    }
    StoreProbe probe = StoreOpener.probe(SimDisk.of(bytes, store.size()));
    if (probe.mayBeFormatted()) {
      return Map.of();
    }
    if (!(probe instanceof StoreProbe.Formatted formatted) || !formatted.header().isValid()) {
      throw new PowerCuts.Lost("the next start would refuse " + probe);
    }
    if (store.size() != bytes.length) {
      throw new PowerCuts.Lost("a store of " + store.size() + " bytes");
    }
    return read(ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN));
  }

  /** Areas one after the other, until one is not full. */
  private Map<Integer, Integer> read(ByteBuffer store) {
    Map<Integer, Integer> exceptions = new HashMap<>();
    int entries = chunkBytes / ENTRY_BYTES;
    int chunk = 1;
    while (true) {
      for (int i = 0; i < entries; i++) {
        int at = chunk * chunkBytes + i * ENTRY_BYTES;
        int stored = (int) store.getLong(at + Long.BYTES);
        if (stored == 0) {
          return exceptions;
        }
        exceptions.put((int) store.getLong(at), stored);
      }
      chunk += entries + 1;
    }
  }
}
