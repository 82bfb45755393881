package oxbow.pdata;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import oxbow.block.BlockingIo;
import oxbow.format.Fault;
import oxbow.format.FormatException;
import oxbow.format.pdata.BlockKind;
import oxbow.format.pdata.SpaceMapIndex;

/**
 * A metadata device as 4096-byte blocks. Reads of many blocks are done in the order in which they
 * lie on the device, neighbours together; writes of neighbours are gathered until the commit.
 */
public final class BlockManager {
  public static final int BLOCK_SIZE_BYTES = BlockKind.SIZE_BYTES;

  /** The most blocks that are read or written at once: 1 MiB. */
  private static final int MAX_RUN_BLOCKS = 256;

  /** Reading so many blocks for nothing is cheaper than another read. */
  private static final int MAX_GAP_BLOCKS = 16;

  private final BlockingIo device;
  private final long blockCount;

  /** For a run that is being read; as large as the longest so far. */
  private byte[] readBuffer = {};

  /** Gathered writes: {@link #gatheredCount} blocks that belong at {@link #gatheredFrom}. */
  private byte[] gathered = new byte[8 * BLOCK_SIZE_BYTES];

  private long gatheredFrom;
  private int gatheredCount;

  /** The device stays the caller's. */
  public BlockManager(BlockingIo device) {
    this.device = device;
    this.blockCount = blockCount(device.sizeBytes());
  }

  /** Blocks that can be used of a device of so many bytes: whole ones, up to the format's limit. */
  public static long blockCount(long deviceBytes) {
    return Math.min(deviceBytes / BLOCK_SIZE_BYTES, SpaceMapIndex.MAX_BLOCKS);
  }

  /** Blocks of the device that can be used. */
  public long blockCount() {
    return blockCount;
  }

  /** Reads one block into an array of its own. */
  public byte[] read(long blockNr) throws IOException {
    requireInside(blockNr);
    byte[] bytes = new byte[BLOCK_SIZE_BYTES];
    device.read(blockNr * BLOCK_SIZE_BYTES, ByteBuffer.wrap(bytes));
    return bytes;
  }

  /**
   * Reads blocks in the order of their places and hands over each.
   *
   * @param blockNrs in any order; the same may come twice
   * @param count how many of the array are asked for
   * @throws FormatException if a block lies past the end of the device; nothing was read then
   */
  public void readEach(long[] blockNrs, int count, BlockVisitor visitor) throws IOException {
    long[] byPlace = new long[count];
    for (int i = 0; i < count; i++) {
      requireInside(blockNrs[i]);
      byPlace[i] = (blockNrs[i] << Integer.SIZE) | i; // MAX_BLOCKS needs 22 bits.
    }
    Arrays.sort(byPlace);
    for (int i = 0; i < count; ) {
      long first = byPlace[i] >>> Integer.SIZE;
      int end = endOfRun(byPlace, i);
      long last = byPlace[end - 1] >>> Integer.SIZE;
      readRun(first, (int) (last - first + 1) * BLOCK_SIZE_BYTES);
      for (; i < end; i++) {
        int at = (int) ((byPlace[i] >>> Integer.SIZE) - first) * BLOCK_SIZE_BYTES;
        visitor.block((int) byPlace[i], readBuffer, at);
      }
    }
  }

  private static int endOfRun(long[] byPlace, int begin) {
    long first = byPlace[begin] >>> Integer.SIZE;
    long last = first;
    int end = begin;
    while (end < byPlace.length) {
      long blockNr = byPlace[end] >>> Integer.SIZE;
      if (blockNr - first >= MAX_RUN_BLOCKS || blockNr - last > MAX_GAP_BLOCKS) {
        break;
      }
      last = blockNr;
      end++;
    }
    return end;
  }

  private void readRun(long firstBlockNr, int lengthBytes) throws IOException {
    if (readBuffer.length < lengthBytes) {
      readBuffer = new byte[lengthBytes];
    }
    device.read(firstBlockNr * BLOCK_SIZE_BYTES, ByteBuffer.wrap(readBuffer, 0, lengthBytes));
  }

  private void requireInside(long blockNr) throws FormatException {
    if (blockNr < 0 || blockNr >= blockCount) {
      throw new FormatException(
          Fault.RANGE,
          blockNr,
          "attempt to access beyond end of device: " + blockCount + " blocks");
    }
  }

  /**
   * Writes a block of the open transaction, now or when its neighbours are complete; durable with
   * {@link #commit}. The caller has allocated the block, so nothing committed points at it (P1).
   */
  public void write(long blockNr, byte[] bytes, int at) throws IOException {
    if (blockNr <= 0 || blockNr >= blockCount) {
      throw new IllegalArgumentException("block " + blockNr + " of " + blockCount);
    }
    if (gatheredCount == MAX_RUN_BLOCKS || blockNr != gatheredFrom + gatheredCount) {
      writeGathered();
      gatheredFrom = blockNr;
    }
    if (gathered.length == gatheredCount * BLOCK_SIZE_BYTES) {
      gathered = Arrays.copyOf(gathered, 2 * gathered.length);
    }
    System.arraycopy(bytes, at, gathered, gatheredCount * BLOCK_SIZE_BYTES, BLOCK_SIZE_BYTES);
    gatheredCount++;
  }

  private void writeGathered() throws IOException {
    if (gatheredCount > 0) {
      device.write(
          gatheredFrom * BLOCK_SIZE_BYTES,
          ByteBuffer.wrap(gathered, 0, gatheredCount * BLOCK_SIZE_BYTES));
      gatheredCount = 0;
    }
  }

  /**
   * Ends a transaction: all its blocks, a flush, the superblock, another flush (P3). Without the
   * first flush the superblock could be durable before a block it points at; without the second one
   * the commit could be taken back after it was acknowledged.
   */
  public void commit(byte[] superblock) throws IOException {
    writeGathered();
    device.flush();
    writeSuperblock(superblock);
  }

  /**
   * Writes block 0 and makes it durable. On its own only before the device is formatted anew: a
   * crash in between must leave no superblock that points at overwritten blocks.
   */
  public void writeSuperblock(byte[] superblock) throws IOException {
    device.write(0, ByteBuffer.wrap(superblock, 0, BLOCK_SIZE_BYTES));
    device.flush();
  }

  /** Receives blocks that were read. */
  @FunctionalInterface
  public interface BlockVisitor {
    /**
     * @param index of the block in the array that was asked for
     * @param bytes the block lies at {@code at}; valid during the call, may be changed
     */
    void block(int index, byte[] bytes, int at) throws IOException;
  }
}
