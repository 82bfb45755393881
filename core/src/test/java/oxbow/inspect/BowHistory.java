package oxbow.inspect;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import oxbow.format.bow.BowChecksum;
import oxbow.format.bow.BowEntry;
import oxbow.format.bow.BowFormat;
import oxbow.format.bow.BowLogHeader;
import oxbow.format.bow.BowMagic;
import oxbow.format.bow.RfcLogHeader;
import oxbow.sim.SimDisk;

/**
 * A device with a checkpoint, after random writes, as bow-log.md sections 4 and 6 say that a target
 * leaves it: chained logs, moved backups, a moved block 0. Plain and slow, one write at a time.
 */
final class BowHistory {
  private static final int SECTOR_BYTES = 512;

  private enum Kind {
    UNCHANGED,
    FREE,
    CHANGED,
    BACKUP,
    LOG,
    SECTOR0_CURRENT
  }

  final int blockBytes;
  final int blockCount;
  final BowFormat format;

  /** As it was when the checkpoint was made. */
  final byte[] before;

  /** Blocks that were free then: nothing is promised of them. */
  final BitSet freeAtFirst = new BitSet();

  private final Random random;
  private final byte[] device;
  private final Kind[] kinds;
  private final BitSet free = new BitSet();
  private final List<BowEntry> entries = new ArrayList<>();
  private long sequence;
  private int current0;

  /**
   * Whether blocks that were changed become free again now and then, as when a target lets a
   * discard give space for copies. No known target does; but the format allows a copy to lie where
   * something was saved from before.
   */
  private boolean isRecycling;

  /** A checkpoint with these blocks free, and nothing written yet. */
  BowHistory(Random random, BowFormat format, int blockBytes, int blockCount, BitSet free) {
    this.random = random;
    this.format = format;
    this.blockBytes = blockBytes;
    this.blockCount = blockCount;
    before = new byte[blockBytes * blockCount];
    random.nextBytes(before);
    device = before.clone();
    kinds = new Kind[blockCount];
    Arrays.fill(kinds, Kind.UNCHANGED);
    free.stream().forEach(block -> kinds[block] = Kind.FREE);
    freeAtFirst.or(free);
    this.free.or(free);
    kinds[0] = Kind.LOG;
    current0 = take();
    kinds[current0] = Kind.SECTOR0_CURRENT;
    copy(0, current0, 1);
    int saved = take();
    kinds[saved] = Kind.BACKUP;
    copy(0, saved, 1);
    addEntry(new BowEntry(0, sector(saved), blockBytes, sum(0, 0, 1)));
  }

  /** Random requests until so many were made or the free blocks are used up. */
  static BowHistory random(Random random, BowFormat format, int blockBytes, int requests) {
    int blockCount = 24 + random.nextInt(60);
    BitSet free = new BitSet();
    while (free.cardinality() < blockCount / 2) {
      int first = 1 + random.nextInt(blockCount - 1);
      free.set(first, Math.min(blockCount, first + 1 + random.nextInt(9)));
    }
    BowHistory history = new BowHistory(random, format, blockBytes, blockCount, free);
    history.isRecycling = random.nextBoolean();
    for (int i = 0; i < requests && history.free.cardinality() > 6; i++) {
      history.writeAnywhere();
    }
    return history;
  }

  /** A history of v1 whose logs are chained at least so often. */
  static BowHistory chained(Random random, int blockBytes, int logCount) {
    BitSet free = new BitSet();
    int blockCount = 64 + 8 * logCount * BowFormat.V1.capacity(blockBytes);
    free.set(8, blockCount);
    BowHistory history = new BowHistory(random, BowFormat.V1, blockBytes, blockCount, free);
    while (history.sequence + 1 < logCount || history.entries.size() < 3) {
      history.writeAnywhere();
    }
    return history;
  }

  /**
   * A small checkpoint of v1 after these blocks were written, each of 1 to 7 for the first time.
   */
  static BowHistory small(int blockBytes, int... blocks) {
    BitSet free = new BitSet();
    free.set(8, 40);
    BowHistory history = new BowHistory(new Random(1), BowFormat.V1, blockBytes, 40, free);
    for (int block : blocks) {
      history.write(block, 1);
    }
    return history;
  }

  void writeAnywhere() {
    int count = 1 + random.nextInt(3);
    int first = random.nextInt(blockCount - count + 1);
    int choice = random.nextInt(10);
    if (choice == 0) {
      first = current0;
    } else if (choice < 4) {
      // What was written or saved lately lies at the beginning of the free blocks.
      first = Math.min(blockCount - count, 8 + random.nextInt(8));
    }
    write(first, Math.min(count, blockCount - first));
    int recycled = random.nextInt(blockCount);
    if (isRecycling && kinds[recycled] == Kind.CHANGED) {
      kinds[recycled] = Kind.FREE;
      free.set(recycled);
    }
  }

