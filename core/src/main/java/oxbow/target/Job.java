package oxbow.target;

import org.jspecify.annotations.Nullable;

/**
 * Work that a core has asked the frame for and whose end it is told ({@link Target#ended}). Cores
 * extend it with what they must remember.
 */
public class Job {
  /** The frame's own: buffers and progress of this job while it runs. */
  public @Nullable Object frame;

  /** Link for the frame's queues. */
  public @Nullable Job nextJob;
}
