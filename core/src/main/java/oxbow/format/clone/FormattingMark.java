package oxbow.format.clone;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * What block 0 holds while metadata is being formatted: one sector, so that it is there or not, and
 * the superblock, whose contents lie in the same sector, takes its place at once. Without it nobody
 * could tell a format that a power failure has torn from foreign data or from damage. No kernel
 * takes it for metadata, or for a device to be formatted.
 *
 * @see "docs/format/clone.md, While it is being formatted"
 */
public final class FormattingMark {
  private static final byte[] TEXT =
      "oxbow: clone metadata, being formatted\n".getBytes(StandardCharsets.US_ASCII);

  private static final int SECTOR_BYTES = 512;

  private FormattingMark() {}

  /** A block with the mark. */
  public static byte[] block() {
    return Arrays.copyOf(TEXT, CloneSuperblock.SIZE_BYTES);
  }

  /** Whether a device begins with it. */
  public static boolean isIn(byte[] head) {
    byte[] sector = Arrays.copyOf(TEXT, SECTOR_BYTES);
    return Arrays.equals(head, 0, SECTOR_BYTES, sector, 0, SECTOR_BYTES);
  }
}
