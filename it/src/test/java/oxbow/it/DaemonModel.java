package oxbow.it;

import static java.util.Comparator.comparing;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/**
 * The devices that one user of a daemon has, as its answers say. Unchangeable; a verb makes the
 * model that holds once it is answered.
 *
 * @param devices by their names
 */
record DaemonModel(Map<String, Device> devices) {
  private static final String NAMED = "oxbow:";

  /**
   * A device.
   *
   * @param slot which files are its own; it lies on devices of lower slots only
   * @param live the table, empty for none
   * @param inactive the other, empty for none
   * @param behind what is inactive again once the inactive table is live, empty for none
   * @param isBroken whether its inactive table was live and could not be restored
   */
  record Device(
      String name,
      int slot,
      String live,
      String inactive,
      String behind,
      boolean isSuspended,
      boolean isBroken,
      TreeSet<String> listens) {

    static Device made(String name, int slot, String table, Collection<String> listens) {
      return new Device(name, slot, table, "", "", table.isEmpty(), false, new TreeSet<>(listens));
    }

    boolean isLive() {
      return !live.isEmpty();
    }

    Device loaded(String table) {
      return new Device(name, slot, live, table, "", isSuspended, false, listens);
    }

    Device suspended() {
      return new Device(name, slot, live, inactive, behind, true, isBroken, listens);
    }

    Device resumed() {
      String next = inactive.isEmpty() ? live : inactive;
      return new Device(name, slot, next, behind, "", next.isEmpty(), false, listens);
    }

    Device renamed(String newName) {
      return new Device(newName, slot, live, inactive, behind, isSuspended, isBroken, listens);
    }

    Device exported(String listen, boolean isExported) {
      TreeSet<String> changed = new TreeSet<>(listens);
      if (isExported) {
        changed.add(listen);
      } else {
        changed.remove(listen);
      }
      return new Device(name, slot, live, inactive, behind, isSuspended, isBroken, changed);
    }

    Device rewritten(UnaryOperator<String> rewriting) {
      return new Device(
          name,
          slot,
          rewriting.apply(live),
          rewriting.apply(inactive),
          rewriting.apply(behind),
          isSuspended,
          isBroken,
          listens);
    }

    /** As it comes back, if what it lies on does: a suspended one is not live. */
    Device restored(boolean isBelowLive) {
      if (isSuspended && !isBroken) {
        return new Device(
            name, slot, "", inactive.isEmpty() ? live : inactive, "", true, false, listens);
      }
      String table = isBroken ? inactive : live;
      String other = isBroken ? behind : inactive;
      return isBelowLive
          ? new Device(name, slot, table, other, "", false, false, listens)
          : new Device(name, slot, "", table, other, true, true, listens);
    }

    /** What the daemon tells of it. */
    String told() {
      StringBuilder told = new StringBuilder(name);
      told.append(isSuspended ? " SUSPENDED" : " ACTIVE");
      told.append(" live [").append(live).append("] inactive [").append(inactive).append(']');
      listens.forEach(
          listen -> told.append(' ').append(listen).append(isLive() ? " served" : " waits"));
      return told.toString();
    }
  }

  static DaemonModel empty() {
    return new DaemonModel(Map.of());
  }

  Device device(String name) {
    return Objects.requireNonNull(devices.get(name), name);
  }

  DaemonModel with(Device device) {
    Map<String, Device> changed = new TreeMap<>(devices);
    changed.put(device.name(), device);
    return new DaemonModel(changed);
  }

  DaemonModel without(Device device) {
    Map<String, Device> changed = new TreeMap<>(devices);
    changed.remove(device.name());
    return new DaemonModel(changed);
  }

  /** Tables that name it follow. */
  DaemonModel renamed(Device device, String newName) {
    Map<String, Device> changed = new TreeMap<>();
    for (Device each : devices.values()) {
      Device next = each.equals(device) ? each.renamed(newName) : each;
      changed.put(
          next.name(),
          next.rewritten(
              table -> table.replace(NAMED + device.name() + " ", NAMED + newName + " ")));
    }
    return new DaemonModel(changed);
  }

  /** By their slots: whatever one lies on comes before it. */
  List<Device> bottomUp() {
    return devices.values().stream().sorted(comparing(Device::slot)).toList();
  }

  static boolean isNamedIn(String table, Device device) {
    return table.contains(NAMED + device.name() + " ");
  }

  /** The devices that a table lies on. */
  List<Device> below(String table) {
    return devices.values().stream().filter(each -> isNamedIn(table, each)).toList();
  }

  /** Whether any table names it. */
  boolean isBelowOthers(Device device) {
    return devices.values().stream()
        .flatMap(each -> Stream.of(each.live(), each.inactive(), each.behind()))
        .anyMatch(table -> isNamedIn(table, device));
  }

  /** Whether all that a table lies on, however deep, is live, and goes on. */
  boolean isAnswering(String table) {
    return below(table).stream()
        .allMatch(each -> each.isLive() && !each.isSuspended() && isAnswering(each.live()));
  }

  /** What is there after a kill and a new start. */
  DaemonModel restored() {
    Map<String, Device> restored = new LinkedHashMap<>();
    for (Device each : bottomUp()) {
      String table = each.isBroken() ? each.inactive() : each.live();
      boolean isBelowLive =
          below(table).stream().allMatch(below -> new DaemonModel(restored).device(below.name()).isLive());
      restored.put(each.name(), each.restored(isBelowLive));
    }
    return new DaemonModel(new TreeMap<>(restored));
  }

  /** What the daemon tells of all, a line each. */
  List<String> told() {
    return devices.values().stream().map(Device::told).toList();
  }
}
