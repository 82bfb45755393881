package oxbow.job;

import java.time.Duration;
import org.jspecify.annotations.Nullable;
import oxbow.console.Console;
import oxbow.console.Progress;

/**
 * Shows the progress of a job: a bar that moves on a terminal, a line every few seconds elsewhere.
 * Used by one thread.
 */
public final class ProgressDisplay implements AutoCloseable {
  private static final Duration BAR_INTERVAL = Duration.ofMillis(200);
  private static final Duration LINE_INTERVAL = Duration.ofSeconds(5);

  private final Console console;
  private final Progress progress;
  private long nextLineNanos;

  public ProgressDisplay(Console console, Progress progress) {
    this.console = console;
    this.progress = progress;
    this.nextLineNanos = System.nanoTime() + LINE_INTERVAL.toNanos();
  }

  /** How long to wait between two calls of {@link #show}. */
  public Duration interval() {
    return BAR_INTERVAL;
  }

  /** Shows where the job is, if it is time to; the values are those of {@link Progress#update}. */
  public void show(long doneBytes, long movedBytes, long failures, @Nullable String note) {
    long now = System.nanoTime();
    progress.update(now, doneBytes, movedBytes, failures, note);
    if (console.isTerminal()) {
      console.showBar(progress.bar(console.columns()));
    } else if (now - nextLineNanos >= 0) {
      console.say(progress.line());
      nextLineNanos = now + LINE_INTERVAL.toNanos();
    }
  }

  /** Leaves the last state of the bar on the screen. */
  @Override
  public void close() {
    console.endBar();
  }
}
