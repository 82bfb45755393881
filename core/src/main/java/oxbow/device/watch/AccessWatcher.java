package oxbow.device.watch;

import oxbow.block.Operation;

/** Hears of each request to a device before the device does. */
@FunctionalInterface
public interface AccessWatcher {
  /**
   * A request, whose range lies within the device, has come. Called on any thread, maybe more than
   * once for the same request; must not block or allocate.
   */
  void accessed(Operation operation, long offsetBytes, long lengthBytes);
}
