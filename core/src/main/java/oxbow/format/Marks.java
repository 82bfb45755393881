package oxbow.format;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/**
 * The marks by which file systems, partition tables, containers and device-mapper's own formats are
 * known: what must not be overwritten without asking. All lie within the first {@link #HEAD_BYTES}.
 */
public final class Marks {
  /** So much of a device's beginning is needed to tell. */
  public static final int HEAD_BYTES = 128 << 10;

  private static final class Mark {
    final String name;
    final int offsetBytes;
    final byte[] bytes;

    Mark(String name, int offsetBytes, byte[] bytes) {
      this.name = name;
      this.offsetBytes = offsetBytes;
      this.bytes = bytes;
    }

    boolean isIn(byte[] head, int lengthBytes) {
      int end = offsetBytes + bytes.length;
      return end <= lengthBytes && Arrays.equals(head, offsetBytes, end, bytes, 0, bytes.length);
    }
  }

  /** The first that matches counts: boot sectors of file systems look like an MBR. */
  private static final List<Mark> MARKS =
      List.of(
          hex("dm-thin metadata", 32, "ba529c0100000000"),
          hex("dm-cache metadata", 32, "03c4180000000000"),
          hex("dm-era metadata", 32, "7b07c17e00000000"),
          text("snapshot store", 0, "SnAp"),
          hex("bow log", 0, "424f5700"),
          hex("bow log, being rolled back", 0, "574f4200"),
          hex("big-endian bow log", 0, "00574f42"),
          text("LUKS volume", 0, "LUKS\u00ba\u00be"),
          text("LVM physical volume", 512, "LABELONE"),
          text("LVM physical volume", 0, "LABELONE"),
          hex("MD RAID member", 0, "fc4e2ba9"),
          hex("MD RAID member", 4096, "fc4e2ba9"),
          hex("bcache or bcachefs", 4120, "c68573f64e1a45ca8265f57f48ba6d81"),
          hex("ext2, ext3 or ext4 file system", 1080, "53ef"),
          text("XFS file system", 0, "XFSB"),
          text("btrfs file system", 65600, "_BHRfS_M"),
          hex("F2FS file system", 1024, "1020f5f2"),
          hex("EROFS file system", 1024, "e2e1f5e0"),
          text("JFS file system", 32768, "JFS1"),
          text("ReiserFS file system", 65588, "ReIsEr"),
          text("SquashFS file system", 0, "hsqs"),
          text("NTFS file system", 3, "NTFS    "),
          text("exFAT file system", 3, "EXFAT   "),
          text("FAT file system", 54, "FAT1"),
          text("FAT file system", 82, "FAT32"),
          text("swap space", 4086, "SWAPSPACE2"),
          text("ISO 9660 file system", 32769, "CD001"),
          text("UDF file system", 32769, "BEA01"),
          text("GPT partition table", 512, "EFI PART"),
          text("GPT partition table", 4096, "EFI PART"),
          text("qcow2 image", 0, "QFI\u00fb"),
          text("VMDK image", 0, "KDMV"),
          text("VHDX image", 0, "vhdxfile"),
          hex("VDI image", 64, "7f10dabe"),
          hex("gzip file", 0, "1f8b08"),
          hex("xz file", 0, "fd377a585a00"),
          hex("zstd file", 0, "28b52ffd"),
          hex("MBR partition table or boot sector", 510, "55aa"));

  private Marks() {}

  private static Mark text(String name, int offsetBytes, String text) {
    return new Mark(name, offsetBytes, text.getBytes(StandardCharsets.ISO_8859_1));
  }

  private static Mark hex(String name, int offsetBytes, String digits) {
    return new Mark(name, offsetBytes, HexFormat.of().parseHex(digits));
  }

  /**
   * Names what a device holds.
   *
   * @param head its beginning
   * @param lengthBytes how much of the array counts; less than {@link #HEAD_BYTES} only if the
   *     device is shorter
   * @return the name for people; empty when no mark is known
   */
  public static Optional<String> recognise(byte[] head, int lengthBytes) {
    return MARKS.stream()
        .filter(mark -> mark.isIn(head, lengthBytes))
        .map(mark -> mark.name)
        .findFirst();
  }
}
