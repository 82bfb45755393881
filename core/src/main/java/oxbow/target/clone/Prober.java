package oxbow.target.clone;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;
import oxbow.block.BlockingIo;
import oxbow.format.FormatException;
import oxbow.format.Marks;
import oxbow.format.clone.CloneSuperblock;
import oxbow.format.clone.FormattingMark;
import oxbow.format.pdata.ArrayBlock;
import oxbow.format.pdata.BlockKind;
import oxbow.pdata.BlockManager;

/** Finds out what lies on a device; see {@link CloneMetadata#probe}. Reads with one buffer. */
final class Prober {
  private static final int BUFFER_BYTES = 1 << 20;

  /** A mark differing from ours in no more bits is ours, with errors. */
  private static final int MAX_WRONG_MAGIC_BITS = 4;

  private final BlockingIo device;
  private final byte[] buffer = new byte[BUFFER_BYTES];

  Prober(BlockingIo device) {
    this.device = device;
  }

  Probe probe() throws IOException {
    int length = read(0);
    if (length < CloneSuperblock.SIZE_BYTES) {
      return new Probe.Foreign("device of " + length + " bytes");
    }
    if (FormattingMark.isIn(buffer)) {
      return new Probe.Unfinished();
    }
    if (firstData(CloneSuperblock.SIZE_BYTES) < 0) {
      return probeWithoutSuperblock(length);
    }
    CloneSuperblock superblock = CloneSuperblock.decode(buffer, 0);
    int wrongBits = Long.bitCount(superblock.magic() ^ CloneSuperblock.MAGIC);
    if (wrongBits > MAX_WRONG_MAGIC_BITS) {
      return new Probe.Foreign(Marks.recognise(buffer, length).orElse("data of an unknown kind"));
    }
    try {
      superblock.check();
      return new Probe.Formatted(superblock);
    } catch (FormatException e) {
      return new Probe.Damaged(String.valueOf(e.getMessage()));
    }
  }

  private Probe probeWithoutSuperblock(int headLength) throws IOException {
    Optional<String> mark = Marks.recognise(buffer, headLength);
    if (mark.isPresent()) {
      return new Probe.Foreign(mark.get());
    }
    long dataAt = findData();
    if (dataAt < 0) {
      return new Probe.Zero();
    }
    if (kindAt(dataAt).isEmpty()) {
      return new Probe.Foreign("data of an unknown kind at byte " + dataAt);
    }
    return probeRemains();
  }

  /**
   * Where in the places that are looked at the first byte is not zero: the first and the last MiB
   * (partition tables, RAID and ZFS mark the end too), and a block at every power of two (there
   * ext4 and btrfs have copies of their superblocks). -1 when all are zero.
   */
  private long findData() throws IOException {
    long size = device.sizeBytes();
    long dataAt = firstDataAt(0, BUFFER_BYTES);
    for (long at = BUFFER_BYTES; dataAt < 0 && at > 0 && at < size; at *= 2) {
      dataAt = firstDataAt(at, BlockManager.BLOCK_SIZE_BYTES);
    }
    return dataAt < 0 ? firstDataAt(Math.max(0, size - BUFFER_BYTES), BUFFER_BYTES) : dataAt;
  }

  /** There is a block of metadata, but no superblock: tells erased from never finished. */
  private Probe probeRemains() throws IOException {
    long endBytes = BlockManager.blockCount(device.sizeBytes()) * BlockManager.BLOCK_SIZE_BYTES;
    for (long from = 0; from < endBytes; from += BUFFER_BYTES) {
      int length = read(from);
      for (int at = 0; at + BlockManager.BLOCK_SIZE_BYTES <= length; ) {
        if (!isOfFreshFormat(at, (from + at) / BlockManager.BLOCK_SIZE_BYTES)) {
          return new Probe.Damaged(
              "superblock is zeros, but other blocks of metadata are there: it was erased, or"
                  + " formatting was interrupted (block 0)");
        }
        at += BlockManager.BLOCK_SIZE_BYTES;
      }
    }
    return new Probe.Unfinished();
  }

  private boolean isOfFreshFormat(int at, long blockNr) {
    int end = at + BlockManager.BLOCK_SIZE_BYTES;
    if (isZero(at, end)) {
      return true;
    }
    Optional<BlockKind> kind = BlockKind.of(buffer, at, blockNr);
    return kind.isPresent()
        && (kind.get() != BlockKind.ARRAY_BLOCK || isZero(at + ArrayBlock.WORDS_OFFSET, end));
  }

  private Optional<BlockKind> kindAt(long byteAt) throws IOException {
    long blockNr = byteAt / BlockManager.BLOCK_SIZE_BYTES;
    int length = read(blockNr * BlockManager.BLOCK_SIZE_BYTES);
    return length < BlockManager.BLOCK_SIZE_BYTES
        ? Optional.empty()
        : BlockKind.of(buffer, 0, blockNr);
  }

  private long firstDataAt(long offsetBytes, int lengthBytes) throws IOException {
    int found = firstData(Math.min(lengthBytes, read(offsetBytes)));
    return found < 0 ? -1 : offsetBytes + found;
  }

  /** Index of the first byte of the buffer that is not zero; -1 if there is none. */
  private int firstData(int lengthBytes) {
    for (int i = 0; i < lengthBytes; i++) {
      if (buffer[i] != 0) {
        return i;
      }
    }
    return -1;
  }

  private boolean isZero(int from, int to) {
    for (int i = from; i < to; i++) {
      if (buffer[i] != 0) {
        return false;
      }
    }
    return true;
  }

  /** Fills the buffer as far as the device goes; returns how far that is. */
  private int read(long offsetBytes) throws IOException {
    int length = (int) Math.min(BUFFER_BYTES, device.sizeBytes() - offsetBytes);
    device.read(offsetBytes, ByteBuffer.wrap(buffer, 0, length));
    return length;
  }
}
