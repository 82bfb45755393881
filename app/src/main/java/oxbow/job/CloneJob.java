package oxbow.job;

/** Seam. */
public final class CloneJob {
  /** Seam. */
  public CloneJob(CloneOrder o, oxbow.console.Console c) {}

  /** Seam. */
  public int run() throws oxbow.console.UserException, java.io.IOException, InterruptedException { return 0; }
}
