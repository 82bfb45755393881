package oxbow.target.bow;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import oxbow.block.Errno;
import oxbow.block.Flags;
import oxbow.block.Sectors;
import oxbow.format.bow.BowChecksum;
import oxbow.format.bow.BowEntry;
import oxbow.format.bow.BowFormat;
import oxbow.format.bow.BowLogHeader;
import oxbow.target.Effects;
import oxbow.target.Job;
import oxbow.target.OwnedRange;

/**
 * The log in block 0, written in turns. A turn takes the entries of all copies that have been
 * written by then, as far as one log write can bring them, flushes, and writes them durably; who
 * comes meanwhile is taken by the next. If the log is full the turn saves it to the block that was
 * kept back for that, and begins a new one.
 *
 * <p>Invariants. L1: an entry is written only after a flush that began when its copy had been
 * written. L2: the sector with the header is written alone, and last: until then the log on disk is
 * the one before. L3: a new log has all its entries in that sector, since the others still hold
 * those of the one before. L4: where block 0 moves, entry and pointer are in one such sector write
 * (section 8, 11).
 */
final class BowLogWriter {
  private enum Step {
    IDLE,
    SAVES_FULL_LOG,
    FLUSHES,
    WRITES_ENTRIES,
    WRITES_HEADER
  }

  private final BowCore core;
  private final Effects out;
  private final int blockBytes;
  private final int capacity;
  private final int firstSectorCapacity;
  private final Job job = new Job();
  private final ArrayDeque<BowBackup> written = new ArrayDeque<>();

  /** Those of the running turn. */
  private final List<BowBackup> group = new ArrayList<>();

  /** What block 0 holds; what it shall hold while a turn runs. */
  private final byte[] image;

  private int count;
  private long sequence;
  private long sector0;
  private long entries = 1;
  private long backedUpBytes;
  private Step step = Step.IDLE;

  /** Nothing is begun any more. */
  private boolean isGivenUp;

  /**
   * The log that a checkpoint has begun with.
   *
   * @param first its sector with the header and the only entry
   */
  BowLogWriter(BowCore core, Effects out, int blockBytes, byte[] first) {
    this.core = core;
    this.out = out;
    this.blockBytes = blockBytes;
    this.capacity = BowFormat.V1.capacity(blockBytes);
    this.firstSectorCapacity = BowFormat.V1.capacity(Sectors.SIZE_BYTES);
    this.image = Arrays.copyOf(first, blockBytes);
    BowLogHeader header = BowLogHeader.decode(first, 0);
    this.count = (int) header.count();
    this.sector0 = header.sector0();
    this.backedUpBytes = blockBytes;
  }

  /** The sector that a checkpoint begins with. */
  static byte[] firstSector(int blockBytes, long sector0, BowEntry block0) {
    byte[] sector = new byte[Sectors.SIZE_BYTES];
    BowLogHeader.create(blockBytes, 1, 0, sector0).encode(sector, 0);
    block0.encode(sector, BowLogHeader.SIZE_BYTES);
    return sector;
  }

  boolean isIdle() {
    return step == Step.IDLE && written.isEmpty();
  }

  /** How many entries the log in block 0 still takes; those of the running turn are in already. */
  int room() {
    return capacity - count;
  }

  /** How many entries a log takes that follows another: its first one saves that. */
  int roomOfNext() {
    return capacity - 1;
  }

  long sequence() {
    return sequence;
  }

  long entries() {
    return entries;
  }

  long backedUpBytes() {
    return backedUpBytes;
  }

  /** A copy has been written: its entry is for the next turn. */
  void add(BowBackup backup) {
    written.add(backup);
    if (step == Step.IDLE) {
      begin();
    }
  }

  private void begin() {
    if (written.isEmpty()) {
      return;
    }
    if (count == capacity) {
      chain();
    } else {
      take(capacity - count);
      step = Step.FLUSHES;
      out.flushThen(job, BowCore.DEVICE, null);
    }
  }

  private void take(int most) {
    while (group.size() < most && !written.isEmpty()) {
      group.add(written.remove());
    }
  }

  /** The full log goes to the block that is kept for it; L3. */
  private void chain() {
    take(firstSectorCapacity - 1);
    byte[] full = image.clone();
    OwnedRange place = core.takeReserve();
    long blockSectors = Sectors.fromBytes(blockBytes);
    long dest = place.first() * blockSectors;
    count = 0;
    sequence++;
    append(new BowEntry(0, dest, blockBytes, BowChecksum.of(0, full)));
    step = Step.SAVES_FULL_LOG;
    out.writeBytes(job, full, BowCore.DEVICE, Sectors.toBytes(dest), 0);
  }

  private void append(BowEntry entry) {
    entry.encode(image, BowLogHeader.SIZE_BYTES + count * BowEntry.SIZE_BYTES);
    count++;
    entries++;
    backedUpBytes += entry.sizeBytes();
  }

  /** The I/O of a step has ended. */
  void ended(int errno) {
    if (isGivenUp) {
      step = Step.IDLE;
      return;
    }
    if (errno != Errno.OK) {
      step = Step.IDLE;
      core.fail("the log could not be written: " + Errno.describe(errno));
      return;
    }
    switch (step) {
      case SAVES_FULL_LOG -> {
        step = Step.FLUSHES;
        out.flushThen(job, BowCore.DEVICE, null);
      }
      case FLUSHES -> writeEntries();
      case WRITES_ENTRIES -> writeHeader();
      case WRITES_HEADER -> succeeded();
      case IDLE -> throw new IllegalStateException("no I/O of the log");
    }
  }

  /** L2: what lies beyond the header's sector is durable before it counts. */
  private void writeEntries() {
    int from = BowLogHeader.SIZE_BYTES + count * BowEntry.SIZE_BYTES;
    for (BowBackup backup : group) {
      append(backup.entry(blockBytes));
      if (backup.isMove()) {
        sector0 = backup.place.first() * Sectors.fromBytes(blockBytes);
      }
    }
    int end = BowLogHeader.SIZE_BYTES + count * BowEntry.SIZE_BYTES;
    if (end <= Sectors.SIZE_BYTES) {
      writeHeader();
      return;
    }
    int first = Math.max(Sectors.SIZE_BYTES, from & -Sectors.SIZE_BYTES);
    int last = Math.ceilDiv(end, Sectors.SIZE_BYTES) * Sectors.SIZE_BYTES;
    step = Step.WRITES_ENTRIES;
    byte[] sectors = Arrays.copyOfRange(image, first, last);
    out.writeBytes(job, sectors, BowCore.DEVICE, first, Flags.FUA);
  }

  private void writeHeader() {
    step = Step.WRITES_HEADER;
    BowLogHeader.create(blockBytes, count, sequence, sector0).encode(image, 0);
    byte[] sector = Arrays.copyOf(image, Sectors.SIZE_BYTES);
    out.writeBytes(job, sector, BowCore.DEVICE, 0, Flags.FUA);
  }

  private void succeeded() {
    step = Step.IDLE;
    List<BowBackup> durable = List.copyOf(group);
    group.clear();
    core.logged(durable);
    if (step == Step.IDLE) {
      begin();
    }
  }

  /** Nothing is written any more; gives up all that wait for it. */
  List<BowBackup> giveUp() {
    isGivenUp = true;
    List<BowBackup> all = new ArrayList<>(group);
    all.addAll(written);
    group.clear();
    written.clear();
    return all;
  }
}
