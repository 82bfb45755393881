package oxbow.target.clone;

import java.io.IOException;
import java.util.Optional;
import oxbow.block.BlockingIo;
import oxbow.format.FormatException;
import oxbow.format.Marks;
import oxbow.format.clone.CloneSuperblock;
import oxbow.format.clone.FormattingMark;
import oxbow.format.pdata.ArrayBlock;
import oxbow.format.pdata.BlockKind;
import oxbow.pdata.BlockManager;
import oxbow.target.DataSearch;

/** Finds out what lies on a device; see {@link CloneMetadata#probe}. */
final class Prober {
  /** A mark differing from ours in no more bits is ours, with errors. */
  private static final int MAX_WRONG_MAGIC_BITS = 4;

  private final BlockingIo device;
  private final DataSearch search;
  private final byte[] buffer;

  Prober(BlockingIo device) {
    this.device = device;
    this.search = new DataSearch(device);
    this.buffer = search.buffer();
  }

  Probe probe() throws IOException {
    int length = search.read(0);
    if (length < CloneSuperblock.SIZE_BYTES) {
      return new Probe.Foreign("device of " + length + " bytes");
    }
    if (FormattingMark.isIn(buffer)) {
      return new Probe.Unfinished();
    }
    if (search.firstData(0, CloneSuperblock.SIZE_BYTES) < 0) {
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
    long dataAt = search.find();
    if (dataAt < 0) {
      return new Probe.Zero();
    }
    if (kindAt(dataAt).isEmpty()) {
      return new Probe.Foreign("data of an unknown kind at byte " + dataAt);
    }
    return probeRemains();
  }

  /** There is a block of metadata, but no superblock: tells erased from never finished. */
  private Probe probeRemains() throws IOException {
    long endBytes = BlockManager.blockCount(device.sizeBytes()) * BlockManager.BLOCK_SIZE_BYTES;
    for (long from = 0; from < endBytes; from += DataSearch.BUFFER_BYTES) {
      int length = search.read(from);
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
    if (search.firstData(at, end) < 0) {
      return true;
    }
    Optional<BlockKind> kind = BlockKind.of(buffer, at, blockNr);
    return kind.isPresent()
        && (kind.get() != BlockKind.ARRAY_BLOCK
            || search.firstData(at + ArrayBlock.WORDS_OFFSET, end) < 0);
  }

  private Optional<BlockKind> kindAt(long byteAt) throws IOException {
    long blockNr = byteAt / BlockManager.BLOCK_SIZE_BYTES;
    int length = search.read(blockNr * BlockManager.BLOCK_SIZE_BYTES);
    return length < BlockManager.BLOCK_SIZE_BYTES
        ? Optional.empty()
        : BlockKind.of(buffer, 0, blockNr);
  }
}
