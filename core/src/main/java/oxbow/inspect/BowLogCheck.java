package oxbow.inspect;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockingIo;
import oxbow.block.Sectors;
import oxbow.format.Fault;
import oxbow.format.FormatException;
import oxbow.format.bow.BowChecksum;
import oxbow.format.bow.BowEntry;
import oxbow.format.bow.BowFormat;
import oxbow.format.bow.BowLog;
import oxbow.format.bow.BowLogHeader;
import oxbow.format.bow.BowMagic;

/**
 * Verifies the log of a checkpoint: follows the chain of log blocks from the newest to the first,
 * reading every block as it would be once all later entries had been undone, which a map tells.
 * Nothing is undone, so that nothing is lost when the chain turns out to be broken. Goes on past
 * damage as long as the chain can be followed. Blocks; never writes.
 *
 * <p>A log whose roll-back was interrupted is walked in the same way: what was undone since the
 * last save point lies in its old place already, and its copy as well.
 *
 * @see "docs/format/bow.md, Roll-back"
 */
public final class BowLogCheck {
  private static final int PIECE_BYTES = 1 << 20;

  private final BlockingIo device;
  private final long deviceSectors;
  private final LongConsumer checkedBytes;
  private final int maxProblems;
  private final SectorMap map = new SectorMap();
  private final List<Problem> problems = new ArrayList<>();
  private final List<String> warnings = new ArrayList<>();
  private final ByteBuffer piece;
  private final BowChecksum checksum = new BowChecksum();
  private long unlistedProblemCount;
  private long logCount;
  private long entryCount;
  private long savedBytes;
  private long uncheckedEntryCount;

  private BowLogCheck(BlockingIo device, int maxProblems, LongConsumer checkedBytes) {
    this.device = device;
    this.deviceSectors = Sectors.fromBytes(device.sizeBytes());
    this.piece = ByteBuffer.allocate((int) Math.min(PIECE_BYTES, device.sizeBytes()));
    this.maxProblems = maxProblems;
    this.checkedBytes = checkedBytes;
  }

  /** The log in block 0; empty if there is none that can be read. Nothing of it is checked. */
  public static Optional<BowLog> newest(BlockingIo device) throws IOException {
    int length = (int) Math.min(BowLog.MAX_BYTES, Sectors.wholeBytes(device.sizeBytes()));
    if (length == 0) {
      return Optional.empty();
    }
    byte[] head = new byte[length];
    device.read(0, ByteBuffer.wrap(head));
    return BowMagic.of(head, 0).isLog()
        ? Optional.of(BowLog.decode(head, 0, length))
        : Optional.empty();
  }

  /**
   * Checks a log. What cannot be read is a finding like others.
   *
   * @param newest what {@link #newest} has found on this device
   * @param maxProblems at most so many are listed; the rest is counted
   * @param checkedBytes is told now and then how much of what was saved has been read
   */
  public static BowLogReport run(
      BlockingIo device, BowLog newest, int maxProblems, LongConsumer checkedBytes) {
    BowLogCheck check = new BowLogCheck(device, maxProblems, checkedBytes);
    check.walk(newest);
    return check.report(newest, check.condition(newest));
  }

  private BowCondition condition(BowLog newest) {
    boolean isRollingBack = newest.magic() == BowMagic.WOB;
    if (problems.isEmpty()) {
      return isRollingBack ? BowCondition.ROLLING_BACK : BowCondition.SOUND;
    }
    if (isRollingBack) {
      return BowCondition.DAMAGED_ROLLING_BACK;
    }
    return isSoundWithoutNewestEntry(newest) ? BowCondition.NEWEST_ENTRY_BAD : BowCondition.DAMAGED;
  }

  /** The first entry shares a sector with the header, and is never torn from it. */
  private boolean isSoundWithoutNewestEntry(BowLog newest) {
    try {
      newest.check();
    } catch (FormatException unusable) {
      return false;
    }
    if (newest.count() == 1) {
      return false;
    }
    BowLogCheck shorter = new BowLogCheck(device, 0, checkedBytes);
    shorter.walk(withoutNewestEntry(newest));
    return shorter.problems.isEmpty() && shorter.unlistedProblemCount == 0;
  }

  /** The log as it was before its newest entry was written; it must have more than one. */
  static BowLog withoutNewestEntry(BowLog newest) {
    return newest.with(newest.magic(), newest.count() - 1);
  }

  private BowLogReport report(BowLog newest, BowCondition condition) {
    String obstacle = BowForward.obstacle(newest, deviceSectors);
    if (condition == BowCondition.SOUND && !obstacle.isEmpty()) {
      warnings.add("it cannot be rolled forward: " + obstacle);
    }
    return new BowLogReport(
        newest,
        condition,
        logCount,
        entryCount,
        savedBytes,
        uncheckedEntryCount,
        map.mappedSectors(),
        obstacle,
        List.copyOf(problems),
        unlistedProblemCount,
        List.copyOf(warnings));
  }

  private void walk(BowLog newest) {
    try {
      newest.check();
    } catch (FormatException unusable) {
      problem(unusable.fault(), 0, unusable.sentence());
      return;
    }
    BowLog log = newest;
    while (log != null) {
      warnOfOddities(log);
      logCount++;
      boolean isChained = true;
      for (int index = log.count() - 1; index >= 0; index--) {
        isChained = undo(log, index);
      }
      log = isChained && log.sequence() > 0 ? older(log, newest) : null;
    }
  }

