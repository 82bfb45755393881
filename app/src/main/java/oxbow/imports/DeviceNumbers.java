package oxbow.imports;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Map;
import java.util.TreeMap;
import oxbow.control.ControlDirectory;

/**
 * Which devices are meant by {@code MAJOR:MINOR}: those that the user says, else those that have
 * these numbers on this machine now.
 */
public final class DeviceNumbers {
  private final Path devices;
  private final Path system;
  private final Map<String, String> given = new TreeMap<>();

  /**
   * @param given addresses by {@code MAJOR:MINOR}
   * @throws IllegalArgumentException with one line when one is no address
   */
  public DeviceNumbers(Map<String, String> given) {
    this(given, Path.of("/dev/block"), Path.of("/sys/dev/block"));
  }

  /**
   * @param devices links to the devices, by their numbers
   * @param system what the system says of each, by its numbers
   */
  DeviceNumbers(Map<String, String> given, Path devices, Path system) {
    this.devices = devices;
    this.system = system;
    given.forEach((number, address) -> this.given.put(number, WholeAddress.of(address)));
  }

  /** The address of a device that is imported by this name. */
  static String named(String name) {
    return "oxbow:" + ControlDirectory.nameFrom(name);
  }

  /**
   * The address of a device. One of the kernel's device-mapper that is imported as well is ours.
   *
   * @param imported names of the devices that are imported
   * @throws IOException with one line when there is no such device
   */
  String address(String number, Collection<String> imported) throws IOException {
    String said = given.get(number);
    if (said != null) {
      return said;
    }
    Path name = system.resolve(number).resolve("dm").resolve("name");
    if (Files.isRegularFile(name)) {
      String mapped = Files.readString(name).strip();
      if (imported.contains(mapped)) {
        return named(mapped);
      }
    }
    Path link = devices.resolve(number);
    if (Files.exists(link)) {
      return link.toRealPath().toString();
    }
    throw new IOException(
        number
            + ": no device has these numbers here; --map "
            + number
            + "=ADDR says which one is meant, as in --map "
            + number
            + "=oxbow:base");
  }
}
