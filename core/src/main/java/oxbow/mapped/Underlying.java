package oxbow.mapped;

import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockDevice;
import oxbow.block.Reachability;
import oxbow.block.Remote;
import oxbow.target.TaskPlace;

/**
 * A device underneath, what it is to the target, and an account of what was asked of it; or,
 * without a device, the place that a target's blocking tasks write to.
 */
final class Underlying {
  /** Longer than any healthy disk takes, spinning up included; less than a user's patience. */
  private static final long HANG_NANOS = TimeUnit.SECONDS.toNanos(10);

  private final String role;
  private final String address;
  private final @Nullable BlockDevice device;
  private final @Nullable Remote remote;
  private final Outstanding outstanding = new Outstanding();

  Underlying(String role, BlockDevice device) {
    this.role = role;
    this.address = device.address();
    this.device = device;
    this.remote = device.remote();
  }

  Underlying(TaskPlace place) {
    this.role = place.role();
    this.address = place.address();
    this.device = null;
    this.remote = place.remote();
  }

  BlockDevice device() {
    BlockDevice below = device;
    if (below == null) {
      throw new IllegalStateException("no device: " + role);
    }
    return below;
  }

  /** Before each submit: the request's completion ends the interval that this returns. */
  Outstanding.Interval enter() {
    return outstanding.enter();
  }

  /** A second has passed. */
  void tick(long nowNanos) {
    outstanding.tick(nowNanos);
  }

  /** How it is now. Any thread. */
  DeviceHealth health(long nowNanos) {
    long holdNanos = remote == null ? Remote.FOREVER : remote.holdNanos();
    Reachability reach = remote == null ? null : remote.reachability();
    if (reach != null && reach.state() != Reachability.State.PRESENT) {
      DeviceHealth.State state =
          reach.state() == Reachability.State.GONE
              ? DeviceHealth.State.GONE
              : reach.isHolding() ? DeviceHealth.State.AWAY : DeviceHealth.State.FAILING;
      long forNanos = Math.max(0, nowNanos - reach.sinceNanos());
      return new DeviceHealth(
          role, address, state, forNanos, reach.why(), outstanding.count(), true, holdNanos);
    }
    long oldestNanos = outstanding.oldestNanos(nowNanos);
    return new DeviceHealth(
        role,
        address,
        oldestNanos >= HANG_NANOS ? DeviceHealth.State.HANGING : DeviceHealth.State.GOOD,
        oldestNanos,
        "",
        outstanding.earlierCount(),
        remote != null,
        holdNanos);
  }
}
