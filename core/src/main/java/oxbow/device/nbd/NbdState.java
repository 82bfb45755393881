package oxbow.device.nbd;

import java.time.Instant;

/**
 * How an {@link NbdDevice} is doing.
 *
 * @param since when this phase began
 * @param connections how many connections stand
 * @param failedAttempts attempts to connect that failed since the last connection was lost
 * @param lastError the newest reason for a lost connection or failed attempt; empty if there was
 *     none
 * @param hasLostWrites whether a connection was lost while completed writes had not been flushed:
 *     the server may have forgotten them, so flushes fail from then on
 */
public record NbdState(
    Phase phase,
    Instant since,
    int connections,
    long failedAttempts,
    String lastError,
    boolean hasLostWrites) {

  /** A device only ever leaves CONNECTED and RECONNECTING for the others, never comes back. */
  public enum Phase {
    /** At least one connection stands. */
    CONNECTED,
    /** None does; requests are held. */
    RECONNECTING,
    /** The server came back as something else; all requests fail with EIO. */
    FAILED,
    /** The device was closed. */
    CLOSED
  }

  /** Told of each new state; on the device's loop, so it must not block. */
  @FunctionalInterface
  public interface Listener {
    void changed(NbdState state);
  }
}
