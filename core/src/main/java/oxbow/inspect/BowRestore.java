package oxbow.inspect;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.function.LongConsumer;
import oxbow.block.BlockingIo;
import oxbow.block.Sectors;
import oxbow.format.Fault;
import oxbow.format.FormatException;
import oxbow.format.bow.BowChecksum;
import oxbow.format.bow.BowEntry;
import oxbow.format.bow.BowLog;
import oxbow.format.bow.BowMagic;

/**
 * Puts a device back as it was at its checkpoint, after {@link BowLogCheck} has found that it can
 * be. Entries are undone from the newest to the oldest, each by copying what was saved to where it
 * belongs. Whatever interrupts it, a new run goes on from the log in block 0, because:
 *
 * <ul>
 *   <li>R1. Block 0 says WOB before anything is undone, so that nobody rolls forward what has been
 *       rolled back in part.
 *   <li>R2. A copy is never overwritten while the log in block 0 still has its entry: before that,
 *       a save point makes durable what was undone, and shortens the log to what is left. So all
 *       entries of the log can be undone again, with the same result.
 *   <li>R3. Of block 0 only sector 0 is written as long as it matters, since only a sector is
 *       written whole or not at all. Header and first entry lie there: shortened to that entry, the
 *       log brings back the block it saved, however much of it has arrived.
 *   <li>R4. An older log takes its place in block 0 only after all that the newer one has undone is
 *       durable; its magic is WOB by then.
 * </ul>
 *
 * @see "docs/format/bow.md, Roll-back"
 */
public final class BowRestore {
  private static final int PIECE_BYTES = 1 << 20;

  private final BlockingIo device;
  private final long deviceSectors;
  private final BowLog newest;
  private final LongConsumer restoredBytes;
  private final ByteBuffer piece;
  private final BowChecksum checksum = new BowChecksum();

  /** Copies that the log in block 0 may ask for again: those used since the last save point. */
  private final RangeSet copies = new RangeSet();

  private BowRestore(BlockingIo device, BowLog newest, LongConsumer restoredBytes) {
    this.device = device;
    this.deviceSectors = Sectors.fromBytes(device.sizeBytes());
    this.piece = ByteBuffer.allocate((int) Math.min(PIECE_BYTES, device.sizeBytes()));
    this.newest = newest;
    this.restoredBytes = restoredBytes;
  }

  /**
   * Restores. Blocks. A failure leaves the device as far as it was restored; another run goes on.
   *
   * @param report of this device as it is now
   * @param withoutNewestEntry leave the newest entry out if it is bad
   * @param restoredBytes is told of each piece that was copied, {@link BowLogReport#savedBytes} in
   *     all or more where it goes on
   * @throws IllegalArgumentException if the report does not allow it
   * @throws FormatException if something has changed since the report: a copy or an older log is
   *     not what it was
   */
  public static void run(
      BlockingIo device,
      BowLogReport report,
      boolean withoutNewestEntry,
      LongConsumer restoredBytes)
      throws IOException {
    BowCondition condition = report.condition();
    if (!condition.allowsRollBack(withoutNewestEntry)) {
      throw new IllegalArgumentException("no roll-back of a log that is " + condition.word());
    }
    BowLog newest =
        condition == BowCondition.NEWEST_ENTRY_BAD
            ? BowLogCheck.withoutNewestEntry(report.newest())
            : report.newest();
    new BowRestore(device, newest, restoredBytes).run();
  }

  private void run() throws IOException {
    BowLog log = newest;
    savePoint(log.with(BowMagic.WOB, log.count()));
    while (true) {
      for (int index = log.count() - 1; index > 0; index--) {
        undo(log, index);
      }
      byte[] saved = savedBlock(log);
      if (log.sequence() == 0) {
        bringBack(log, saved);
        return;
      }
      BowLog older = BowLog.decode(saved, 0, saved.length);
      BowLogCheck.checkOlder(older, log, BowMagic.WOB);
      older.with(BowMagic.WOB, older.count()).encode(saved, 0);
      bringBack(log, saved);
      log = older;
    }
  }

  private void undo(BowLog log, int index) throws IOException {
    BowEntry entry = log.entry(index);
    entry.check(index, log.sequence(), log.blockSizeBytes(), deviceSectors);
    if (copies.overlaps(entry.source(), entry.sizeSectors())) {
      savePoint(log.with(BowMagic.WOB, index + 1));
    }
    boolean isOnePiece = entry.sizeBytes() <= PIECE_BYTES;
    if (!isOnePiece) {
      // Nothing is overwritten by a copy that turns out to be bad in its last piece.
      verify(log, index, entry);
    }
    long source = Sectors.toBytes(entry.source());
    long dest = Sectors.toBytes(entry.dest());
    for (long at = 0; at < entry.sizeBytes(); at += PIECE_BYTES) {
      int length = (int) Math.min(PIECE_BYTES, entry.sizeBytes() - at);
      device.read(dest + at, piece.clear().limit(length));
      if (isOnePiece) {
        checksum.start(entry.sourceBlock(log.blockSizeBytes()));
        checksum.update(piece.flip());
        check(log, index, entry);
      }
      device.write(source + at, piece.flip());
      restoredBytes.accept(length);
    }
    copies.add(entry.dest(), entry.sizeSectors());
  }

  private void verify(BowLog log, int index, BowEntry entry) throws IOException {
    long dest = Sectors.toBytes(entry.dest());
    checksum.start(entry.sourceBlock(log.blockSizeBytes()));
    for (long at = 0; at < entry.sizeBytes(); at += PIECE_BYTES) {
      int length = (int) Math.min(PIECE_BYTES, entry.sizeBytes() - at);
      device.read(dest + at, piece.clear().limit(length));
      checksum.update(piece.flip());
    }
    check(log, index, entry);
  }

  private void check(BowLog log, int index, BowEntry entry) throws FormatException {
    if (entry.hasChecksum() && checksum.value() != entry.checksum()) {
      throw new FormatException(
          Fault.CHECKSUM,
          entry.dest() / Sectors.fromBytes(log.blockSizeBytes()),
          BowLogCheck.mismatch(log.sequence(), index, entry, checksum.value()));
    }
  }

  /** What the first entry has saved: the older log, or the block 0 of the checkpoint. */
  private byte[] savedBlock(BowLog log) throws IOException {
    BowEntry entry = log.entry(0);
    entry.check(0, log.sequence(), log.blockSizeBytes(), deviceSectors);
    byte[] saved = new byte[log.blockSizeBytes()];
    device.read(Sectors.toBytes(entry.dest()), ByteBuffer.wrap(saved));
    checksum.start(0);
    checksum.update(saved, 0, saved.length);
    check(log, 0, entry);
    return saved;
  }

  /** R2. From here on a new run begins with this log, all of whose copies are whole. */
  private void savePoint(BowLog left) throws IOException {
    device.flush();
    byte[] block = new byte[left.lengthBytes()];
    left.encode(block, 0);
    device.write(0, ByteBuffer.wrap(block, 0, Sectors.SIZE_BYTES));
    device.flush();
    copies.clear();
  }

  /** R3, R4. Puts a block in the place of the log whose first entry has saved it. */
  private void bringBack(BowLog log, byte[] saved) throws IOException {
    savePoint(log.firstEntryOnly(BowMagic.WOB));
    Block0.write(device, saved);
    restoredBytes.accept(saved.length);
  }
}
