package oxbow.block;

/**
 * What can be asked and told of a device at the other end of a network, which may go away and come
 * back: {@link BlockDevice#remote}. Any thread; does not block.
 */
public interface Remote {
  /** Holds requests without limit. */
  long FOREVER = Long.MAX_VALUE;

  Reachability reachability();

  /** How long requests are held while the device is away, see {@link #holdNanos(long)}. */
  long holdNanos();

  /**
   * Changes how long requests are held while the device is away, counted from when it went, also
   * when it has gone already. Then they fail with EIO, and so do new ones until it is back. 0 fails
   * them at once, {@link #FOREVER} never.
   */
  void holdNanos(long nanos);

  /**
   * Changes after how long a silence with requests in flight the device counts as away.
   *
   * @param nanos above 0
   */
  void silenceNanos(long nanos);
}
