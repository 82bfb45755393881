package oxbow.target.clone;

/**
 * What a clone can be told beside its table line.
 *
 * @param isAdaptive background hydration finds its own depth and batch and keeps a share under load
 *     (O8); otherwise threshold and batch size of the table line hold and it waits for user I/O to
 *     pause (H1)
 * @param rateBytesPerSecond upper limit of background hydration; 0 for none
 * @param minimumSharePercent of the time that adaptive hydration keeps under user load, 1 to 100
 * @param isDestinationZero the destination was created by this very run and reads as zeros (O6)
 * @param failureLimit after so many failed copies in a row background hydration pauses (O9)
 */
public record CloneOptions(
    boolean isAdaptive,
    long rateBytesPerSecond,
    int minimumSharePercent,
    boolean isDestinationZero,
    int failureLimit) {

  /** What a table line alone means: the kernel's behaviour. */
  public static final CloneOptions TABLE = new CloneOptions(false, 0, 10, false, 64);

  /** What the foreground command uses. */
  public static final CloneOptions FOREGROUND = new CloneOptions(true, 0, 10, false, 64);
}
