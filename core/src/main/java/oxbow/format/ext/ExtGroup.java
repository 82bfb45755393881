package oxbow.format.ext;

import oxbow.format.Le;
import oxbow.format.RawCrc;

/**
 * A group descriptor, as far as it tells about free blocks.
 *
 * @param group its number
 * @param blockBitmap block of the bitmap of used blocks, or clusters
 * @param inodeBitmap block of the bitmap of used inodes
 * @param inodeTable first block of the inodes
 * @param freeCount free blocks, or clusters
 * @param flags bits: 2 says that the block bitmap was never written
 * @param bitmapChecksum of the block bitmap; its upper half is 0 in small descriptors
 * @param checksum u16, as stored
 * @param computedChecksum as it should be; the same where there is none
 * @see "docs/format/ext-free.md, Group descriptor; struct ext4_group_desc of Linux 6.1"
 */
public record ExtGroup(
    long group,
    long blockBitmap,
    long inodeBitmap,
    long inodeTable,
    long freeCount,
    int flags,
    long bitmapChecksum,
    int checksum,
    int computedChecksum) {
  private static final int CHECKSUM_OFFSET = 0x1E;
  private static final int CHECKSUM_BYTES = 2;
  private static final int LARGE_BYTES = 64;
  private static final int BLOCK_UNINIT = 2;
  private static final int CRC16_POLYNOMIAL = 0xA001;
  private static final int LOW_HALF = 0xFFFF;

  /** Reads a descriptor of the superblock's size at an offset; nothing is checked. */
  public static ExtGroup decode(byte[] bytes, int at, long group, ExtSuperblock superblock) {
    boolean isLarge = superblock.descriptorSize() >= LARGE_BYTES;
    int checksum = Le.getU16(bytes, at + CHECKSUM_OFFSET);
    return new ExtGroup(
        group,
        wide(bytes, at, at + 0x20, isLarge),
        wide(bytes, at + 0x4, at + 0x24, isLarge),
        wide(bytes, at + 0x8, at + 0x28, isLarge),
        half(bytes, at + 0xC, at + 0x2C, isLarge),
        Le.getU16(bytes, at + 0x12),
        half(bytes, at + 0x18, at + 0x38, isLarge),
        checksum,
        superblock.features().hasDescriptorChecksums()
            ? checksumOf(bytes, at, group, superblock)
            : checksum);
  }

  private static long wide(byte[] bytes, int low, int high, boolean isLarge) {
    return Le.getU32(bytes, low) | (isLarge ? Le.getU32(bytes, high) << 32 : 0);
  }

  private static long half(byte[] bytes, int low, int high, boolean isLarge) {
    return Le.getU16(bytes, low) | (isLarge ? (long) Le.getU16(bytes, high) << 16 : 0);
  }

  /** Over seed, group number and descriptor, its own field left out or taken for zeros. */
  private static int checksumOf(byte[] bytes, int at, long group, ExtSuperblock superblock) {
    byte[] number = new byte[Integer.BYTES];
    Le.putU32(number, 0, group);
    int rest = CHECKSUM_OFFSET + CHECKSUM_BYTES;
    int restBytes = superblock.descriptorSize() - rest;
    if (superblock.features().hasMetadataChecksums()) {
      return RawCrc.crc32c()
              .start(superblock.metadataSeed())
              .update(number, 0, number.length)
              .update(bytes, at, CHECKSUM_OFFSET)
              .update(new byte[CHECKSUM_BYTES], 0, CHECKSUM_BYTES)
              .update(bytes, at + rest, restBytes)
              .register()
          & LOW_HALF;
    }
    byte[] uuid = new byte[superblock.uuid().sizeBytes()];
    superblock.uuid().copyTo(uuid, 0);
    int crc = crc16(LOW_HALF, uuid, 0, uuid.length);
    crc = crc16(crc, number, 0, number.length);
    crc = crc16(crc, bytes, at, CHECKSUM_OFFSET);
    return crc16(crc, bytes, at + rest, restBytes);
  }

  private static int crc16(int register, byte[] bytes, int at, int lengthBytes) {
    int crc = register;
    for (int i = at; i < at + lengthBytes; i++) {
      crc ^= bytes[i] & 0xFF;
      for (int bit = 0; bit < Byte.SIZE; bit++) {
        crc = (crc & 1) != 0 ? crc >>> 1 ^ CRC16_POLYNOMIAL : crc >>> 1;
      }
    }
    return crc;
  }

  public boolean hasRightChecksum() {
    return checksum == computedChecksum;
  }

  /** Whether the block bitmap was never written: only the group's own metadata is in use. */
  public boolean isBitmapUnwritten(ExtFeatures features) {
    return features.hasDescriptorChecksums() && (flags & BLOCK_UNINIT) != 0;
  }

  /**
   * Whether a block bitmap is what this descriptor says.
   *
   * @param bitmap the whole block
   */
  public boolean isRightBitmap(byte[] bitmap, ExtSuperblock superblock) {
    if (!superblock.features().hasMetadataChecksums()) {
      return true;
    }
    int computed =
        RawCrc.crc32c()
            .start(superblock.metadataSeed())
            .update(bitmap, 0, superblock.bitsPerGroup() / Byte.SIZE)
            .register();
    long kept =
        superblock.descriptorSize() >= LARGE_BYTES
            ? Integer.toUnsignedLong(computed)
            : computed & LOW_HALF;
    return kept == bitmapChecksum;
  }
}
