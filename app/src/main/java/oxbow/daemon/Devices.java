package oxbow.daemon;

import java.io.IOException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import oxbow.console.UserException;
import oxbow.control.ControlDirectory;
import oxbow.control.ControlException;
import oxbow.control.DeviceRegistry;
import oxbow.control.EventSource;
import oxbow.job.DeviceOpener;

/**
 * The devices of the daemon and all that changes them. What changed is remembered before it is
 * answered. Any thread; blocks.
 */
final class Devices {
  /** A use may end a moment after its event. */
  private static final Duration LOOK_AGAIN = Duration.ofMillis(200);

  private final DeviceOpener opener;
  private final OpenDevices open;
  private final Exports exports;
  private final EventLog events;
  private final StateFile state;
  private final DeviceRegistry registry;
  private final ConcurrentSkipListMap<String, ManagedDevice> devices =
      new ConcurrentSkipListMap<>();

  /**
   * What is to be remembered of each device: what its last change left, whatever one that has not
   * ended has made of it so far. Guarded by {@link #state}, with what follows.
   */
  private final Map<ManagedDevice, StateFile.Entry> settled = new LinkedHashMap<>();

  private boolean isUnsaved;

  /**
   * @param registry where the verbs find the devices
   */
  Devices(
      DeviceOpener opener,
      Exports exports,
      EventLog events,
      StateFile state,
      DeviceRegistry registry) {
    this.opener = opener;
    this.open = new OpenDevices(opener, devices::get);
    this.exports = exports;
    this.events = events;
    this.state = state;
    this.registry = registry;
  }

  ManagedDevice find(String name) throws ControlException {
    ManagedDevice device = devices.get(name);
    if (device == null) {
      throw ControlException.notFound("Device not found");
    }
    return device;
  }

  /** In the order of their names. */
  List<ManagedDevice> all() {
    // One that gets another name has both for a moment.
    return devices.values().stream().distinct().toList();
  }

  OpenDevices open() {
    return open;
  }

  // dmsetup's verbs.

  /**
   * Makes a device, which is there only if all of this succeeds.
   *
   * @param table null for none yet
   * @param orders where it is to be served
   */
  void create(String name, @Nullable String table, boolean isReadOnly, List<ExportOrder> orders)
      throws ControlException {
    TableText text = table == null ? null : TableText.parse(table);
    ManagedDevice device = enter(name, isReadOnly);
    try {
      device.change(
          () -> {
            if (text != null) {
              device.load(text);
              device.resume(false);
            }
            for (ExportOrder order : orders) {
              exports.add(device, order);
            }
            settle(device);
          });
      save();
    } catch (IOException unsaved) {
      ControlException refused =
          new ControlException("cannot be remembered: " + UserException.reason(unsaved), unsaved);
      undo(device, refused);
      throw refused;
    } catch (ControlException | RuntimeException refused) {
      undo(device, refused);
      throw refused;
    }
    events.add("created", name, Map.of());
  }

  private synchronized ManagedDevice enter(String name, boolean isReadOnly)
      throws ControlException {
    checkName(name);
    ManagedDevice device = new ManagedDevice(name, isReadOnly, open, opener, exports, events);
    devices.put(name, device);
    registry.add(device);
    return device;
  }

  private void checkName(String name) throws ControlException {
    if (!ControlDirectory.isName(name)) {
      throw new ControlException(
          "Invalid name " + name + ": letters, digits and ._-+:@ are expected, at most 60");
    }
    if (devices.containsKey(name)) {
      throw ControlException.conflict("A device " + name + " exists already");
    }
  }

  private void undo(ManagedDevice device, Exception why) throws ControlException {
    device.change(
        () -> {
          exports.remove(device, null);
          device.remove();
          unsettle(device);
        });
    forget(device);
    rememberBeside(why);
  }

  private synchronized void forget(ManagedDevice device) {
    devices.remove(device.name(), device);
    registry.remove(device.name());
  }

  /**
   * Ends a device.
   *
   * @param isForced whether its clients are hung up on, and everything on it fails from now on; a
   *     device that others lie on stays, failing
   */
  void remove(String name, boolean isForced) throws ControlException {
    ManagedDevice device = find(name);
    if (isForced) {
      change(name, "failing", this::breakOff);
    }
    change(
        device,
        () -> {
          if (device.openCount() > 0) {
            throw ControlException.conflict("Device or resource busy");
          }
          exports.remove(device, null);
          device.remove();
          unsettle(device);
        });
    forget(device);
    remember();
    events.add("removed", name, Map.of());
  }

