package oxbow.block;

/** Bits of {@link BlockRequest#flags()}. */
public final class Flags {
  /** The request is durable when it completes (WRITE, WRITE_ZEROES, DISCARD). */
  public static final int FUA = 1;

  /** WRITE_ZEROES keeps the space allocated. */
  public static final int NO_HOLE = 1 << 1;

  /** WRITE_ZEROES fails with ENOTSUP unless it is faster than writing zeros. */
  public static final int FAST_ZERO = 1 << 2;

  /** Part of a large background transfer: a device may go around the page cache for it. */
  public static final int BULK = 1 << 3;

  /** With BULK: the data is in demand, so that it shall be found in the page cache afterwards. */
  public static final int IN_DEMAND = 1 << 4;

  private Flags() {}
}
