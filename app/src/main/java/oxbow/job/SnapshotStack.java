package oxbow.job;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockDevice;
import oxbow.block.BlockingDevice;
import oxbow.console.UserException;
import oxbow.mapped.MappedDevice;
import oxbow.target.snapshot.SnapshotFigures;
import oxbow.target.snapshot.SnapshotTarget;
import oxbow.target.snapshot.StoreOpener;

/**
 * The devices of a running snapshot, from the plan to their end: the snapshot, and the origin's own
 * device where that is served.
 *
 * <p>The order of creation makes a crash at any moment harmless: the store comes first, with its
 * size and its name durable, then its format, header last. What a crash leaves is therefore one of:
 * nothing; an empty file; a store of zeros; an empty store. Each is what {@link SnapshotChecks}
 * takes for a beginning. The origin is not written before a snapshot that can be relied on is
 * there.
 */
final class SnapshotStack implements AutoCloseable {
  private static final String COMMAND = SnapshotChecks.COMMAND;

  private final SnapshotPlan plan;
  private final DeviceStack devices;
  private final BlockDevice store;
  private final SnapshotTarget target;
  private final MappedDevice snapshot;
  private final @Nullable MappedDevice origin;

  private SnapshotStack(
      SnapshotPlan plan,
      DeviceStack devices,
      BlockDevice store,
      SnapshotTarget target,
      MappedDevice snapshot,
      @Nullable MappedDevice origin) {
    this.plan = plan;
    this.devices = devices;
    this.store = store;
    this.target = target;
    this.snapshot = snapshot;
    this.origin = origin;
  }

  /**
   * Creates what is to be created and puts all together; the devices are suspended. Blocks.
   *
   * @param devices holds those of the plan; gets the others
   * @param name of the snapshot
   * @param originName of the origin's device, where there is one
   * @param listeners hears of a device by its name
   */
  static SnapshotStack build(
      SnapshotPlan plan,
      DeviceStack devices,
      String name,
      String originName,
      Function<String, MappedDevice.Listener> listeners)
      throws UserException, IOException {
    SnapshotOrder order = plan.order();
    BlockDevice store = openStore(plan, devices);
    devices.name("origin", plan.origin());
    devices.name("cow", store);
    Map<String, BlockDevice> below =
        Map.of(plan.originAddress().text(), plan.origin(), plan.storeAddress().text(), store);
    String advice =
        plan.isStoreNew() ? "No snapshot was made." : StoreChecks.lookAt(plan.storeAddress());
    MappedDevice origin = null;
    if (order.isOriginServed()) {
      List<String> words = List.of(plan.originAddress().text());
      origin =
          devices.map(
              originName,
              devices.target("snapshot-origin", plan.lengthBytes(), words, below, advice),
              listeners.apply(originName));
    }
    SnapshotTarget target =
        (SnapshotTarget)
            devices.target("snapshot", plan.lengthBytes(), plan.words(), below, advice);
    MappedDevice snapshot = devices.map(name, target, listeners.apply(name));
    return new SnapshotStack(plan, devices, store, target, snapshot, origin);
  }

  private static BlockDevice openStore(SnapshotPlan plan, DeviceStack devices)
      throws UserException, IOException {
    BlockDevice store = plan.store();
    if (store == null) {
      long sizeBytes = plan.order().createBytes().orElseThrow();
      store = devices.wrap(plan.storeAddress(), devices.create(plan.storeAddress(), sizeBytes));
    } else if (plan.isStoreNew()) {
      devices.syncName(store, "No snapshot was made.");
    }
    if (plan.isStoreNew() && !plan.order().isTransient()) {
      try (BlockingDevice io = new BlockingDevice(store)) {
        StoreOpener.format(io, plan.chunkSectors());
      } catch (IOException failed) {
        throw UserException.failed(COMMAND + ": " + plan.storeAddress().text(), failed)
            .advise("No snapshot was made.");
      }
    }
    return store;
  }

  MappedDevice snapshot() {
    return snapshot;
  }

  /** The origin's device; null where that is not served. */
  @Nullable MappedDevice origin() {
    return origin;
  }

  BlockDevice store() {
    return store;
  }

  /** Figures of now; any thread. */
  SnapshotFigures figures() {
    return snapshot.ask(asked -> target.figures());
  }

  /**
   * Begins: the snapshot first, since it must be active before the first write to the origin. Until
   * both are resumed their requests are held.
   */
  void resume() {
    snapshot.resume();
    if (origin != null) {
      origin.resume();
    }
  }

  /**
   * Flushes what was written: a commit has done so only if there was one after the last write, and
   * writes to chunks that the store has need none. An orderly end leaves nothing that a power cut
   * could take back. Blocks; the devices are suspended.
   */
  void flush() throws IOException {
    if (!plan.order().isTransient()) {
      DeviceStack.flush(store);
    }
    if (origin != null) {
      DeviceStack.flush(plan.origin());
    }
  }

  /** Closes all devices of the plan too. */
  @Override
  public void close() throws IOException {
    devices.close();
  }
}
