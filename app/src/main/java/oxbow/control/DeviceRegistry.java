package oxbow.control;

import java.util.List;
import java.util.concurrent.ConcurrentSkipListMap;
import org.jspecify.annotations.Nullable;

/** The devices of this process by name. */
public final class DeviceRegistry {
  private final ConcurrentSkipListMap<String, Device> devices = new ConcurrentSkipListMap<>();

  /** Adds a device under its name, which must be free. */
  public void add(Device device) {
    Device other = devices.putIfAbsent(device.name(), device);
    if (other != null) {
      throw new IllegalStateException("two devices named " + device.name());
    }
  }

  public void remove(String name) {
    devices.remove(name);
  }

  @Nullable Device find(String name) {
    return devices.get(name);
  }

  /** In the order of their names; one that is about to get another name is there once. */
  List<Device> all() {
    return devices.values().stream().distinct().toList();
  }
}
