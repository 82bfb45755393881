package oxbow.target.clone;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import oxbow.block.BlockingIo;
import oxbow.block.Errno;
import oxbow.format.clone.CloneSuperblock;
import oxbow.format.pdata.ArrayBlock;
import oxbow.format.pdata.BtreeNode;
import oxbow.pdata.BlockManager;

/**
 * The way to a metadata disk, with a {@link Defect}: what the metadata code writes in the right
 * order arrives in a wrong one, or not at all. Without a metadata defect it only passes things on.
 */
final class DefectiveIo implements BlockingIo {
  private static final int BLOCK = BlockManager.BLOCK_SIZE_BYTES;

  private final Defect defect;
  private final BlockingIo disk;
  private final List<Held> held = new ArrayList<>();
  private boolean isAfterSuperblock;
  private boolean withholdsSuperblock;

  /** A write that waits for its turn. */
  private record Held(long offsetBytes, ByteBuffer bytes) {}

  DefectiveIo(Defect defect, BlockingIo disk) {
    this.defect = defect;
    this.disk = disk;
  }

  /**
   * Two commits as one transaction: the first one's superblock is left out, and the second one
   * takes the blocks that the first one freed.
   */
  CloneCommitter committingTwice(CloneCommitter committer) {
    return regions -> {
      withholdsSuperblock = true;
      int errno = committer.commit(regions);
      withholdsSuperblock = false;
      return errno == Errno.OK ? committer.commit(regions) : errno;
    };
  }

  @Override
  public void write(long offsetBytes, ByteBuffer from) throws IOException {
    isAfterSuperblock = offsetBytes == 0;
    if (isAfterSuperblock) {
      writeSuperblock(from);
    } else {
      writeBlocks(offsetBytes, from);
    }
  }

  private void writeSuperblock(ByteBuffer from) throws IOException {
    if (defect == Defect.NO_SUPERBLOCK || withholdsSuperblock) {
      return;
    }
    disk.write(0, from);
    if (!held.isEmpty()) {
      disk.flush();
      for (Held write : held) {
        disk.write(write.offsetBytes, write.bytes);
      }
      held.clear();
    }
  }

  /** The new blocks of a commit end with a tree node, the index, and a bitmap. */
  private void writeBlocks(long offsetBytes, ByteBuffer from) throws IOException {
    switch (defect) {
      case SUPERBLOCK_FIRST ->
          held.add(new Held(offsetBytes, ByteBuffer.allocate(from.remaining()).put(from).flip()));
      case SKIP_ARRAY_BLOCK -> writeWithout(3, offsetBytes, from);
      case SKIP_TREE_NODE -> writeWithout(2, offsetBytes, from);
      case SKIP_INDEX -> writeWithout(1, offsetBytes, from);
      case SKIP_BITMAP -> writeWithout(0, offsetBytes, from);
      case WRITE_IN_PLACE -> {
        writeInPlace(from);
        disk.write(offsetBytes, from);
      }
      default -> disk.write(offsetBytes, from);
    }
  }

  /** Leaves out one block of a run, by its distance from the run's end. */
  private void writeWithout(int skipped, long offsetBytes, ByteBuffer from) throws IOException {
    int count = from.remaining() / BLOCK;
    for (int i = 0; i < count; i++) {
      if (i != count - 1 - skipped) {
        disk.write(offsetBytes + (long) i * BLOCK, from.slice(from.position() + i * BLOCK, BLOCK));
      }
    }
  }

  /** Writes the new array block over the one that the last superblock reaches. */
  private void writeInPlace(ByteBuffer from) throws IOException {
    BlockManager blocks = new BlockManager(disk);
    long root = CloneSuperblock.decode(blocks.read(0), 0).bitsetRoot();
    long place = BtreeNode.decode(blocks.read(root), 0).value(0);
    byte[] bytes = new byte[BLOCK];
    from.duplicate().get(bytes);
    ArrayBlock.decode(bytes, 0).seal(place);
    disk.write(place * BLOCK, ByteBuffer.wrap(bytes));
  }

  @Override
  public void flush() throws IOException {
    boolean isLeftOut =
        switch (defect) {
          case NO_FLUSH_BEFORE_SUPERBLOCK, SUPERBLOCK_FIRST -> !isAfterSuperblock;
          case NO_FLUSH_AFTER_SUPERBLOCK -> isAfterSuperblock;
          default -> false;
        };
    if (!isLeftOut) {
      disk.flush();
    }
  }

  @Override
  public void read(long offsetBytes, ByteBuffer into) throws IOException {
    disk.read(offsetBytes, into);
  }

  @Override
  public String address() {
    return disk.address();
  }

  @Override
  public long sizeBytes() {
    return disk.sizeBytes();
  }
}
