package oxbow.target.clone;

import java.io.IOException;
import oxbow.block.Errno;

/** Commits to metadata on disk. */
final class MetadataCommitter implements CloneCommitter {
  private final CloneMetadata metadata;
  private final String metadataAddress;
  private final String destinationAddress;

  /** The addresses are for messages. */
  MetadataCommitter(CloneMetadata metadata, String metadataAddress, String destinationAddress) {
    this.metadata = metadata;
    this.metadataAddress = metadataAddress;
    this.destinationAddress = destinationAddress;
  }

  /**
   * C2: called after the destination was flushed; a failure leaves the last committed state (O3).
   * Whatever goes wrong, somebody waits for the answer.
   */
  @Override
  public int commit(RegionSet regions) {
    try {
      metadata.commit(regions);
      return Errno.OK;
    } catch (IOException | RuntimeException e) {
      return metadata.mode() == CloneMetadata.Mode.FAILED ? UNREADABLE : Errno.EIO;
    }
  }

  /** The metadata remembers its first failure; without one it was not reached. */
  @Override
  public String why(int errno) {
    String failure = metadata.failure();
    return failure == null
        ? "destination " + destinationAddress + ": flush failed: " + Errno.describe(errno)
        : "metadata " + metadataAddress + ": commit failed: " + failure;
  }

  @Override
  public void release() {
    metadata.close();
  }
}
