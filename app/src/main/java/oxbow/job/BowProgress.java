package oxbow.job;

import java.util.function.LongConsumer;
import oxbow.console.Console;
import oxbow.console.Progress;

/**
 * Shows how far a walk over a log is, told from the thread that walks. While it is not known how
 * much there is, only how much it was so far.
 */
final class BowProgress implements LongConsumer, AutoCloseable {
  private static final long LINE_INTERVAL_NANOS = 5_000_000_000L;

  private final Console console;
  private final String label;
  private final ProgressDisplay display;
  private final boolean isTotalKnown;
  private final long stepNanos;
  private long doneBytes;
  private long nextNanos;

  /**
   * @param totalBytes how much there is; 0 if that is not known
   */
  BowProgress(String label, long totalBytes, Console console) {
    this.console = console;
    this.label = label;
    this.isTotalKnown = totalBytes > 0;
    long now = System.nanoTime();
    this.display = new ProgressDisplay(console, new Progress(label, totalBytes, 0, now));
    this.stepNanos =
        isTotalKnown || console.isTerminal() ? display.interval().toNanos() : LINE_INTERVAL_NANOS;
    this.nextNanos = now + stepNanos;
  }

  @Override
  public void accept(long bytes) {
    doneBytes += bytes;
    long now = System.nanoTime();
    if (now - nextNanos < 0) {
      return;
    }
    nextNanos = now + stepNanos;
    if (isTotalKnown) {
      display.show(doneBytes, doneBytes, 0, null);
      return;
    }
    String line = label + ": " + Progress.human(doneBytes) + " so far";
    if (console.isTerminal()) {
      console.showBar(line);
    } else {
      console.say(line);
    }
  }

  @Override
  public void close() {
    display.close();
  }
}
