package oxbow.target.clone;

import java.io.IOException;

/** A commit was asked of metadata that has left mode rw; nothing was done. */
public final class ReadOnlyMetadataException extends IOException {
  ReadOnlyMetadataException(String why) {
    super("metadata is read-only: " + why);
  }
}
