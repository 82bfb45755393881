package oxbow.demo;

/** Seam. */
public final class Demo {
  /** Seam. */
  public Demo(oxbow.console.Console c) {}

  /** Seam. */
  public boolean run() throws oxbow.console.UserException, java.io.IOException, InterruptedException { return true; }
}
