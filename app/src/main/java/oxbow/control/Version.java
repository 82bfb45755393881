package oxbow.control;

/** Which Oxbow this is. */
public final class Version {
  private Version() {}

  /** The jar's manifest knows; classes that lie about in a directory are of no version. */
  public static String text() {
    String packed = Version.class.getPackage().getImplementationVersion();
    return packed == null ? "unpacked" : packed;
  }
}
