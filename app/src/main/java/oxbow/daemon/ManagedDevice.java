package oxbow.daemon;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import oxbow.block.Sectors;
import oxbow.console.UserException;
import oxbow.control.ControlException;
import oxbow.control.Device;
import oxbow.control.TargetLine;
import oxbow.job.DeviceOpener;
import oxbow.mapped.MappedDevice;
import oxbow.mapped.Table;
import oxbow.mapped.TableDevice;
import oxbow.target.MessageException;

/**
 * A device of the daemon: its block device, the live table, and the inactive one. Whoever changes
 * it holds its lock; asking does not wait for that.
 */
final class ManagedDevice implements Device {
  private static final Duration SUSPEND_PATIENCE = Duration.ofSeconds(60);

  /**
   * The inactive table.
   *
   * @param loaded null when it has not been opened: that may need the live one suspended
   * @param behind the inactive table again once this one is live; null for none
   */
  private record Inactive(
      KeptTable kept, @Nullable LoadedTable loaded, @Nullable KeptTable behind) {}

  private final OpenDevices devices;
  private final DeviceOpener opener;
  private final Exports exports;
  private final EventLog events;
  private final boolean isReadOnly;
  private final TableDevice block;
  private final ReentrantLock control = new ReentrantLock();

  private volatile @Nullable LoadedTable live;
  private volatile @Nullable Inactive inactive;
  private volatile boolean isRemoved;

  /** Whether its inactive table was live before the daemon was started again. */
  private volatile boolean isToBeResumed;

  /**
   * A device without a table.
   *
   * @param isReadOnly whether it refuses writes whatever its table
   */
  ManagedDevice(
      String name,
      boolean isReadOnly,
      OpenDevices devices,
      DeviceOpener opener,
      Exports exports,
      EventLog events) {
    this.devices = devices;
    this.opener = opener;
    this.exports = exports;
    this.events = events;
    this.isReadOnly = isReadOnly;
    this.block = new TableDevice(name, isReadOnly, new Told());
  }

  /** What its tables' targets tell. */
  private final class Told implements MappedDevice.Listener {
    @Override
    public void event(long number, String why) {
      Map<String, Object> data = new LinkedHashMap<>();
      data.put("eventNumber", number);
      data.put("why", why);
      events.add("event", name(), data);
    }

    @Override
    public void warning(String what) {
      warn(what);
    }
  }

  void warn(String what) {
    events.add("warning", name(), Map.of("what", what));
  }

  /** What is served, and what other devices lie on. */
  TableDevice block() {
    return block;
  }

  boolean isRemoved() {
    return isRemoved;
  }

  /** Something to be done while nobody else changes the device. */
  interface Change {
    void run() throws ControlException;
  }

  /** Changes the device; one change at a time. Blocks. */
  void change(Change change) throws ControlException {
    control.lock();
    try {
      if (isRemoved) {
        throw ControlException.notFound("Device not found");
      }
      change.run();
    } finally {
      control.unlock();
    }
  }

  // Changes.

  /**
   * Makes a table the inactive one, in place of what was there. Blocks.
   *
   * @throws ControlException with device-mapper's sentence; there is no inactive table then
   */
  void load(TableText text) throws ControlException {
    clear();
    isToBeResumed = false;
    KeptTable kept = devices.keep(text);
    inactive = new Inactive(kept, LoadedTable.load(text, this, false, devices, opener), null);
  }

  /** A table that waited for a resume when the daemon ended, and does so again. Opens nothing. */
  void loadWithoutResume(TableText text) throws ControlException {
    clear();
    inactive = new Inactive(devices.keep(text), null, null);
  }

  /** The same, but it is opened if that is possible now: nobody else shall have what it needs. */
  void loadIfPossible(TableText text) throws ControlException {
    try {
      load(text);
    } catch (ControlException notNow) {
      warn("the inactive table waits, unopened: " + notNow.getMessage());
      loadWithoutResume(text);
    }
  }

