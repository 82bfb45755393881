package oxbow.target.clone;

import java.io.IOException;
import oxbow.block.Errno;

/** Makes recorded regions durable in metadata. Blocks; one call at a time. */
interface CloneCommitter {
  /** Returned by {@link #commit} when the metadata cannot even be read any more (M5). */
  int UNREADABLE = Errno.ESHUTDOWN;

  /** Returns 0, an error number, or {@link #UNREADABLE}. */
  int commit(RegionSet regions);

  /**
   * Commits to metadata on disk. C2: called after the destination was flushed; a failure leaves the
   * last committed state (O3). Whatever goes wrong, somebody waits for the answer.
   */
  static CloneCommitter to(CloneMetadata metadata) {
    return regions -> {
      try {
        metadata.commit(regions);
        return Errno.OK;
      } catch (IOException | RuntimeException e) {
        return metadata.mode() == CloneMetadata.Mode.FAILED ? UNREADABLE : Errno.EIO;
      }
    };
  }
}
