package oxbow.inspect;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import oxbow.format.Fault;
import oxbow.format.bow.BowEntry;
import oxbow.format.bow.BowFormat;
import oxbow.format.bow.BowLogHeader;
import oxbow.format.bow.BowMagic;
import oxbow.sim.SimDisk;

/**
 * Aim: the table of bow-log.md section 6, row by row, and every kind of damage by name. Method: a
 * sound checkpoint with one thing changed.
 */
class BowLogCheckTest {
  private static final int BLOCK_BYTES = 512;
  private static final int ENTRIES_AT = BowLogHeader.SIZE_BYTES;

  /** Logs 0 and 1, the second with a few entries. */
  private final BowHistory history = BowHistory.chained(new Random(5), BLOCK_BYTES, 2);

  private final SimDisk disk = history.disk();

  private BowLogHeader header() {
    return BowLogHeader.decode(disk.bytes(0, BowLogHeader.SIZE_BYTES), 0);
  }

  private void putHeader(BowLogHeader header) {
    byte[] bytes = new byte[BowLogHeader.SIZE_BYTES];
    header.encode(bytes, 0);
    put(0, bytes);
  }

  private void putEntry(int index, BowEntry entry) {
    byte[] bytes = new byte[BowEntry.SIZE_BYTES];
    entry.encode(bytes, 0);
    put(ENTRIES_AT + index * BowEntry.SIZE_BYTES, bytes);
  }

  /** Durable, and no write that a test would count. */
  private void put(int at, byte[] bytes) {
    byte[] sector = disk.bytes(0, BLOCK_BYTES);
    System.arraycopy(bytes, 0, sector, at, bytes.length);
    BowCrashes.run(
        () -> {
          disk.write(0, ByteBuffer.wrap(sector));
          disk.flush();
        });
    disk.clearWrites();
  }

  private BowLogReport check() {
    return BowCrashes.check(disk);
  }

  private void assertProblem(BowLogReport report, Fault fault, String what) {
    assertThat(report.problems()).extracting(Problem::fault).contains(fault);
    assertThat(report.problems())
        .extracting(Problem::what)
        .anySatisfy(found -> assertThat(found).contains(what));
    assertThat(report.isClean()).isFalse();
    assertThat(disk.writes()).isEmpty();
  }

  @Test
  void aSoundLogGoesBothWays() {
    BowLogReport report = check();
    assertThat(report.isClean()).isTrue();
    assertThat(report.condition()).isEqualTo(BowCondition.SOUND);
    assertThat(report.condition().allowsRollBack(false)).isTrue();
    assertThat(report.canRollForward()).isTrue();
    assertThat(report.logCount()).isEqualTo(2);
    assertThat(report.entryCount()).isEqualTo(20 + history.entries().size());
    assertThat(report.newest().sector0()).hasValue(history.sector0());
    assertThat(disk.writes()).isEmpty();
  }

  @Test
  @DisplayName("6: magic neither BOW nor WOB: not checkpointed")
  void otherMagicsAreNoLog() throws Exception {
    put(0, new byte[] {'B', 'O', 'X', 0});
    assertThat(BowLogCheck.newest(disk)).isEmpty();
    put(0, new byte[] {0, 'W', 'O', 'B'});
    assertThat(BowLogCheck.newest(disk)).isEmpty();
    assertThat(BowLogCheck.newest(new SimDisk(0))).isEmpty();
    assertThat(BowLogCheck.newest(new SimDisk(512))).isEmpty();
  }

  @Test
  @DisplayName("6: header field out of range: forward if sector0 is a block")
  void aBadHeaderLeavesTheWayForward() {
    putHeader(header().with(BowMagic.BOW, 21));
    BowLogReport report = check();
    assertProblem(report, Fault.GEOMETRY, "log 1: 21 entries: 1 to 20 are possible");
    assertThat(report.condition()).isEqualTo(BowCondition.DAMAGED);
    assertThat(report.canRollForward()).isTrue();
    BowCrashes.run(() -> BowForward.run(disk, report.newest()));
    history.assertRolledForward(disk);
  }

