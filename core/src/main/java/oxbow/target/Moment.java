package oxbow.target;

/** The frame's view of now, given to a core with each event. One per thread, filled in again. */
public final class Moment {
  private long nanos;
  private boolean userBusy;

  /** Sets both. */
  public Moment set(long nowNanos, boolean isUserBusy) {
    nanos = nowNanos;
    userBusy = isUserBusy;
    return this;
  }

  /** Nanoseconds of a monotonic clock. */
  public long nanos() {
    return nanos;
  }

  /** Whether a user's request is in flight, or was a moment ago. */
  public boolean isUserBusy() {
    return userBusy;
  }
}
