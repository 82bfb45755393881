package oxbow.inspect;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockingIo;
import oxbow.format.Fault;
import oxbow.format.FormatException;
import oxbow.format.ext.ExtGroup;
import oxbow.format.ext.ExtSuperblock;

/**
 * Reads which blocks an unmounted ext2, ext3 or ext4 file system does not use. A wrong answer would
 * cost data, since free blocks are overwritten; so a group counts as used as a whole where anything
 * about it is in doubt: a checksum, a count that differs from the bitmap, metadata that the bitmap
 * calls free.
 *
 * <p>Never free are the first {@link #NEVER_FREE_BYTES} and what lies outside the file system.
 *
 * @param ranges what is free, ascending, neither overlapping nor touching
 * @param freeBytes of all ranges
 * @param claimedBytes what the superblock says is free
 * @param groupCount block groups
 * @param doubts a sentence for each group that counts as used; at most {@link #MAX_DOUBTS}
 * @param doubtfulGroupCount all of them
 * @see "docs/format/ext-free.md"
 */
public record ExtFreeSpace(
    List<ByteRange> ranges,
    long freeBytes,
    long claimedBytes,
    long groupCount,
    List<String> doubts,
    long doubtfulGroupCount) {
  /** The largest block 0 that a checkpoint can have, where the log will be. */
  public static final int NEVER_FREE_BYTES = 4096;

  public static final int MAX_DOUBTS = 20;

  /**
   * Reads superblock, descriptors and bitmaps. Blocks; never writes.
   *
   * @throws FormatException if the file system as a whole cannot be believed: none there, features
   *     not known, mounted, not cleanly unmounted, errors, a superblock with a wrong checksum
   */
  public static ExtFreeSpace read(BlockingIo device) throws IOException {
    return new Reader(device).read();
  }

  /** One reading. */
  private static final class Reader {
    private final BlockingIo device;
    private final ExtSuperblock superblock;
    private final int blockBytes;
    private final RangeSet metadata = new RangeSet();
    private final List<ByteRange> ranges = new ArrayList<>();
    private final List<String> doubts = new ArrayList<>();
    private long doubtfulGroupCount;
    private boolean isMetadataComplete = true;

    Reader(BlockingIo device) throws IOException {
      this.device = device;
      byte[] bytes = new byte[ExtSuperblock.SIZE_BYTES];
      if (device.sizeBytes() < ExtSuperblock.OFFSET_BYTES + ExtSuperblock.SIZE_BYTES) {
        throw new FormatException(Fault.GEOMETRY, 0, "too small for a file system");
      }
      device.read(ExtSuperblock.OFFSET_BYTES, ByteBuffer.wrap(bytes));
      superblock = ExtSuperblock.decode(bytes, 0);
      superblock.check();
      blockBytes = superblock.blockSizeBytes();
      if (superblock.blockCount() > device.sizeBytes() / blockBytes) {
        throw new FormatException(
            Fault.GEOMETRY,
            0,
            "the file system has %d blocks of %d bytes, the device only %d bytes"
                .formatted(superblock.blockCount(), blockBytes, device.sizeBytes()));
      }
    }

    ExtFreeSpace read() throws IOException {
      List<ExtGroup> groups = readGroups();
      for (ExtGroup group : groups) {
        addFreeOf(group);
      }
      long free = ranges.stream().mapToLong(ByteRange::lengthBytes).sum();
      return new ExtFreeSpace(
          List.copyOf(ranges),
          free,
          superblock.freeBlockCount() * blockBytes,
          superblock.groupCount(),
          List.copyOf(doubts),
          doubtfulGroupCount);
    }

    /** All descriptors that are right; collects where their metadata is. */
    private List<ExtGroup> readGroups() throws IOException {
      List<ExtGroup> groups = new ArrayList<>();
      long perBlock = superblock.descriptorsPerBlock();
      for (long nr = 0; nr < superblock.descriptorBlocks(); nr++) {
        long place = superblock.descriptorBlockPlace(nr);
        if (place >= superblock.blockCount()) {
          throw new FormatException(
              Fault.GEOMETRY, place, "group descriptors lie past the end of the file system");
        }
        byte[] block = readBlock(place);
        metadata.add(place, 1);
        long end = Math.min((nr + 1) * perBlock, superblock.groupCount());
        for (long group = nr * perBlock; group < end; group++) {
          int at = (int) (group - nr * perBlock) * superblock.descriptorSize();
          take(ExtGroup.decode(block, at, group, superblock), groups);
        }
      }
      return groups;
    }

    private void take(ExtGroup group, List<ExtGroup> groups) {
      long head = superblock.headBlocksOf(group.group());
      if (head > 0) {
        metadata.add(superblock.firstBlockOf(group.group()), head);
      }
      if (!group.hasRightChecksum()) {
        isMetadataComplete = false;
        doubt(
            group,
            "descriptor has checksum %04x, expected %04x"
                .formatted(group.checksum(), group.computedChecksum()));
      } else if (!isBlock(group.blockBitmap(), 1)
          || !isBlock(group.inodeBitmap(), 1)
          || !isBlock(group.inodeTable(), superblock.inodeTableBlocks())) {
        isMetadataComplete = false;
        doubt(group, "its bitmaps or inodes lie outside the file system");
      } else {
        metadata.add(group.blockBitmap(), 1);
        metadata.add(group.inodeBitmap(), 1);
        metadata.add(group.inodeTable(), superblock.inodeTableBlocks());
        groups.add(group);
      }
    }

    private boolean isBlock(long block, long count) {
      return block > superblock.firstDataBlock()
          && count <= superblock.blockCount()
          && block <= superblock.blockCount() - count;
    }

    private byte[] readBlock(long block) throws IOException {
      byte[] bytes = new byte[blockBytes];
      device.read(block * blockBytes, ByteBuffer.wrap(bytes));
      return bytes;
    }

    private void addFreeOf(ExtGroup group) {
      long ratio = superblock.clusterRatio();
      int bits = (int) ((superblock.blocksOf(group.group()) - 1) / ratio + 1);
      boolean isUnwritten = group.isBitmapUnwritten(superblock.features());
      if (isUnwritten && !isMetadataComplete) {
        doubt(group, "its bitmap was never written, and not all metadata is known");
        return;
      }
      BitSet used = isUnwritten ? metadataOf(group, bits) : writtenBitmap(group, bits);
      if (used == null) {
        return;
      }
      int free = bits - used.cardinality();
      if (free != group.freeCount()) {
        doubt(
            group,
            "%d free by its descriptor, %d by its bitmap".formatted(group.freeCount(), free));
        return;
      }
      for (int bit = used.nextClearBit(0); bit < bits; ) {
        int next = used.nextSetBit(bit);
        int end = next < 0 ? bits : Math.min(next, bits);
        long first = superblock.firstBlockOf(group.group()) + bit * ratio;
        long last = Math.min((end - bit) * ratio, superblock.blockCount() - first);
        add(first * blockBytes, last * blockBytes);
        bit = used.nextClearBit(end);
      }
    }

    /** Null if it is in doubt. */
    private @Nullable BitSet writtenBitmap(ExtGroup group, int bits) {
      byte[] bitmap;
      try {
        bitmap = readBlock(group.blockBitmap());
      } catch (IOException unreadable) {
        doubt(group, "its bitmap cannot be read: " + unreadable.getMessage());
        return null;
      }
      if (!group.isRightBitmap(bitmap, superblock)) {
        doubt(group, "its bitmap has a wrong checksum");
        return null;
      }
      BitSet used = BitSet.valueOf(bitmap).get(0, bits);
      BitSet missing = metadataOf(group, bits);
      missing.andNot(used);
      if (!missing.isEmpty()) {
        doubt(group, "its bitmap calls metadata free");
        return null;
      }
      return used;
    }

    /** Clusters of a group that hold known metadata, of whichever group. */
    private BitSet metadataOf(ExtGroup group, int bits) {
      BitSet used = new BitSet(bits);
      long first = superblock.firstBlockOf(group.group());
      long ratio = superblock.clusterRatio();
      metadata.forEachIn(
          first,
          superblock.blocksOf(group.group()),
          (from, count) ->
              used.set(
                  (int) ((from - first) / ratio), (int) ((from - first + count - 1) / ratio) + 1));
      return used;
    }

    private void add(long offsetBytes, long lengthBytes) {
      long begin = Math.max(offsetBytes, NEVER_FREE_BYTES);
      long length = offsetBytes + lengthBytes - begin;
      if (length <= 0) {
        return;
      }
      ByteRange last = ranges.isEmpty() ? null : ranges.getLast();
      if (last != null && last.endBytes() == begin) {
        ranges.set(
            ranges.size() - 1, new ByteRange(last.offsetBytes(), last.lengthBytes() + length));
      } else {
        ranges.add(new ByteRange(begin, length));
      }
    }

    private void doubt(ExtGroup group, String why) {
      doubtfulGroupCount++;
      if (doubts.size() < MAX_DOUBTS) {
        doubts.add("group " + group.group() + " counts as used: " + why);
      }
    }
  }
}
