package oxbow.target.snapshot;

import java.util.IdentityHashMap;
import oxbow.block.BlockDevice;

/**
 * The origins of a program: how the targets of one origin find each other. One for all types of the
 * family. Any thread.
 *
 * <p>Devices are told apart by identity: who opens a device for two tables gives both the same
 * ({@link oxbow.target.TargetDevices}).
 */
public final class Origins {
  private final IdentityHashMap<BlockDevice, OriginFamily> families = new IdentityHashMap<>();

  /** A target is made for this origin; it leaves its family when it is closed. */
  synchronized OriginFamily join(BlockDevice origin) {
    OriginFamily family =
        families.computeIfAbsent(origin, _ -> new OriginFamily(() -> forget(origin)));
    family.joined();
    return family;
  }

  private synchronized void forget(BlockDevice origin) {
    families.computeIfPresent(origin, (_, family) -> family.isUsed() ? family : null);
  }
}
