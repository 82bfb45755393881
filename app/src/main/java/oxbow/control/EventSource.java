package oxbow.control;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Where the events of one stream come from. Used by one thread, which closes it at the end. */
public interface EventSource extends AutoCloseable {
  /** The next event, or null when none has come within that time. Blocks. */
  @Nullable Event next(Duration atMost);

  /** Whether no more events will come; asked after {@link #next} has returned null. */
  boolean hasEnded();

  @Override
  void close();
}
