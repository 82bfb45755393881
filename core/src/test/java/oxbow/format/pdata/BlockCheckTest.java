package oxbow.format.pdata;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.HexFormat;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import oxbow.format.Fault;
import oxbow.format.FormatException;
import oxbow.format.Le;
import oxbow.format.clone.CloneSuperblock;
import oxbow.golden.CloneFixture;

/**
 * Aim: a broken block gets the kernel's verdict, in its order and words. Method: the numbers are
 * what a 6.1 kernel printed for the fixture words-65 with the same bytes changed.
 */
class BlockCheckTest {
  private static final int ARRAY_BLOCK = 6;
  private static final int BITMAP = 7;
  private static final int ROOT = 8;
  private static final int INDEX = 9;

  private final byte[] image = CloneFixture.named("words-65").storedMetadata();

  @Test
  void soundBlocksPassTheirChecks() throws FormatException {
    CloneSuperblock.decode(image, 0).check();
    ArrayBlock.decode(block(ARRAY_BLOCK), 0).check(ARRAY_BLOCK, 2);
    SpaceMapBitmap.decode(block(BITMAP), 0).check(BITMAP);
    BtreeNode.decode(block(ROOT), 0).check(ROOT);
    SpaceMapIndex.decode(block(INDEX), 0).check(INDEX);
  }

  @Test
  void wrongChecksumsAreReportedInTheKernelsWords() {
    image[0] ^= 1;
    assertFails(
        Fault.CHECKSUM,
        "Superblock check failed: checksum 1947849450, expected 1947849451 (block 0)",
        () -> CloneSuperblock.decode(image, 0).check());
    assertFails(
        Fault.CHECKSUM,
        "node_check failed: csum 173779585 != wanted 173779584 (block 8)",
        () -> BtreeNode.decode(changed(ROOT, 0), 0).check(ROOT));
    assertFails(
        Fault.CHECKSUM,
        "index_check failed: csum 4101394130 != wanted 4101394131 (block 9)",
        () -> SpaceMapIndex.decode(changed(INDEX, 0), 0).check(INDEX));
    assertFails(
        Fault.CHECKSUM,
        "array_block_check failed: csum 605981901 != wanted 605981900 (block 6)",
        () -> ArrayBlock.decode(changed(ARRAY_BLOCK, 0), 0).check(ARRAY_BLOCK, 2));
    assertFails(
        Fault.CHECKSUM,
        "bitmap check failed: csum 369604983 != wanted 369604982 (block 7)",
        () -> SpaceMapBitmap.decode(changed(BITMAP, 0), 0).check(BITMAP));
  }

  @Test
  void wrongBlockNumbersAreReportedInTheKernelsWordsBeforeTheChecksum() {
    assertFails(
        Fault.BLOCK_NUMBER,
        "node_check failed: blocknr 9 != wanted 8 (block 8)",
        () -> BtreeNode.decode(changed(ROOT, 8), 0).check(ROOT));
    assertFails(
        Fault.BLOCK_NUMBER,
        "index_check failed: blocknr 8 != wanted 9 (block 9)",
        () -> SpaceMapIndex.decode(changed(INDEX, 8), 0).check(INDEX));
    assertFails(
        Fault.BLOCK_NUMBER,
        "array_block_check failed: blocknr 7 != wanted 6 (block 6)",
        () -> ArrayBlock.decode(changed(ARRAY_BLOCK, 16), 0).check(ARRAY_BLOCK, 2));
    assertFails(
        Fault.BLOCK_NUMBER,
        "bitmap check failed: blocknr 6 != wanted 7 (block 7)",
        () -> SpaceMapBitmap.decode(changed(BITMAP, 8), 0).check(BITMAP));
  }

  @Test
  void superblockIsCheckedInTheKernelsOrder() {
    // All four are wrong; each one mended brings the next to light.
    Le.putU64(image, CloneSuperblock.BLOCK_NR_OFFSET, 1);
    Le.putU64(image, CloneSuperblock.MAGIC_OFFSET, CloneSuperblock.MAGIC + 1);
    Le.putU32(image, CloneSuperblock.VERSION_OFFSET, 2);
    assertFails(
        Fault.BLOCK_NUMBER,
        "Superblock check failed: blocknr 1, expected 0 (block 0)",
        () -> CloneSuperblock.decode(image, 0).check());
    Le.putU64(image, CloneSuperblock.BLOCK_NR_OFFSET, 0);
    assertFails(
        Fault.MAGIC,
        "Superblock check failed: magic 2331148133, expected 2331148132 (block 0)",
        () -> CloneSuperblock.decode(image, 0).check());
    Le.putU64(image, CloneSuperblock.MAGIC_OFFSET, CloneSuperblock.MAGIC);
    assertThatThrownBy(() -> CloneSuperblock.decode(image, 0).check())
        .hasMessageStartingWith("Superblock check failed: checksum ");
    Le.putU32(image, 0, CloneSuperblock.decode(image, 0).computedChecksum());
    assertFails(
        Fault.VERSION,
        "Clone metadata version 2 found, but only versions between 1 and 1 supported (block 0)",
        () -> CloneSuperblock.decode(image, 0).check());
  }