  @Test
  @DisplayName("6: a block size that cannot be leaves no way: nobody knows what a block is")
  void aBadBlockSizeLeavesNoWay() {
    BowLogHeader sound = header();
    putHeader(
        new BowLogHeader(
            sound.magic(),
            sound.version(),
            sound.headerBytes(),
            768,
            sound.count(),
            sound.sequence(),
            sound.sector0()));
    BowLogReport report = check();
    assertProblem(report, Fault.GEOMETRY, "block size 768");
    assertThat(report.canRollForward()).isFalse();
  }

  @Test
  @DisplayName("6: a bad checksum anywhere: forward")
  void aBadCopyLeavesTheWayForward() {
    BowHistory small = BowHistory.small(BLOCK_BYTES, 1, 2, 3);
    for (int index = 0; index < 3; index++) {
      SimDisk damaged = small.disk();
      damaged.flipBit(small.entries().get(index).dest() * 512, 0);
      BowLogReport report = BowCrashes.check(damaged);
      assertThat(report.problems()).hasSize(1);
      assertThat(report.problems().getFirst().fault()).isEqualTo(Fault.CHECKSUM);
      assertThat(report.problems().getFirst().what()).startsWith("log 0 entry " + index + ": ");
      assertThat(report.condition()).isEqualTo(BowCondition.DAMAGED);
      assertThat(report.canRollForward()).isTrue();
    }
  }

  @Test
  @DisplayName("6: a broken chain: forward")
  void aBrokenChainLeavesTheWayForward() {
    BowLogHeader sound = header();
    putHeader(
        new BowLogHeader(
            sound.magic(),
            sound.version(),
            sound.headerBytes(),
            sound.blockSizeBytes(),
            sound.count(),
            2,
            sound.sector0()));
    BowLogReport report = check();
    assertProblem(report, Fault.SEQUENCE, "log 1: the log in its place is number 0");
    assertThat(report.condition()).isEqualTo(BowCondition.DAMAGED);
    assertThat(report.logCount()).isEqualTo(1);
    assertThat(report.canRollForward()).isTrue();
  }

  @Test
  void allDamageIsFoundThatTheChainLeadsTo() {
    BowHistory small = BowHistory.small(BLOCK_BYTES, 1, 2, 3, 4);
    SimDisk damaged = small.disk();
    damaged.flipBit(small.entries().get(1).dest() * 512, 0);
    damaged.flipBit(small.entries().get(3).dest() * 512, 0);
    assertThat(BowCrashes.check(damaged).problems()).hasSize(2);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  @DisplayName("6: only the newest entry is bad: forward; or back without it, if someone says so")
  void aTornNewestEntryMayBeLeftOut(boolean isOutOfRange) {
    BowHistory small = BowHistory.small(BLOCK_BYTES, 1, 2, 3);
    SimDisk torn = small.disk();
    int last = small.entries().size() - 1;
    if (isOutOfRange) {
      // Source 2^63 and more.
      torn.flipBit(ENTRIES_AT + last * BowEntry.SIZE_BYTES + 7, 7);
    } else {
      torn.flipBit(ENTRIES_AT + last * BowEntry.SIZE_BYTES + BowEntry.CHECKSUM_OFFSET, 0);
    }
    BowLogReport report = BowCrashes.check(torn);
    assertThat(report.condition()).isEqualTo(BowCondition.NEWEST_ENTRY_BAD);
    assertThat(report.condition().allowsRollBack(false)).isFalse();
    assertThat(report.condition().allowsRollBack(true)).isTrue();
    assertThat(report.canRollForward()).isTrue();
    BowCrashes.run(() -> BowRestore.run(torn, report, true, bytes -> {}));
    byte[] now = torn.bytes(0, 4 * BLOCK_BYTES);
    byte[] newest = small.disk().bytes(3 * BLOCK_BYTES, BLOCK_BYTES);
    assertThat(now).startsWith(Arrays.copyOf(small.before, 3 * BLOCK_BYTES));
    assertThat(now).endsWith(newest);
  }

  @Test
  @DisplayName("6: the first entry of a log shares a sector with the header and is never torn")
  void aLogWhoseOnlyEntryIsBadIsDamaged() {
    BowHistory fresh = BowHistory.small(BLOCK_BYTES);
    SimDisk damaged = fresh.disk();
    damaged.flipBit(ENTRIES_AT + BowEntry.CHECKSUM_OFFSET, 0);
    assertThat(BowCrashes.check(damaged).condition()).isEqualTo(BowCondition.DAMAGED);
  }

  @Test
  @DisplayName("6: failure with magic WOB: neither way")
  void damageDuringARollBackLeavesNoWay() {
    putHeader(header().with(BowMagic.WOB, header().count()));
    assertThat(check().condition()).isEqualTo(BowCondition.ROLLING_BACK);
    assertThat(check().canRollForward()).isFalse();
    disk.flipBit(history.entries().getLast().dest() * 512, 0);
    BowLogReport report = check();
    assertProblem(report, Fault.CHECKSUM, "log 1 entry");
    assertThat(report.condition()).isEqualTo(BowCondition.DAMAGED_ROLLING_BACK);
    assertThat(report.condition().allowsRollBack(true)).isFalse();
    assertThat(report.canRollForward()).isFalse();
    assertThat(report.forwardObstacle()).contains("a roll-back has begun");
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 1 << 30, -1, Long.MIN_VALUE})
  @DisplayName("6: sector0 no block of the device: no way forward, but back")
  void aBadSector0LeavesTheWayBack(long sector0) {
    BowLogHeader sound = header();
    putHeader(BowLogHeader.create(BLOCK_BYTES, (int) sound.count(), sound.sequence(), sector0));
    BowLogReport report = check();
    assertThat(report.condition()).isEqualTo(BowCondition.SOUND);
    assertThat(report.canRollForward()).isFalse();
    assertThat(report.forwardObstacle()).contains("sector0 is " + Long.toUnsignedString(sector0));
    assertThat(report.warnings()).hasSize(1);
    BowCrashes.run(() -> BowRestore.run(disk, report, false, bytes -> {}));
    history.assertRolledBack(disk);
  }

