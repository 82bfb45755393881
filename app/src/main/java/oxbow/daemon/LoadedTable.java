package oxbow.daemon;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import oxbow.block.Sectors;
import oxbow.console.UserException;
import oxbow.control.ControlException;
import oxbow.control.TargetLine;
import oxbow.engine.Engine;
import oxbow.job.DeviceOpener;
import oxbow.job.TargetFigures;
import oxbow.mapped.MappedDevice;
import oxbow.mapped.Table;
import oxbow.target.Target;
import oxbow.target.TargetException;
import oxbow.target.TargetType;

/** A table whose targets are there, and what they have open. Used by one thread at a time. */
final class LoadedTable {
  private static final int WORDS_BEFORE_ARGUMENTS = 4;
  private static final long SUSPEND_NANOS = TimeUnit.SECONDS.toNanos(60);

  private final TableText text;
  private final TableDevices devices;
  private final Table table;

  private LoadedTable(TableText text, TableDevices devices, Table table) {
    this.text = text;
    this.devices = devices;
    this.table = table;
  }

  /**
   * Makes the targets of a table; they are suspended. Blocks.
   *
   * @param isTakingOver whether the live table of the same device is suspended for this one
   * @return null when it would have to be, and is not
   * @throws ControlException with device-mapper's sentence; nothing is left open then
   */
  static @Nullable LoadedTable load(
      TableText text,
      ManagedDevice user,
      boolean isTakingOver,
      OpenDevices all,
      DeviceOpener opener)
      throws ControlException {
    TableDevices devices = new TableDevices(all, user, isTakingOver);
    List<MappedDevice> targets = new ArrayList<>();
    boolean isDone = false;
    try {
      for (TableText.Line line : text.lines()) {
        targets.add(map(user, construct(line, devices, opener), opener));
      }
      LoadedTable loaded = new LoadedTable(text, devices, new Table(targets));
      isDone = true;
      return loaded;
    } catch (TargetException refused) {
      if (isTakeOver(refused)) {
        return null;
      }
      throw new ControlException(UserException.reason(refused), refused);
    } catch (IOException failed) {
      throw new ControlException(UserException.reason(failed), failed);
    } finally {
      if (!isDone) {
        abandon(targets, devices, user);
      }
    }
  }

  private static boolean isTakeOver(Throwable refused) {
    for (Throwable why = refused; why != null; why = why.getCause()) {
      if (why instanceof TakeOverException) {
        return true;
      }
    }
    return false;
  }

  private static Target construct(TableText.Line line, TableDevices devices, DeviceOpener opener)
      throws TargetException {
    TargetType type =
        opener
            .types()
            .find(line.target())
            .orElseThrow(() -> new TargetException(line.target() + ": unknown target type"));
    try {
      return type.construct(line.lengthSectors(), line.words(), devices);
    } catch (TargetException refused) {
      throw new TargetException(line.target() + ": " + refused.getMessage(), refused);
    }
  }

  private static MappedDevice map(ManagedDevice user, Target target, DeviceOpener opener)
      throws IOException {
    Engine engine = opener.engine();
    return new MappedDevice(
        user.name(), target, engine.nextLoop(), engine.blocking(), user.block().targetListener());
  }

  private static void abandon(
      List<MappedDevice> targets, TableDevices devices, ManagedDevice user) {
    try {
      if (!targets.isEmpty()) {
        end(new Table(targets));
      }
      devices.close();
    } catch (IOException failed) {
      user.warn("a table that was refused could not be closed: " + UserException.reason(failed));
    }
  }

  /** Closes targets that never ran; suspending them is what they expect first. */
  private static void end(Table table) throws IOException {
    for (Table.Segment each : table.segments()) {
      if (!each.target().suspend(SUSPEND_NANOS)) {
        throw new IOException("what it began has not ended");
      }
    }
    table.close();
  }

  Table table() {
    return table;
  }

  /** As it is to be kept: with the present names of devices. */
  TableText text() {
    return text.with(devices::presentWord);
  }

  /** Addresses of the devices below, the last opened first. */
  List<String> dependencies() {
    return devices.dependencies();
  }

  /** The table lines. */
  List<TargetLine> lines() {
    return lines(MappedDevice::table, _ -> Map.of());
  }

  /** The status lines. May block for a commit. */
  List<TargetLine> status(boolean isNoflush) {
    return lines(target -> target.status(isNoflush), TargetFigures::of);
  }

  private List<TargetLine> lines(
      Function<MappedDevice, String> textOf,
      Function<MappedDevice, Map<String, @Nullable Object>> figuresOf) {
    List<TargetLine> lines = new ArrayList<>();
    for (Table.Segment each : table.segments()) {
      String[] words = textOf.apply(each.target()).split(" ", WORDS_BEFORE_ARGUMENTS);
      lines.add(
          new TargetLine(
              Sectors.fromBytes(each.startBytes()),
              Sectors.fromBytes(each.target().sizeBytes()),
              words[WORDS_BEFORE_ARGUMENTS - 2],
              present(words[WORDS_BEFORE_ARGUMENTS - 1]),
              new LinkedHashMap<>(figuresOf.apply(each.target()))));
    }
    return lines;
  }

  private String present(String words) {
    List<String> shown = new ArrayList<>();
    for (String word : words.split(" ", -1)) {
      shown.add(devices.presentWord(word));
    }
    return String.join(" ", shown);
  }

  /** Ends a table that never was live. Blocks. */
  void discard() throws IOException {
    end(table);
    devices.close();
  }

  /** Ends a table that was replaced. Blocks. */
  void close() throws IOException {
    table.close();
    release();
  }

  /** Gives the devices back; the targets have ended. Blocks. */
  void release() throws IOException {
    devices.close();
  }
}
