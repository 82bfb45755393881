package oxbow.inspect;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.BitSet;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import oxbow.format.FormatException;
import oxbow.format.bow.BowEntry;
import oxbow.format.bow.BowFormat;
import oxbow.sim.Histories;
import oxbow.sim.SimDisk;

/**
 * Aim: roll-back and roll-forward give exactly what they promise, on whatever power failures leave.
 * Method: random histories; power fails before each operation, and what a crash may keep of what is
 * not durable is tried out; then the same command is given again.
 */
class BowRestoreTest {
  private static final int[] BLOCK_BYTES = {512, 1024, 2048, 4096};

  @Test
  @DisplayName("Section 5: every block that was not free is as it was at the checkpoint")
  void aRollBackGivesBackTheCheckpoint() {
    new Histories("BowRestoreTest#aRollBackGivesBackTheCheckpoint", this::rollBack).run(400);
  }

  private void rollBack(long seed) {
    BowHistory history = history(seed);
    SimDisk disk = history.disk();
    BowLogReport report = BowCrashes.check(disk);
    if (history.format == BowFormat.RFC && !report.isClean()) {
      // Section 8 #10: the patch has checksums of a block that goes on changing.
      assertThat(report.condition()).isIn(BowCondition.DAMAGED, BowCondition.NEWEST_ENTRY_BAD);
      return;
    }
    assertThat(report.problems()).isEmpty();
    assertThat(report.warnings()).hasSize(history.format == BowFormat.RFC ? 1 : 0);
    assertThat(report.condition()).isEqualTo(BowCondition.SOUND);
    assertThat(report.logCount()).isEqualTo(history.sequence() + 1);
    AtomicLong restored = new AtomicLong();
    BowCrashes.run(() -> BowRestore.run(disk, report, false, restored::addAndGet));
    assertThat(restored.get()).isEqualTo(report.savedBytes());
    history.assertRolledBack(disk);
    assertThat(BowCrashes.newest(disk)).isNull();
  }

  @Test
  @DisplayName("Section 7: roll-forward gives what a user of the device saw last")
  void aRollForwardGivesWhatWasSeenLast() {
    new Histories(
            "BowRestoreTest#aRollForwardGivesWhatWasSeenLast",
            seed -> {
              BowHistory history = historyOfV1(seed);
              SimDisk disk = history.disk();
              BowCrashes.run(() -> BowForward.run(disk, BowCrashes.check(disk).newest()));
              history.assertRolledForward(disk);
            })
        .run(200);
  }

  private static BowHistory history(long seed) {
    Random random = new Random(seed);
    boolean isRfc = random.nextInt(5) == 0;
    return isRfc
        ? BowHistory.random(random, BowFormat.RFC, 4096, random.nextInt(20))
        : historyOfV1(seed);
  }

  private static BowHistory historyOfV1(long seed) {
    Random random = new Random(seed);
    int blockBytes = BLOCK_BYTES[random.nextInt(BLOCK_BYTES.length)];
    return blockBytes <= 1024 && random.nextBoolean()
        ? BowHistory.chained(random, blockBytes, 2 + random.nextInt(3))
        : BowHistory.random(random, BowFormat.V1, blockBytes, random.nextInt(40));
  }

  @Test
  @DisplayName(
      "R1-R4: whatever interrupts a roll-back, the next one ends as if there had been none")
  void aRollBackSurvivesPowerFailureBeforeEveryOperation() {
    AtomicLong states = new AtomicLong();
    Histories histories =
        new Histories(
                "BowRestoreTest#aRollBackSurvivesPowerFailureBeforeEveryOperation",
                seed -> states.addAndGet(interruptRollBack(seed)))
            .run(120);
    System.out.println("roll-backs interrupted: " + states + " states, " + histories);
    assertThat(states.get()).isGreaterThan(20_000);
  }

  private static long interruptRollBack(long seed) {
    Random random = new Random(seed);
    int blockBytes = BLOCK_BYTES[random.nextInt(3)];
    BowHistory history =
        random.nextBoolean()
            ? BowHistory.chained(random, 512, 2 + random.nextInt(2))
            : BowHistory.random(random, BowFormat.V1, blockBytes, 2 + random.nextInt(20));
    return BowCrashes.ofRollBack(history, random, disk -> disk);
  }

