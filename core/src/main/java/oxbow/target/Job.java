package oxbow.target;

import java.lang.foreign.MemorySegment;
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

  /**
   * Data of a copy or a read-through has come from the source and is about to be written. Called by
   * the frame, outside of all locks, for each part once, in ascending order, by one thread at a
   * time.
   *
   * @param data its first bytes are the part; native memory, not to be changed or kept
   */
  public void dataRead(long offsetBytes, MemorySegment data, long lengthBytes) {}
}
