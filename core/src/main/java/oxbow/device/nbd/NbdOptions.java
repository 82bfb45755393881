package oxbow.device.nbd;

import java.time.InstantSource;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import oxbow.block.Remote;

/**
 * How an {@link NbdDevice} behaves.
 *
 * @param connections the most connections to open, 1 to 16; more than one only if the server says
 *     that its flushes cover them all (CAN_MULTI_CONN)
 * @param inFlightPerConnection commands that one connection may have in flight, 1 to 4096
 * @param connectTimeoutNanos patience with one attempt, from the connect to the end of the
 *     handshake
 * @param holdNanos how long requests are held while there is no connection, counted from its loss;
 *     then they fail with EIO, and so do new ones until there is a connection again. {@link
 *     Remote#FOREVER} holds them without limit
 * @param silenceNanos when nothing at all has arrived on a connection for so long although commands
 *     are in flight, it counts as lost; see {@link Silence}
 * @param firstDelayNanos the first delay before another attempt, see {@link Backoff}
 * @param longestDelayNanos the longest delay
 * @param random for the jitter of the delays; used on the device's loop only
 * @param clock what time {@link NbdState#since} is told by
 */
public record NbdOptions(
    int connections,
    int inFlightPerConnection,
    long connectTimeoutNanos,
    long holdNanos,
    long silenceNanos,
    long firstDelayNanos,
    long longestDelayNanos,
    RandomGenerator random,
    InstantSource clock) {

  /**
   * Up to 4 connections of 64 commands, 10 seconds for an attempt, half a minute of silence, held
   * for ever.
   */
  public static NbdOptions defaults() {
    return new NbdOptions(
        4,
        64,
        TimeUnit.SECONDS.toNanos(10),
        Remote.FOREVER,
        TimeUnit.SECONDS.toNanos(30),
        TimeUnit.MILLISECONDS.toNanos(50),
        TimeUnit.SECONDS.toNanos(10),
        RandomGenerator.getDefault(),
        InstantSource.system());
  }

  public NbdOptions {
    if (connections < 1 || connections > 16) {
      throw new IllegalArgumentException("connections: " + connections + " (1 to 16 are allowed)");
    }
    if (inFlightPerConnection < 1 || inFlightPerConnection > 4096) {
      throw new IllegalArgumentException(
          "commands in flight: " + inFlightPerConnection + " (1 to 4096 are allowed)");
    }
    if (connectTimeoutNanos <= 0 || holdNanos < 0 || silenceNanos <= 0) {
      throw new IllegalArgumentException(
          "timeouts: " + connectTimeoutNanos + ", " + holdNanos + " and " + silenceNanos + " ns");
    }
  }

  public NbdOptions withConnections(int count) {
    return new NbdOptions(
        count,
        inFlightPerConnection,
        connectTimeoutNanos,
        holdNanos,
        silenceNanos,
        firstDelayNanos,
        longestDelayNanos,
        random,
        clock);
  }

  public NbdOptions withInFlightPerConnection(int count) {
    return new NbdOptions(
        connections,
        count,
        connectTimeoutNanos,
        holdNanos,
        silenceNanos,
        firstDelayNanos,
        longestDelayNanos,
        random,
        clock);
  }

  public NbdOptions withConnectTimeoutNanos(long timeoutNanos) {
    return new NbdOptions(
        connections,
        inFlightPerConnection,
        timeoutNanos,
        holdNanos,
        silenceNanos,
        firstDelayNanos,
        longestDelayNanos,
        random,
        clock);
  }

  public NbdOptions withHoldNanos(long nanos) {
    return new NbdOptions(
        connections,
        inFlightPerConnection,
        connectTimeoutNanos,
        nanos,
        silenceNanos,
        firstDelayNanos,
        longestDelayNanos,
        random,
        clock);
  }

  public NbdOptions withSilenceNanos(long nanos) {
    return new NbdOptions(
        connections,
        inFlightPerConnection,
        connectTimeoutNanos,
        holdNanos,
        nanos,
        firstDelayNanos,
        longestDelayNanos,
        random,
        clock);
  }

  public NbdOptions withDelaysNanos(long firstNanos, long longestNanos) {
    return new NbdOptions(
        connections,
        inFlightPerConnection,
        connectTimeoutNanos,
        holdNanos,
        silenceNanos,
        firstNanos,
        longestNanos,
        random,
        clock);
  }

  Backoff newBackoff() {
    return new Backoff(firstDelayNanos, longestDelayNanos, random);
  }
}