  private void warnOfOddities(BowLog log) {
    if (log.format() == BowFormat.V1) {
      BowLogHeader header = log.header();
      if (header.version() != BowLogHeader.VERSION) {
        warn(log, "header version 0x%04x, only 0x0100 is known".formatted(header.version()));
      }
      if (header.headerBytes() != BowLogHeader.SIZE_BYTES) {
        warn(log, "header of " + header.headerBytes() + " bytes, known writers have 28");
      }
    }
  }

  private void warn(BowLog log, String what) {
    if (warnings.size() < maxProblems) {
      warnings.add("log " + log.sequence() + ": " + what);
    }
  }

  /** Follows one entry in the map; false if it points nowhere. */
  private boolean undo(BowLog log, int index) {
    BowEntry entry = log.entry(index);
    entryCount++;
    try {
      entry.check(index, log.sequence(), log.blockSizeBytes(), deviceSectors);
    } catch (FormatException unusable) {
      problem(unusable.fault(), block0Place(log.blockSizeBytes()), unusable.sentence());
      return false;
    }
    savedBytes += entry.sizeBytes();
    List<SectorMap.Extent> places = map.places(entry.dest(), entry.sizeSectors());
    verify(log, index, entry, places);
    map.put(entry.source(), places);
    return true;
  }

  /** The block that holds what block 0 held then: a log, or what the first entry of it saved. */
  private long block0Place(int blockSizeBytes) {
    return map.places(0, 1).getFirst().place() / Sectors.fromBytes(blockSizeBytes);
  }

  private void verify(BowLog log, int index, BowEntry entry, List<SectorMap.Extent> places) {
    long block = places.getFirst().place() / Sectors.fromBytes(log.blockSizeBytes());
    checksum.start(entry.sourceBlock(log.blockSizeBytes()));
    try {
      for (SectorMap.Extent extent : places) {
        read(extent);
      }
    } catch (IOException unreadable) {
      problem(
          Fault.IO,
          block,
          "log %d entry %d: the copy cannot be read: %s"
              .formatted(log.sequence(), index, unreadable.getMessage()));
      return;
    }
    if (!entry.hasChecksum()) {
      uncheckedEntryCount++;
    } else if (checksum.value() != entry.checksum()) {
      problem(Fault.CHECKSUM, block, mismatch(log.sequence(), index, entry, checksum.value()));
    }
  }

  /** The sentence about a copy that is not what was saved. */
  static String mismatch(long logNr, int index, BowEntry entry, long found) {
    return "log %d entry %d: the copy of sector %d at %d has checksum %08x, expected %08x"
        .formatted(logNr, index, entry.source(), entry.dest(), found, entry.checksum());
  }

  private void read(SectorMap.Extent extent) throws IOException {
    long at = Sectors.toBytes(extent.place());
    long end = at + Sectors.toBytes(extent.count());
    while (at < end) {
      int length = (int) Math.min(PIECE_BYTES, end - at);
      device.read(at, piece.clear().limit(length));
      checksum.update(piece.flip());
      checkedBytes.accept(length);
      at += length;
    }
  }

  /** The log before this one, whose first entry has been undone; null if it is not there. */
  private @Nullable BowLog older(BowLog log, BowLog newest) {
    long block = block0Place(log.blockSizeBytes());
    try {
      byte[] bytes = new byte[log.blockSizeBytes()];
      device.read(block * log.blockSizeBytes(), ByteBuffer.wrap(bytes));
      BowLog older = BowLog.decode(bytes, 0, bytes.length);
      checkOlder(older, log, newest.magic());
      return older;
    } catch (FormatException unusable) {
      problem(unusable.fault(), block, unusable.sentence());
    } catch (IOException unreadable) {
      problem(
          Fault.IO,
          block,
          "log %d cannot be read: %s".formatted(log.sequence() - 1, unreadable.getMessage()));
    }
    return null;
  }

  /**
   * Whether a log is the one before another.
   *
   * @param newestMagic with WOB in block 0, older logs may carry either magic
   */
  static void checkOlder(BowLog older, BowLog log, BowMagic newestMagic) throws FormatException {
    long expected = log.sequence() - 1;
    String place = "log " + expected + ": ";
    if (older.magic() != BowMagic.BOW && older.magic() != newestMagic) {
      throw new FormatException(
          Fault.MAGIC, 0, place + "magic %08x in its place".formatted(older.header().magic()));
    }
    if (older.format() != log.format()
        || older.header().blockSizeBytes() != log.header().blockSizeBytes()) {
      throw new FormatException(
          Fault.GEOMETRY,
          0,
          place
              + "format %s with blocks of %d bytes, the newest log has %s and %d"
                  .formatted(
                      older.format().word(),
                      older.header().blockSizeBytes(),
                      log.format().word(),
                      log.header().blockSizeBytes()));
    }
    if (older.sequence() != expected) {
      throw new FormatException(
          Fault.SEQUENCE, 0, place + "the log in its place is number " + older.sequence());
    }
    older.check();
  }

  private void problem(Fault fault, long block, String what) {
    if (problems.size() < maxProblems) {
      problems.add(new Problem(fault, what, block, List.of()));
    } else {
      unlistedProblemCount++;
    }
  }
}