  /** Waits until nobody uses a device, but not for longer; whatever ends a use is an event. */
  void awaitUnused(String name, Duration atMost) throws ControlException {
    ManagedDevice device = find(name);
    long deadline = System.nanoTime() + atMost.toNanos();
    try (EventSource news = events.follow()) {
      while (device.openCount() > 0 && System.nanoTime() < deadline && !news.hasEnded()) {
        news.next(LOOK_AGAIN);
      }
    }
  }

  private void breakOff(ManagedDevice device) throws ControlException {
    exports.remove(device, null);
    if (device.block().live() != null) {
      device.load(device.failing());
      device.resume(true);
    }
  }

  void load(String name, String table) throws ControlException {
    TableText text = TableText.parse(table);
    change(name, "loaded", device -> device.load(text));
  }

  void clear(String name) throws ControlException {
    change(name, "cleared", ManagedDevice::clear);
  }

  void suspend(String name, boolean isNoflush) throws ControlException {
    change(name, "suspended", device -> device.suspend(isNoflush));
  }

  void resume(String name, boolean isNoflush) throws ControlException {
    change(
        name,
        "resumed",
        device -> {
          device.resume(isNoflush);
          exports.deviceIsLive(device);
        });
  }

  /** What is done to a device while nobody else changes it. */
  private interface Change {
    void apply(ManagedDevice device) throws ControlException;
  }

  private void change(String name, String kind, Change change) throws ControlException {
    ManagedDevice device = find(name);
    change(device, () -> change.apply(device));
    remember();
    events.add(kind, device.name(), Map.of());
  }

  /** Settles what becomes of a change, also of one that is refused half-way. */
  private void change(ManagedDevice device, ManagedDevice.Change change) throws ControlException {
    try {
      device.change(
          () -> {
            try {
              change.run();
            } finally {
              settle(device);
            }
          });
    } catch (ControlException refused) {
      rememberBeside(refused);
      throw refused;
    }
  }

  synchronized void rename(String name, String newName) throws ControlException {
    ManagedDevice device = find(name);
    checkName(newName);
    exports.checkRename(device, newName);
    change(
        device,
        () -> {
          setName(device, newName);
          exports.renamed(device, name);
        });
    devices.put(newName, device);
    registry.add(device);
    devices.remove(name);
    registry.remove(name);
    remember();
    events.add("renamed", newName, Map.of("oldName", name));
  }

  /**
   * The name changes in all that is to be remembered at once: another's change that is saved now
   * must not have it in one table and not in the next.
   */
  private void setName(ManagedDevice device, String newName) {
    String word = KeptTable.word(device.name());
    String newWord = KeptTable.word(newName);
    UnaryOperator<TableText> renamed =
        table -> table.with(each -> each.equals(word) ? newWord : each);
    synchronized (state) {
      device.rename(newName);
      settled.replaceAll((_, entry) -> entry.with(renamed));
      settle(device);
    }
  }

  // Oxbow's own.

  /**
   * Serves a device at one more address.
   *
   * @return where clients reach it there; null while it has no live table
   */
  @Nullable String export(String name, ExportOrder order) throws ControlException {
    ManagedDevice device = find(name);
    ExportOrder[] actual = {order};
    change(device, () -> actual[0] = exports.add(device, order));
    remember();
    events.add("exported", name, Map.of("listen", actual[0].listen()));
    return exports.uri(device, actual[0]);
  }

  /**
   * @param listen null for all addresses
   */
  void unexport(String name, @Nullable String listen) throws ControlException {
    ManagedDevice device = find(name);
    change(device, () -> exports.remove(device, listen));
    remember();
    Map<String, @Nullable Object> data = new LinkedHashMap<>();
    data.put("listen", listen);
    events.add("unexported", name, data);
  }

  // What lasts.

  /** Notes what a device now is; whoever changes it calls this before anyone else can. */
  private void settle(ManagedDevice device) {
    if (!device.isRemoved()) {
      synchronized (state) { // Until it is noted, no device that it names gets another name.
        StateFile.Entry entry = entry(device);
        isUnsaved |= !entry.equals(settled.put(device, entry));
      }
    }
  }

  private void unsettle(ManagedDevice device) {
    synchronized (state) {
      isUnsaved |= settled.remove(device) != null;
    }
  }

  private void remember() throws ControlException {
    try {
      save();
    } catch (IOException failed) {
      throw new ControlException(
          "it was done, but cannot be remembered: " + UserException.reason(failed), failed);
    }
  }

  private void save() throws IOException {
    synchronized (state) {
      if (isUnsaved) { // Otherwise another's change took this one along.
        state.save(List.copyOf(settled.values()));
        isUnsaved = false;
      }
    }
  }

  /** The user is told of what came first; the next change remembers this one too. */
  private void rememberBeside(Exception first) {
    try {
      remember();
    } catch (ControlException second) {
      first.addSuppressed(second);
    }
  }