  @Test
  void garbageIsReportedAsTheKernelDoes() {
    byte[] garbage = new byte[4096];
    Arrays.fill(garbage, (byte) 0xAA);
    assertFails(
        Fault.BLOCK_NUMBER,
        "Superblock check failed: blocknr 12297829382473034410, expected 0 (block 0)",
        () -> CloneSuperblock.decode(garbage, 0).check());
  }

  @Test
  void nodesThatCannotBeAreRefusedEvenWithARightChecksum() {
    byte[] node = block(ROOT);
    Le.putU32(node, BtreeNode.MAX_ENTRIES_OFFSET, 255);
    assertSealedNodeFails(node, "max_entries too large");
    Le.putU32(node, BtreeNode.MAX_ENTRIES_OFFSET, 0xFFFF_FFFFL);
    Le.putU32(node, BtreeNode.VALUE_SIZE_OFFSET, 0xFFFF_FFFFL);
    assertSealedNodeFails(node, "max_entries too large");
    byte[] overfull = block(ROOT);
    Le.putU32(overfull, BtreeNode.ENTRY_COUNT_OFFSET, 253);
    assertSealedNodeFails(overfull, "too many entries");
    byte[] neither = block(ROOT);
    Le.putU32(neither, BtreeNode.FLAGS_OFFSET, 4);
    assertSealedNodeFails(neither, "node is neither INTERNAL or LEAF");
  }

  @Test
  void impossibleSizesInASuperblockAreRefused() {
    assertGeometryFails(CloneSuperblock.REGION_SIZE_OFFSET, 12);
    assertGeometryFails(CloneSuperblock.REGION_SIZE_OFFSET, 0);
    assertGeometryFails(CloneSuperblock.REGION_SIZE_OFFSET, Long.MIN_VALUE);
    assertGeometryFails(CloneSuperblock.TARGET_SIZE_OFFSET, 0);
    assertGeometryFails(CloneSuperblock.TARGET_SIZE_OFFSET, -1);
    assertGeometryFails(CloneSuperblock.TARGET_SIZE_OFFSET, (1L << 34) + 1);
    assertGeometryFails(CloneSuperblock.SPACE_MAP_ROOT_OFFSET, 0);
    assertGeometryFails(CloneSuperblock.SPACE_MAP_ROOT_OFFSET, 4161601);
  }

  @Test
  void bitmapCountsWeighTheUpperBitOneAndTheLowerBitTwo() {
    SpaceMapBitmap bitmap = SpaceMapBitmap.create();
    for (int entry = 0; entry < 6; entry++) {
      bitmap.setCount(entry, 1);
    }
    byte[] bytes = new byte[4096];
    bitmap.encode(bytes, 0);
    assertThat(HexFormat.of().formatHex(bytes, 16, 19)).isEqualTo("aa0a00");
    bitmap.setCount(0, 2);
    bitmap.setCount(1, 3);
    bitmap.encode(bytes, 0);
    assertThat(bytes[16] & 15).isEqualTo(0b1101);
    assertThat(bitmap.count(0)).isEqualTo(2);
    assertThat(bitmap.count(1)).isEqualTo(3);
    assertThat(bitmap.freeCount()).isEqualTo(16314);
    assertThat(bitmap.nextFree(0)).isEqualTo(6);
  }

  @Test
  void bitmapFindsItsLastFreeEntryAndThenNone() {
    SpaceMapBitmap bitmap = SpaceMapBitmap.create();
    for (int entry = 0; entry < SpaceMapBitmap.ENTRIES - 1; entry++) {
      bitmap.setCount(entry, 1 + entry % 3);
    }
    assertThat(bitmap.nextFree(0)).isEqualTo(SpaceMapBitmap.ENTRIES - 1);
    bitmap.setCount(SpaceMapBitmap.ENTRIES - 1, 3);
    assertThat(bitmap.nextFree(0)).isEqualTo(SpaceMapBitmap.ENTRIES);
    assertThat(bitmap.freeCount()).isZero();
  }

  private void assertGeometryFails(int offset, long value) {
    byte[] superblock = block(0);
    Le.putU64(superblock, offset, value);
    Le.putU32(superblock, 0, CloneSuperblock.decode(superblock, 0).computedChecksum());
    assertThatThrownBy(() -> CloneSuperblock.decode(superblock, 0).check())
        .isInstanceOfSatisfying(
            FormatException.class, e -> assertThat(e.fault()).isEqualTo(Fault.GEOMETRY));
  }

  private static void assertSealedNodeFails(byte[] node, String what) {
    BlockKind.BTREE_NODE.seal(node, 0, ROOT);
    assertThatThrownBy(() -> BtreeNode.decode(node, 0).check(ROOT))
        .hasMessageStartingWith("node_check failed: " + what);
  }

  private static void assertFails(Fault fault, String message, ThrowingCallable check) {
    assertThatThrownBy(check)
        .isInstanceOfSatisfying(FormatException.class, e -> assertThat(e.fault()).isEqualTo(fault))
        .hasMessage(message);
  }

  private byte[] changed(int blockNr, int offset) {
    byte[] bytes = block(blockNr);
    bytes[offset] ^= 1;
    return bytes;
  }

  private byte[] block(int blockNr) {
    return Arrays.copyOfRange(image, blockNr * 4096, (blockNr + 1) * 4096);
  }
}
