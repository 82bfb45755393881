package oxbow.target;

import org.jspecify.annotations.Nullable;

/**
 * Targets that decide together: their cores are entered under one lock, the family's, so one may
 * call another. What they want done is carried out by each target's own device, after the lock has
 * been released. If one of them throws, all have failed.
 */
public final class Family {
  /** The frame's own; guarded by this object. */
  public @Nullable Object frame;
}