  private StateFile.Entry entry(ManagedDevice device) {
    boolean isBroken = device.isToBeResumed();
    return new StateFile.Entry(
        device.name(),
        device.isMadeReadOnly(),
        device.isSuspended() && !isBroken,
        isBroken ? device.inactiveText() : device.liveText(),
        isBroken ? device.textBehind() : device.inactiveText(),
        exports.orders(device));
  }

  /**
   * Makes all devices that are remembered, each after those that it lies on. One that cannot be
   * restored is there without a live table, and served when that has been mended.
   *
   * @param problems takes a line for each
   */
  void restore(List<StateFile.Entry> entries, Consumer<String> problems) {
    Map<String, StateFile.Entry> left = new LinkedHashMap<>();
    entries.forEach(entry -> left.put(entry.name(), entry));
    while (!left.isEmpty()) {
      restoreAfterThoseBelow(left.values().iterator().next(), left, problems);
    }
  }

  private void restoreAfterThoseBelow(
      StateFile.Entry entry, Map<String, StateFile.Entry> left, Consumer<String> problems) {
    left.remove(entry.name());
    for (String below : below(entry)) {
      StateFile.Entry next = left.get(below);
      if (next != null) {
        restoreAfterThoseBelow(next, left, problems);
      }
    }
    try {
      restore(entry);
    } catch (ControlException failed) {
      problems.accept(entry.name() + ": not restored: " + failed.getMessage());
    }
  }

  private static Set<String> below(StateFile.Entry entry) {
    return Stream.of(entry.table(), entry.inactive())
        .filter(Objects::nonNull)
        .flatMap(table -> KeptTable.names(table).stream())
        .collect(Collectors.toSet());
  }

  private void restore(StateFile.Entry entry) throws ControlException {
    ManagedDevice device = enter(entry.name(), entry.isReadOnly());
    synchronized (state) {
      settled.put(device, entry);
    }
    for (ExportOrder order : entry.exports()) {
      exports.add(device, order);
    }
    TableText table = entry.table();
    TableText inactive = entry.inactive();
    device.change(
        () -> {
          if (entry.isSuspended()) {
            TableText next = inactive == null ? table : inactive;
            if (next != null) {
              device.loadWithoutResume(next);
            }
          } else if (table != null) {
            begin(device, table, inactive);
          }
        });
  }

  private void begin(ManagedDevice device, TableText table, @Nullable TableText inactive)
      throws ControlException {
    try {
      device.load(table);
      device.resume(false);
    } catch (ControlException failed) {
      device.loadToBeResumed(table, inactive);
      throw failed;
    }
    if (inactive != null) {
      device.loadIfPossible(inactive);
    }
    exports.deviceIsLive(device);
  }

  /** Tries again what could not be restored; tells of each that now is. */
  void restoreAgain(Consumer<String> news) {
    for (ManagedDevice device : all()) {
      if (isBroken(device)) {
        try {
          device.change(() -> mend(device));
          news.accept(device.name() + ": restored");
          events.add("restored", device.name(), Map.of());
        } catch (ControlException stillBroken) {
          // It was told once; a resume by hand tells it again.
        }
      }
    }
  }

  private void mend(ManagedDevice device) throws ControlException {
    if (device.isToBeResumed()) {
      device.resume(false);
    }
    exports.deviceIsLive(device);
  }

  private boolean isBroken(ManagedDevice device) {
    boolean isLive = device.block().live() != null;
    return device.isToBeResumed() || (isLive && exports.isWaiting(device));
  }

  /** Whether there is something to be tried again. */
  boolean hasBroken() {
    return all().stream().anyMatch(this::isBroken);
  }

  /** Those that are suspended answer what they hold with an error: the end does not resume them. */
  void refuseHeld() {
    all().forEach(device -> device.block().refuseHeld());
  }

  /**
   * Ends all devices, those on which nothing lies first. Nothing of it is remembered.
   *
   * @throws IOException names what did not end; it stays open
   */
  void close() throws IOException {
    Map<String, String> unfinished = new LinkedHashMap<>();
    boolean isProgress = true;
    while (isProgress) {
      isProgress = false;
      for (ManagedDevice device : all()) {
        if (!unfinished.containsKey(device.name()) && open.above(device).isEmpty()) {
          try {
            device.change(device::remove);
            forget(device);
            isProgress = true;
          } catch (ControlException failed) {
            unfinished.put(device.name(), device.name() + ": " + failed.getMessage());
          }
        }
      }
    }
    if (!unfinished.isEmpty()) {
      throw new IOException(String.join("; ", unfinished.values()));
    }
  }
}
