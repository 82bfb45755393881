package oxbow.target.snapshot;

import java.io.IOException;
import java.util.List;
import oxbow.block.BlockDevice;
import oxbow.block.BlockingDevice;
import oxbow.block.Sectors;
import oxbow.format.snapshot.StoreHeader;
import oxbow.target.TargetDevices;
import oxbow.target.TargetException;

/** What snapshot and snapshot-merge have in common when a table line is to become a target. */
final class StoreTargetMaker {
  /** Makes the target when all is checked. */
  @FunctionalInterface
  interface Constructor<T extends StoreTarget> {
    T make(
        SnapshotArgs args,
        long lengthBytes,
        BlockDevice origin,
        BlockDevice store,
        OriginFamily family,
        StoreUse use);
  }

  private final Origins origins;

  StoreTargetMaker(Origins origins) {
    this.origins = origins;
  }

  /**
   * Checks in the kernel's order (C1 to C10). A store that is provably empty is formatted (O11).
   * Blocks.
   *
   * @param isMerge whether the origin will be written to (C6), which needs exceptions on disk (C7)
   */
  <T extends StoreTarget> T make(
      long lengthSectors,
      List<String> words,
      TargetDevices devices,
      boolean isMerge,
      Constructor<T> constructor)
      throws TargetException {
    SnapshotArgs.checkCountAndFeatures(words);
    boolean isWritten = isMerge || SnapshotArgs.passesDiscardsDown(words);
    BlockDevice origin = open(devices, words.get(0), isWritten, "origin");
    checkLength(lengthSectors, origin, words.get(0));
    BlockDevice store = open(devices, words.get(1), true, "COW");
    SnapshotArgs.checkDifferent(origin, store);
    SnapshotArgs args = SnapshotArgs.parse(words);
    int storeBlockBytes = store.limits().blockSizeBytes();
    long chunkSectors = args.chunkSectors(storeBlockBytes);
    SnapshotArgs.checkChunkSize(chunkSectors, origin.limits().blockSizeBytes(), storeBlockBytes);
    if (isMerge) {
      args.checkMergeable();
    }
    OriginFamily family = origins.join(origin);
    StoreUse use = family.use(store);
    T target = constructor.make(args, Sectors.toBytes(lengthSectors), origin, store, family, use);
    try {
      if (use.claim(target)) {
        target.loaded(load(args, chunkSectors, origin, store));
      }
      return target;
    } catch (TargetException refused) {
      target.close();
      throw refused;
    }
  }

  private static BlockDevice open(
      TargetDevices devices, String address, boolean isWritable, String role)
      throws TargetException {
    try {
      return devices.open(address, isWritable);
    } catch (IOException e) {
      throw new TargetException("Cannot get " + role + " device: " + e.getMessage(), e);
    }
  }

  private static void checkLength(long lengthSectors, BlockDevice origin, String address)
      throws TargetException {
    long deviceSectors = Sectors.fromBytes(origin.sizeBytes());
    if (lengthSectors > deviceSectors) {
      throw new TargetException(
          "%s too small for target: start=0, len=%d, dev_size=%d"
              .formatted(address, lengthSectors, deviceSectors));
    }
  }

  private static Exceptions load(
      SnapshotArgs args, long chunkSectors, BlockDevice origin, BlockDevice store)
      throws TargetException {
    long originBytes = origin.sizeBytes();
    if (!args.kind().isPersistent()) {
      TransientStore kept = new TransientStore(chunkSectors, store.sizeBytes());
      return new Exceptions(table(originBytes, kept.chunkBytes()), kept);
    }
    try (BlockingDevice io = new BlockingDevice(store)) {
      // Where header and table line differ the header counts; who reads it next checks it.
      long keptSectors =
          StoreOpener.probe(io) instanceof StoreProbe.Formatted found
                  && StoreHeader.isChunkSize(found.header().chunkSizeSectors())
              ? found.header().chunkSizeSectors()
              : chunkSectors;
      SnapshotArgs.checkChunkSize(
          keptSectors, origin.limits().blockSizeBytes(), store.limits().blockSizeBytes());
      ExceptionTable table = table(originBytes, Sectors.toBytes(keptSectors));
      PersistentStore kept = StoreOpener.open(io, chunkSectors, originBytes, into(table));
      return new Exceptions(table, kept);
    } catch (IOException e) {
      throw new TargetException("Failed to read snapshot metadata: " + e.getMessage(), e);
    }
  }

  private static ExceptionTable table(long originBytes, long chunkBytes) {
    return new ExceptionTable(Math.ceilDiv(originBytes, chunkBytes));
  }

  /** Passes by what is there twice: such a store is refused when it has been read to its end. */
  private static ExceptionSink into(ExceptionTable table) {
    return (oldChunk, newChunk, count) -> {
      if (table.gapLength(oldChunk, count) == count) {
        table.put(oldChunk, newChunk, count);
      }
    };
  }
}