  /**
   * A table that was live and cannot be restored now; a resume tries again. Opens nothing.
   *
   * @param behind the table that was inactive
   */
  void loadToBeResumed(TableText text, @Nullable TableText behind) throws ControlException {
    clear();
    KeptTable keptBehind = behind == null ? null : devices.keep(behind);
    inactive = new Inactive(devices.keep(text), null, keptBehind);
    isToBeResumed = true;
  }

  /** Whether {@link #loadToBeResumed} was all that happened to it. */
  boolean isToBeResumed() {
    return isToBeResumed;
  }

  /** Drops the inactive table, if there is one. Blocks. */
  void clear() throws ControlException {
    Inactive dropped = inactive;
    inactive = null;
    isToBeResumed = false;
    if (dropped != null && dropped.loaded() != null) {
      try {
        dropped.loaded().discard();
      } catch (IOException failed) {
        throw new ControlException(UserException.reason(failed), failed);
      }
    }
  }

  /**
   * Holds new requests and waits for those in flight. Blocks.
   *
   * @param isNoflush whether what was written below need not be made durable
   */
  void suspend(boolean isNoflush) throws ControlException {
    try {
      block.suspend(SUSPEND_PATIENCE, !isNoflush);
    } catch (IOException failed) {
      throw ControlException.conflict(UserException.reason(failed));
    }
  }

  /**
   * Goes on; with the inactive table, if there is one, for which the live one is suspended first.
   * Blocks.
   *
   * @throws ControlException when that table cannot take over; then all is as it was before
   */
  void resume(boolean isNoflush) throws ControlException {
    Inactive next = inactive;
    if (next == null) {
      if (live == null) {
        throw new ControlException("No table has been loaded");
      }
      try {
        block.resume(null);
      } catch (IllegalStateException refused) {
        throw ControlException.conflict(UserException.reason(refused));
      }
      return;
    }
    boolean wasSuspended = block.isSuspended();
    suspend(isNoflush);
    try {
      swap(next);
    } catch (ControlException refused) {
      if (!wasSuspended) {
        block.resume(null);
      }
      throw refused;
    }
  }

  private void swap(Inactive next) throws ControlException {
    LoadedTable table = next.loaded();
    if (table == null) {
      table =
          Objects.requireNonNull(LoadedTable.load(next.kept().text(), this, true, devices, opener));
    }
    try {
      String obstacle = openCount() == 0 ? null : block.obstacle(table.table());
      if (obstacle != null) {
        throw new IllegalStateException(obstacle);
      }
      block.resume(table.table());
    } catch (IllegalStateException refused) {
      // Its targets have been told; another try loads them again.
      inactive = new Inactive(next.kept(), null, next.behind());
      discard(table);
      throw ControlException.conflict(UserException.reason(refused));
    }
    LoadedTable former = live;
    live = table;
    inactive = next.behind() == null ? null : new Inactive(next.behind(), null, null);
    isToBeResumed = false;
    if (former != null) {
      try {
        former.close();
      } catch (IOException failed) {
        warn("the former table could not be closed: " + UserException.reason(failed));
      }
    }
  }

  private void discard(LoadedTable table) {
    try {
      table.discard();
    } catch (IOException failed) {
      warn("a table that was refused could not be closed: " + UserException.reason(failed));
    }
  }

  void rename(String newName) {
    block.rename(newName);
  }

  /**
   * The end. Blocks.
   *
   * @throws ControlException when it is in use, or does not end; then it is as it was before
   */
  void remove() throws ControlException {
    if (openCount() > 0 || !devices.ifUnused(this, () -> isRemoved = true)) {
      throw ControlException.conflict("Device or resource busy");
    }
    try {
      boolean wasSuspended = block.isSuspended();
      try {
        suspendForEver();
        clear();
        end();
      } catch (ControlException | IOException failed) {
        if (!wasSuspended) {
          block.resume(null);
        }
        throw failed;
      }
    } catch (ControlException failed) {
      isRemoved = false;
      throw failed;
    } catch (IOException failed) {
      isRemoved = false;
      throw new ControlException(UserException.reason(failed), failed);
    }
  }

