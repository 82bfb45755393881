package oxbow.target.clone;

import oxbow.format.clone.CloneSuperblock;

/**
 * What lies on a device that shall hold clone metadata (O11). A kernel formats whatever has a first
 * block of zeros; but ext4, btrfs and ISO images begin with zeros too, and so does metadata whose
 * superblock was erased.
 */
public sealed interface Probe {
  /** Whether formatting the device loses nothing. */
  default boolean mayBeFormatted() {
    return false;
  }

  /** Metadata whose superblock is right; {@link CloneMetadata#open} verifies the rest. */
  record Formatted(CloneSuperblock superblock) implements Probe {}

  /** Zeros in every place that a file system or a format of ours marks. */
  record Zero() implements Probe {
    @Override
    public boolean mayBeFormatted() {
      return true;
    }
  }

  /** Formatting was interrupted: the superblock is missing, and no region is hydrated anywhere. */
  record Unfinished() implements Probe {
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
  record Foreign(String what) implements Probe {}

  /** Metadata that a kernel would not open, or would wipe. */
  record Damaged(String reason) implements Probe {}
}
