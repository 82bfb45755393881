package oxbow.mapped;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import oxbow.block.BlockDevice;
import oxbow.block.BlockingDevice;
import oxbow.block.Sectors;
import oxbow.device.mem.MemDevice;
import oxbow.inspect.SnapshotStoreCheck;
import oxbow.inspect.SnapshotStoreReport;
import oxbow.target.TargetException;
import oxbow.targets.TargetTypes;

/**
 * An origin behind snapshot-origin, and mapped devices on stores of it, all in memory and resumed.
 * When it is closed, and when a device is removed, stores are checked as by {@code oxbow inspect
 * --check}.
 */
final class TestOrigin implements AutoCloseable {
  final List<String> events = Collections.synchronizedList(new ArrayList<>());
  final List<String> warnings = Collections.synchronizedList(new ArrayList<>());
  final TimerLoop timers = new TimerLoop();
  private final TargetTypes types = new TargetTypes();
  private final BlockDevice bytes;
  private final Map<String, BlockDevice> stores = new LinkedHashMap<>();
  private final List<BlockDevice> persistent = new ArrayList<>();
  private final Map<String, MappedDevice> devices = new LinkedHashMap<>();
  private final MappedDevice device;

  TestOrigin(BlockDevice bytes) {
    this.bytes = bytes;
    try {
      device = map("origin", bytes.sizeBytes(), "snapshot-origin", List.of("origin"));
    } catch (TargetException e) {
      throw new AssertionError(e);
    }
    device.resume();
  }

  /** The origin as its users see it. */
  MappedDevice device() {
    return device;
  }

  /** What it lies on. */
  BlockDevice bytes() {
    return bytes;
  }

  /**
   * A snapshot on a new store, resumed.
   *
   * @param tail words of the table line from the kind on
   */
  MappedDevice snapshot(String store, long storeBytes, String tail) throws TargetException {
    return snapshot(store, new MemDevice(storeBytes), tail);
  }

  /** The same on a given device. */
  MappedDevice snapshot(String store, BlockDevice on, String tail) throws TargetException {
    keep(store, on, tail);
    return reopen(store, tail);
  }

  /** The same of the first bytes of the origin only. */
  MappedDevice shortSnapshot(String store, BlockDevice on, long lengthBytes, String tail)
      throws TargetException {
    keep(store, on, tail);
    MappedDevice snapshot = map(store, lengthBytes, "snapshot", words(store, tail));
    snapshot.resume();
    return snapshot;
  }

  private void keep(String store, BlockDevice on, String tail) {
    stores.put(store, on);
    if (tail.startsWith("P")) {
      persistent.add(on);
    }
  }

  MappedDevice reopen(String store, String tail) throws TargetException {
    MappedDevice snapshot = load(store, "snapshot", store, tail);
    snapshot.resume();
    return snapshot;
  }

  MappedDevice merge(String store, String tail) throws TargetException {
    MappedDevice merge = load(store, "snapshot-merge", store, tail);
    merge.resume();
    return merge;
  }

  /** A device that is not resumed yet. */
  MappedDevice load(String name, String type, String store, String tail) throws TargetException {
    return map(name, bytes.sizeBytes(), type, words(store, tail));
  }

  private static List<String> words(String store, String tail) {
    List<String> words = new ArrayList<>(List.of("origin", store));
    words.addAll(List.of(tail.split(" ")));
    return words;
  }

  private MappedDevice map(String name, long lengthBytes, String type, List<String> words)
      throws TargetException {
    MappedDevice mapped =
        new MappedDevice(
            name,
            types
                .find(type)
                .orElseThrow()
                .construct(Sectors.fromBytes(lengthBytes), words, this::open),
            timers,
            Runnable::run,
            new MappedDevice.Listener() {
              @Override
              public void event(long number, String why) {
                events.add(name + " " + number + " " + why);
              }

              @Override
              public void warning(String what) {
                warnings.add(name + " " + what);
              }
            });
    devices.put(name, mapped);
    return mapped;
  }

  private BlockDevice open(String address, boolean isWritable) {
    return address.equals("origin") ? bytes : Objects.requireNonNull(stores.get(address));
  }

  /** Removes the device of that name. */
  void remove(String name) throws IOException {
    MappedDevice removed = Objects.requireNonNull(devices.remove(name));
    assertThat(removed.suspend(TestClone.TIMEOUT_NANOS)).as("%s drained", name).isTrue();
    removed.close();
    for (BlockDevice store : persistent) {
      check(store);
    }
  }

  private static void check(BlockDevice store) throws IOException {
    try (BlockingDevice io = new BlockingDevice(store)) {
      SnapshotStoreReport report = SnapshotStoreCheck.run(io, 20, 20);
      assertThat(report.problems()).isEmpty();
    }
  }

  @Override
  public void close() throws IOException {
    for (String name : List.copyOf(devices.keySet()).reversed()) {
      remove(name);
    }
  }
}
