package oxbow.job;

/** Seam. */
public final class InspectJob {
  /** Seam. */
  public InspectJob(String a, boolean b, oxbow.console.Console c) {}

  /** Seam. */
  public boolean run() throws oxbow.console.UserException, java.io.IOException, InterruptedException { return true; }
}