  /** Writes random data. */
  void write(int first, int count) {
    byte[] data = new byte[blockBytes];
    for (int block = first; block < first + count; ) {
      int length = block == 0 ? 1 : prepare(block, first + count - block);
      for (int i = 0; i < length; i++) {
        random.nextBytes(data);
        int target = block == 0 ? current0 : block + i;
        System.arraycopy(data, 0, device, target * blockBytes, blockBytes);
      }
      block += length;
    }
  }

  /** Saves what must be saved of a few neighbours of the same kind; returns how many. */
  private int prepare(int block, int most) {
    Kind kind = kinds[block];
    return switch (kind) {
      case CHANGED -> 1;
      case FREE -> {
        free.clear(block);
        kinds[block] = Kind.CHANGED;
        yield 1;
      }
      case UNCHANGED, BACKUP -> {
        int count = 1;
        while (count < most && kinds[block + count] == kind) {
          count++;
        }
        yield backUp(block, count, Kind.BACKUP);
      }
      case SECTOR0_CURRENT -> backUp(block, 1, kind);
      case LOG -> throw new IllegalStateException("block 0 is redirected");
    };
  }

  private int backUp(int block, int most, Kind kindOfCopy) {
    makeRoom();
    int copy = take();
    int count = 1;
    while (count < most && free.get(copy + count)) {
      free.clear(copy + count);
      count++;
    }
    copy(block, copy, count);
    boolean isMoved = kindOfCopy == Kind.SECTOR0_CURRENT;
    boolean isLeftOpen = isMoved && format == BowFormat.V1;
    long checksum = isLeftOpen ? 0 : sum(block, block, count);
    Arrays.fill(kinds, copy, copy + count, kindOfCopy);
    Arrays.fill(kinds, block, block + count, Kind.CHANGED);
    if (isMoved) {
      current0 = copy;
    }
    addEntry(new BowEntry(sector(block), sector(copy), (long) count * blockBytes, checksum));
    return count;
  }

  private void makeRoom() {
    if (entries.size() == format.capacity(blockBytes)) {
      int saved = take();
      kinds[saved] = Kind.BACKUP;
      copy(0, saved, 1);
      entries.clear();
      sequence++;
      addEntry(new BowEntry(0, sector(saved), blockBytes, sum(0, 0, 1)));
    }
  }

  private void addEntry(BowEntry entry) {
    entries.add(entry);
    int count = entries.size();
    if (format == BowFormat.V1) {
      BowLogHeader.create(blockBytes, count, sequence, sector(current0)).encode(device, 0);
    } else {
      new RfcLogHeader(BowMagic.BOW.value(), count, sequence).encode(device, 0);
    }
    entry.encode(device, format.headerBytes() + (count - 1) * BowEntry.SIZE_BYTES);
  }

  private int take() {
    int block = free.nextSetBit(0);
    if (block < 0) {
      throw new IllegalStateException("no free block left");
    }
    free.clear(block);
    return block;
  }

  private void copy(int from, int to, int count) {
    System.arraycopy(device, from * blockBytes, device, to * blockBytes, count * blockBytes);
  }

  private long sum(int sourceBlock, int first, int count) {
    BowChecksum checksum = new BowChecksum();
    checksum.start(sourceBlock);
    checksum.update(device, first * blockBytes, count * blockBytes);
    return checksum.value();
  }

  private long sector(int block) {
    return (long) block * (blockBytes / SECTOR_BYTES);
  }

  long sequence() {
    return sequence;
  }

  List<BowEntry> entries() {
    return List.copyOf(entries);
  }

  long sector0() {
    return sector(current0);
  }

  /** The device as it lies there now. */
  SimDisk disk() {
    return SimDisk.of(device.clone(), device.length);
  }

  /** What a user of the mapped device sees now, and what a commit leaves. */
  byte[] live() {
    byte[] live = device.clone();
    System.arraycopy(device, current0 * blockBytes, live, 0, blockBytes);
    return live;
  }

  /** Everything that was not free at the checkpoint must be as it was. */
  void assertRolledBack(SimDisk disk) {
    byte[] now = disk.bytes(0, before.length);
    for (int block = 0; block < blockCount; block++) {
      int from = block * blockBytes;
      int to = from + blockBytes;
      if (!freeAtFirst.get(block) && !Arrays.equals(now, from, to, before, from, to)) {
        assertThat(Arrays.copyOfRange(now, from, to))
            .as("block %d of %d bytes", block, blockBytes)
            .isEqualTo(Arrays.copyOfRange(before, from, to));
      }
    }
  }

  /** Everything must be as a user saw it last. */
  void assertRolledForward(SimDisk disk) {
    assertThat(Arrays.equals(disk.bytes(0, device.length), live())).isTrue();
  }
}
