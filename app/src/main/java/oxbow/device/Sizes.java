package oxbow.device;

/** Seam. */
public final class Sizes {
  private Sizes() {}
  public static long parse(String text) { return Long.parseLong(text); }
}
