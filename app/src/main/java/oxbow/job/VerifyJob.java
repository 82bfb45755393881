package oxbow.job;

/** Seam. */
public final class VerifyJob {
  /** Seam. */
  public VerifyJob(String a, String b, oxbow.console.Console c) {}

  /** Seam. */
  public boolean run() throws oxbow.console.UserException, java.io.IOException, InterruptedException { return true; }
}