  @Test
  @DisplayName("5: an RFC log does not know where block 0 is: no way forward")
  void anRfcLogOnlyGoesBack() {
    BowHistory rfc = BowHistory.random(new Random(3), BowFormat.RFC, 4096, 3);
    BowLogReport report = BowCrashes.check(rfc.disk());
    assertThat(report.condition()).isEqualTo(BowCondition.SOUND);
    assertThat(report.canRollForward()).isFalse();
    assertThat(report.forwardObstacle()).contains("RFC");
  }

  @Test
  void everyFaultOfAnEntryIsNamed() {
    List<BowEntry> entries = history.entries();
    BowEntry last = entries.getLast();
    int index = entries.size() - 1;
    putEntry(index, new BowEntry(last.source(), 1 << 20, last.sizeBytes(), 0));
    assertProblem(check(), Fault.RANGE, "not blocks of a device");
    putEntry(index, new BowEntry(last.source(), last.dest(), 511, 0));
    assertProblem(check(), Fault.RANGE, "whole blocks of 512 bytes");
    putEntry(index, new BowEntry(0, last.dest(), 512, 0));
    assertProblem(check(), Fault.RANGE, "only the first entry");
    putEntry(0, new BowEntry(1, entries.getFirst().dest(), 512, 0));
    assertProblem(check(), Fault.RANGE, "the first entry must save block 0");
  }

  @Test
  void aCopyThatCannotBeReadIsDamage() {
    disk.failOperation(disk.operationCount() + 1);
    BowLogReport report = check();
    assertProblem(report, Fault.IO, "the copy cannot be read");
  }

  @Test
  void whatIsUnusualIsOnlyWarnedOf() {
    BowLogHeader sound = header();
    putHeader(
        new BowLogHeader(
            sound.magic(),
            0x0101,
            sound.headerBytes(),
            sound.blockSizeBytes(),
            sound.count(),
            sound.sequence(),
            sound.sector0()));
    BowLogReport report = check();
    assertThat(report.isClean()).isTrue();
    assertThat(report.warnings())
        .containsExactly("log 1: header version 0x0101, only 0x0100 is known");
  }
}
