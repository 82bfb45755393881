package oxbow.format.pdata;

import java.util.Arrays;
import java.util.Optional;
import java.util.zip.CRC32C;
import oxbow.format.Fault;
import oxbow.format.FormatException;
import oxbow.format.Le;

/**
 * The kinds of blocks of the persistent-data library: where each keeps its own number, the constant
 * that tells its checksum from that of other kinds, and the kernel's words when a check fails.
 *
 * @see "docs/format/clone.md, Blocks; Linux 6.1 dm-btree-spine.c, dm-array.c,
 *     dm-space-map-common.c"
 */
public enum BlockKind {
  BTREE_NODE(121107, 8, "node_check failed"),
  ARRAY_BLOCK(595846735, 16, "array_block_check failed"),
  SPACE_MAP_INDEX(160478, 8, "index_check failed"),
  SPACE_MAP_BITMAP(240779, 8, "bitmap check failed");

  public static final int SIZE_BYTES = 4096;

  /** Where the checksum lies, in every kind of block. */
  public static final int CHECKSUM_OFFSET = 0;

  private static final int COVERED_OFFSET = 4;

  private final int xor;
  private final int blockNrOffset;
  private final String sentence;

  BlockKind(int xor, int blockNrOffset, String sentence) {
    this.xor = xor;
    this.blockNrOffset = blockNrOffset;
    this.sentence = sentence;
  }

  /**
   * The checksum that 4096 bytes should carry: CRC-32C over all but the first four, without the
   * final inversion that the common library function does, combined with the kind's own constant.
   *
   * @return a u32
   */
  public static long checksum(byte[] bytes, int at, int xor) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, at + COVERED_OFFSET, SIZE_BYTES - COVERED_OFFSET);
    return (~crc.getValue() ^ xor) & 0xFFFF_FFFFL;
  }

  /**
   * Checks a block that was read, in the kernel's order: its number, then its checksum.
   *
   * @param blockNr where the block was read from
   * @throws FormatException in the words of the kernel, which names the computed checksum first and
   *     the stored one as wanted
   */
  public void check(byte[] bytes, int at, long blockNr) throws FormatException {
    long storedNr = Le.getU64(bytes, at + blockNrOffset);
    if (storedNr != blockNr) {
      throw new FormatException(
          Fault.BLOCK_NUMBER,
          blockNr,
          sentence + ": blocknr " + Long.toUnsignedString(storedNr) + " != wanted " + blockNr);
    }
    long computed = checksum(bytes, at, xor);
    long stored = Le.getU32(bytes, at + CHECKSUM_OFFSET);
    if (computed != stored) {
      throw new FormatException(
          Fault.CHECKSUM, blockNr, sentence + ": csum " + computed + " != wanted " + stored);
    }
  }

  /** Of which kind a block is whose number and checksum are right; empty when of none. */
  public static Optional<BlockKind> of(byte[] bytes, int at, long blockNr) {
    return Arrays.stream(values())
        .filter(
            kind ->
                Le.getU64(bytes, at + kind.blockNrOffset) == blockNr
                    && Le.getU32(bytes, at + CHECKSUM_OFFSET) == checksum(bytes, at, kind.xor))
        .findFirst();
  }

  /** Fills in number and checksum: the last thing done to a block before it is written. */
  public void seal(byte[] bytes, int at, long blockNr) {
    Le.putU64(bytes, at + blockNrOffset, blockNr);
    Le.putU32(bytes, at + CHECKSUM_OFFSET, checksum(bytes, at, xor));
  }

  /** The kernel's sentence for a block of this kind that fails a check of its contents. */
  FormatException failure(Fault fault, long blockNr, String what) {
    return new FormatException(fault, blockNr, sentence + ": " + what);
  }
}