  @Test
  @DisplayName("Section 6: an interrupted commit is finished by the next one, or undone")
  void aRollForwardSurvivesPowerFailureBeforeEveryOperation() {
    AtomicLong states = new AtomicLong();
    new Histories(
            "BowRestoreTest#aRollForwardSurvivesPowerFailureBeforeEveryOperation",
            seed -> states.addAndGet(interruptRollForward(seed)))
        .run(150);
    assertThat(states.get()).isGreaterThan(5_000);
  }

  private long interruptRollForward(long seed) {
    Random random = new Random(seed);
    BowHistory history = historyOfV1(seed);
    long states = 0;
    boolean isDone = false;
    for (int n = 0; !isDone; n++) {
      SimDisk disk = history.disk();
      BowLogReport report = BowCrashes.check(disk);
      disk.failPowerBefore(disk.operationCount() + n);
      isDone = BowCrashes.survives(() -> BowForward.run(disk, report.newest()));
      for (int sample = 0; sample < 10; sample++) {
        SimDisk image = disk.crashImage(random);
        states++;
        if (BowCrashes.newest(image) != null) {
          // The chain may be torn by now; where the newest block 0 is can still be read.
          BowCrashes.run(() -> BowForward.run(image, BowCrashes.check(image).newest()));
        }
        history.assertRolledForward(image);
      }
    }
    return states;
  }

  @Test
  @DisplayName("A failure of the device stops the roll-back, and the next one goes on")
  void anErrorOfTheDeviceStopsTheRollBack() {
    for (long seed = 0; seed < 10; seed++) {
      Random random = new Random(seed);
      BowHistory history = BowHistory.random(random, BowFormat.V1, 1024, 12);
      boolean isDone = false;
      for (int n = 0; !isDone; n++) {
        SimDisk disk = history.disk();
        BowLogReport report = BowCrashes.check(disk);
        disk.failOperation(disk.operationCount() + n);
        isDone = BowCrashes.survives(() -> BowRestore.run(disk, report, false, bytes -> {}));
        if (!isDone) {
          // A failed flush counts as a crash: what it covered may be lost.
          BowCrashes.resume(disk.crashImage(random), history, random);
        }
      }
      assertThat(isDone).isTrue();
    }
  }

  @Test
  void anEntryOfManyPiecesIsRestoredWholeOrNotAtAll() throws IOException {
    BowHistory history = large();
    BowEntry entry = history.entries().get(1);
    assertThat(entry.sizeBytes()).isGreaterThan(2 << 20);
    SimDisk disk = history.disk();
    BowLogReport report = BowCrashes.check(disk);
    SimDisk changed = disk.resized(disk.sizeBytes());
    changed.flipBit(entry.dest() * 512 + entry.sizeBytes() - 1, 0);
    // The copy has changed in its last piece since it was checked.
    assertThatThrownBy(() -> BowRestore.run(changed, report, false, bytes -> {}))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("log 0 entry 1");
    assertThat(changed.writes()).allMatch(write -> write.offsetBytes() == 0);
    BowRestore.run(disk, report, false, bytes -> {});
    history.assertRolledBack(disk);
  }

  /** One entry of 700 blocks after the first. */
  private static BowHistory large() {
    BitSet free = new BitSet();
    free.set(800, 1600);
    BowHistory history = new BowHistory(new Random(4), BowFormat.V1, 4096, 1600, free);
    history.write(1, 700);
    return history;
  }

  @Test
  void whatAReportDoesNotAllowIsNotBegun() throws IOException {
    BowHistory history = BowHistory.small(512, 1, 2, 3);
    SimDisk disk = history.disk();
    disk.flipBit(history.entries().get(1).dest() * 512, 3);
    BowLogReport damaged = BowCrashes.check(disk);
    assertThatThrownBy(() -> BowRestore.run(disk, damaged, true, bytes -> {}))
        .isInstanceOf(IllegalArgumentException.class);
    SimDisk begun = history.disk();
    BowLogReport report = BowCrashes.check(begun);
    begun.failPowerBefore(begun.operationCount() + 3);
    assertThat(BowCrashes.survives(() -> BowRestore.run(begun, report, false, bytes -> {})))
        .isFalse();
    BowLogReport half = BowCrashes.check(begun.crashImage(sector -> true));
    assertThat(half.condition()).isEqualTo(BowCondition.ROLLING_BACK);
    assertThatThrownBy(() -> BowForward.run(begun, half.newest()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("a roll-back has begun");
    assertThat(disk.writes()).isEmpty();
  }
}
