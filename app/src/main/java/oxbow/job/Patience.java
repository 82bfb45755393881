package oxbow.job;

import java.util.concurrent.TimeUnit;
import oxbow.block.Remote;

/**
 * How long to wait for a server.
 *
 * @param holdNanos how long requests are held while it is away
 * @param silenceNanos after how long a silence it counts as away
 */
public record Patience(long holdNanos, long silenceNanos) {
  /** Without limit; half a minute. */
  public static final Patience USUAL = new Patience(Remote.FOREVER, TimeUnit.SECONDS.toNanos(30));
}