  /** What can no longer be made durable is told, and does not keep a device that nobody uses. */
  private void suspendForEver() throws ControlException {
    try {
      block.suspend(SUSPEND_PATIENCE, true);
    } catch (IOException failed) {
      suspend(true);
      warn("what was written to it may not be durable: " + UserException.reason(failed));
    }
  }

  /** Closes the live table; the device is suspended. */
  private void end() throws IOException {
    block.close();
    LoadedTable ended = live;
    live = null;
    if (ended != null) {
      ended.release();
    }
  }

  /** A table of the same length on which everything fails, for {@code remove --force}. */
  TableText failing() {
    return new TableText(
        List.of(new TableText.Line(0, Sectors.fromBytes(block.sizeBytes()), "error", List.of())));
  }

  // What others ask.

  /** The live table as it is to be kept; null while there is none. */
  @Nullable TableText liveText() {
    LoadedTable table = live;
    return table == null ? null : table.text();
  }

  /** The inactive table as it is to be kept; null while there is none. */
  @Nullable TableText inactiveText() {
    Inactive next = inactive;
    return next == null ? null : next.kept().text();
  }

  /** The table that becomes the inactive one when that is live; null while there is none. */
  @Nullable TableText textBehind() {
    Inactive next = inactive;
    return next == null || next.behind() == null ? null : next.behind().text();
  }

  @Override
  public String name() {
    return block.name();
  }

  @Override
  public String address() {
    List<String> uris = exports.uris(this);
    return uris.isEmpty() ? block.address() : uris.getFirst();
  }

  @Override
  public boolean isSuspended() {
    return block.isSuspended();
  }

  @Override
  public boolean isReadOnly() {
    return isReadOnly || (live != null && block.limits().isReadOnly());
  }

  /** Whether it was made so. */
  boolean isMadeReadOnly() {
    return isReadOnly;
  }

  @Override
  public int openCount() {
    return exports.clients(this) + devices.above(this).size();
  }

  @Override
  public long eventNumber() {
    return block.eventNumber();
  }

  @Override
  public List<TargetLine> table() {
    LoadedTable table = live;
    return table == null ? List.of() : table.lines();
  }

  @Override
  public String tablesPresent() {
    boolean hasInactive = inactive != null;
    if (live == null) {
      return hasInactive ? "INACTIVE" : "None";
    }
    return hasInactive ? "LIVE & INACTIVE" : "LIVE";
  }

  @Override
  public List<TargetLine> inactiveTable() {
    Inactive next = inactive;
    if (next == null) {
      return List.of();
    }
    if (next.loaded() != null) {
      return next.loaded().lines();
    }
    List<TargetLine> lines = new ArrayList<>();
    for (TableText.Line line : next.kept().text().lines()) {
      lines.add(
          new TargetLine(
              line.startSectors(),
              line.lengthSectors(),
              line.target(),
              String.join(" ", line.words()),
              Map.of()));
    }
    return lines;
  }

  @Override
  public List<TargetLine> status(boolean isNoflush) {
    LoadedTable table = live;
    return table == null ? List.of() : table.status(isNoflush);
  }

  @Override
  public List<String> dependencies() {
    LoadedTable table = live;
    return table == null ? List.of() : table.dependencies();
  }

  @Override
  public String message(long sector, List<String> words) throws ControlException {
    Table table = block.live();
    if (table == null) {
      throw new ControlException("No such device or address");
    }
    if (sector >= Sectors.fromBytes(table.sizeBytes())) {
      throw new ControlException("Target message sector outside device.");
    }
    try {
      return table.at(Sectors.toBytes(sector)).target().message(words);
    } catch (MessageException refused) {
      throw new ControlException(String.valueOf(refused.getMessage()), refused);
    }
  }

  @Override
  public boolean awaitEvent(long afterEvent, Duration atMost) {
    return block.awaitEvent(afterEvent, atMost.toNanos());
  }
}
