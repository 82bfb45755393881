package oxbow.target.snapshot;

import java.util.HashMap;
import java.util.Map;

/**
 * The origins of a program, by the addresses of their devices: how the targets of one origin find
 * each other. One for all types of the family. Any thread.
 */
public final class Origins {
  private final Map<String, OriginFamily> families = new HashMap<>();

  /** The family of an origin's device; it stays for good, since it is small. */
  synchronized OriginFamily of(String address) {
    return families.computeIfAbsent(address, unused -> new OriginFamily());
  }
}
