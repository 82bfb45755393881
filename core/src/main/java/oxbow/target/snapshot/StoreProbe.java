package oxbow.target.snapshot;

import oxbow.format.snapshot.StoreHeader;

/**
 * What lies on a device that shall be a persistent store (O11). A kernel formats whatever begins
 * with four bytes of zeros.
 */
public sealed interface StoreProbe {
  /** Whether formatting the device loses nothing. */
  default boolean mayBeFormatted() {
    return false;
  }

  /** A store whose header is right, be it valid or not. */
  record Formatted(StoreHeader header) implements StoreProbe {}

  /** Zeros in every place that a file system or a format of ours marks. */
  record Zero() implements StoreProbe {
    @Override
    public boolean mayBeFormatted() {
      return true;
    }
  }

  /**
   * Something else.
   *
   * @param what its name, or where its data begins
   */
  record Foreign(String what) implements StoreProbe {}

  /** A store that a kernel would refuse. */
  record Damaged(String reason) implements StoreProbe {}
}
