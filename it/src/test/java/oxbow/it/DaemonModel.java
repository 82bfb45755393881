package oxbow.it;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The devices that a daemon should have, and random changes of them that it will not refuse. A
 * device has files of its own, so that none is in another's way.
 */
final class DaemonModel {
  static final int DEVICES = 10;
  private static final int SECTORS = 4096;
  private static final int HALF = SECTORS / 2;

  /** One device; its tables as they were typed. */
  private static final class Device {
    String name;
    @Nullable String live;
    @Nullable String inactive;
    boolean isSuspended = true;
    final TreeSet<String> exports = new TreeSet<>();

    Device(String name) {
      this.name = name;
    }

    Device copy() {
      Device copy = new Device(name);
      copy.live = live;
      copy.inactive = inactive;
      copy.isSuspended = isSuspended;
      copy.exports.addAll(exports);
      return copy;
    }
  }

  /**
   * A verb, and what it makes of the model.
   *
   * @param words as typed
   */
  record Change(List<String> words, Consumer<DaemonModel> effect) {}

  private final Path directory;
  private final Map<Integer, Device> devices = new TreeMap<>();

  /**
   * @param directory holds the images and sockets
   */
  DaemonModel(Path directory) {
    this.directory = directory;
    for (int i = 0; i < DEVICES; i++) {
      Images.sparse(file(i, "source"), Blkio.bytes(SECTORS + "s"));
      Images.sparse(file(i, "dest"), Blkio.bytes(SECTORS + "s"));
      Images.sparse(file(i, "meta"), Blkio.bytes("1m"));
    }
  }

  private DaemonModel(Path directory, Map<Integer, Device> copied) {
    this.directory = directory;
    copied.forEach((number, device) -> devices.put(number, device.copy()));
  }

  DaemonModel copy() {
    return new DaemonModel(directory, devices);
  }

  private Path file(int number, String kind) {
    return directory.resolve(kind + number);
  }

  private String table(int number, Random random) {
    Path disk = file(number, "dest");
    return switch (random.nextInt(3)) {
      case 0 -> "0 %d linear %s 0".formatted(SECTORS, disk);
      case 1 -> "0 %1$d linear %2$s 0\n%1$d %1$d linear %2$s %1$d".formatted(HALF, disk);
      default ->
          "0 %d clone %s %s %s 8 1 no_hydration"
              .formatted(SECTORS, file(number, "meta"), disk, file(number, "source"));
    };
  }

  private String listen(int number, Random random) {
    return "unix:" + directory.resolve((random.nextBoolean() ? "a" : "b") + number);
  }

  Change next(Random random) {
    while (true) {
      int number = random.nextInt(DEVICES);
      Device device = devices.get(number);
      Change change =
          device == null ? create(number, random) : next(random.nextInt(9), number, device, random);
      if (change != null) {
        return change;
      }
    }
  }

  private Change create(int number, Random random) {
    String name = "dev" + number;
    String table = table(number, random);
    String listen = listen(number, random);
    return new Change(
        List.of("create", name, "--table", table, "--listen", listen),
        model -> {
          Device made = new Device(name);
          made.live = table;
          made.isSuspended = false;
          made.exports.add(listen);
          model.devices.put(number, made);
        });
  }

  /** A change of a device that there is; null if that kind of change would be refused now. */
  private @Nullable Change next(int kind, int number, Device device, Random random) {
    String name = device.name;
    return switch (kind) {
      case 0, 1 -> {
        String table = table(number, random);
        yield change(number, List.of("load", name, "--table", table), to -> to.inactive = table);
      }
      case 2, 3 ->
          device.live == null && device.inactive == null
              ? null
              : change(number, List.of("resume", name), DaemonModel::resume);
      case 4 ->
          device.live == null
              ? null
              : change(number, List.of("suspend", name), to -> to.isSuspended = true);
      case 5 -> {
        String other = (name.startsWith("dev") ? "new" : "dev") + number;
        yield change(number, List.of("rename", name, other), to -> to.name = other);
      }
      case 6 -> {
        String listen = listen(number, random);
        boolean isThere = device.exports.contains(listen);
        String verb = isThere ? "unexport" : "export";
        yield change(
            number,
            List.of(verb, name, "--listen", listen),
            to -> {
              if (isThere) {
                to.exports.remove(listen);
              } else {
                to.exports.add(listen);
              }
            });
      }
      case 7 -> change(number, List.of("clear", name), to -> to.inactive = null);
      default ->
          new Change(List.of("remove", "--retry", name), model -> model.devices.remove(number));
    };
  }

  private static void resume(Device device) {
    if (device.inactive != null) {
      device.live = device.inactive;
      device.inactive = null;
    }
    device.isSuspended = false;
  }

  private static Change change(int number, List<String> words, Consumer<Device> effect) {
    return new Change(
        words,
        model -> {
          Device device = model.devices.get(number);
          if (device == null) {
            throw new IllegalStateException("no device " + number);
          }
          effect.accept(device);
        });
  }

  /** A new start: what was suspended waits for a resume with the table that it would get then. */
  void restart() {
    for (Device device : devices.values()) {
      if (device.isSuspended) {
        device.inactive = device.inactive == null ? device.live : device.inactive;
        device.live = null;
      }
    }
  }

  /** Numbers of the devices that answer clients now, with the name and one socket of each. */
  Map<Integer, Map.Entry<String, Path>> served() {
    Map<Integer, Map.Entry<String, Path>> served = new TreeMap<>();
    devices.forEach(
        (number, device) -> {
          if (!device.isSuspended && !device.exports.isEmpty()) {
            String listen = device.exports.first();
            served.put(number, Map.entry(device.name, Path.of(listen.substring("unix:".length()))));
          }
        });
    return served;
  }

  /** A line for each device, in the order of their names. */
  List<String> lines() {
    List<String> lines = new ArrayList<>();
    for (Device device : devices.values()) {
      lines.add(
          line(
              device.name,
              device.isSuspended,
              device.live == null ? "" : device.live,
              device.inactive == null ? "" : device.inactive,
              device.exports));
    }
    Collections.sort(lines);
    return lines;
  }

  static String line(
      String name, boolean isSuspended, String live, String inactive, TreeSet<String> exports) {
    String state = isSuspended ? "suspended" : "active";
    return String.join("; ", name, state, live, inactive, exports.toString());
  }
}
