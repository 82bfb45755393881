package oxbow.linux;

/**
 * What the file system says about an open file.
 *
 * @param kind what stands behind the path
 * @param allocatedBytes space taken on the medium; -1 when unknown
 * @param identity the same for two paths exactly when they lead to the same file or block device
 */
public record FileFacts(Kind kind, long allocatedBytes, Object identity) {
  /** What we distinguish. */
  public enum Kind {
    REGULAR_FILE,
    BLOCK_DEVICE,
    DIRECTORY,
    OTHER
  }
}
