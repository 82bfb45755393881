package oxbow.inspect;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockingIo;
import oxbow.block.DeviceException;
import oxbow.format.bow.BowLog;
import oxbow.format.bow.BowMagic;
import oxbow.sim.SimDisk;

/** Lets power fail before every operation of a roll-back, and rolls back what is left. */
final class BowCrashes {
  private static final int MAX_ATTEMPTS = 5;

  private BowCrashes() {}

  /** What may throw because of a disk. */
  interface Action {
    void run() throws IOException;
  }

  /**
   * Interrupts a roll-back everywhere.
   *
   * @param device what the roll-back that is interrupted sees of a disk; may meddle
   * @return how many states after a crash were tried
   */
  static long ofRollBack(BowHistory history, Random random, Function<SimDisk, BlockingIo> device) {
    long states = 0;
    boolean isDone = false;
    for (int n = 0; !isDone; n++) {
      SimDisk disk = history.disk();
      BowLogReport report = check(disk);
      disk.failPowerBefore(disk.operationCount() + n);
      isDone = survives(() -> BowRestore.run(device.apply(disk), report, false, bytes -> {}));
      for (SimDisk image : images(disk, random)) {
        states++;
        assertThat(newest(image) == null || !isDone).as("done and durable").isTrue();
        resume(image, history, random);
      }
    }
    return states;
  }

  /** Some of what a crash may leave: all, nothing, any subset of sectors. */
  private static List<SimDisk> images(SimDisk disk, Random random) {
    SimDisk nothing = disk.crashImage(sector -> false);
    return disk.pendingSectors() == 0
        ? List.of(nothing)
        : List.of(
            nothing,
            disk.crashImage(sector -> true),
            disk.crashImage(random),
            disk.crashImage(random),
            disk.crashImage(random));
  }

  /** Rolls back what a crash has left, to the end or, now and then, into another crash. */
  static void resume(SimDisk disk, BowHistory history, Random random) {
    SimDisk now = disk;
    for (int attempt = 1; newest(now) != null; attempt++) {
      BowLogReport report = check(now);
      assertThat(report.problems()).isEmpty();
      if (report.newest().magic() == BowMagic.BOW) {
        // R1: as long as nothing says otherwise, forward is as good a way.
        SimDisk forward = now.resized(now.sizeBytes());
        run(() -> BowForward.run(forward, report.newest()));
        history.assertRolledForward(forward);
      }
      if (attempt < MAX_ATTEMPTS && random.nextInt(3) == 0) {
        now.failPowerBefore(now.operationCount() + random.nextInt(30));
      }
      SimDisk running = now;
      boolean isDone = survives(() -> BowRestore.run(running, report, false, bytes -> {}));
      now = isDone ? now : now.crashImage(random);
    }
    history.assertRolledBack(now);
  }

  static BowLogReport check(SimDisk disk) {
    try {
      BowLog newest = BowLogCheck.newest(disk).orElseThrow();
      return BowLogCheck.run(disk, newest, 100, bytes -> {});
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }

  static @Nullable BowLog newest(SimDisk disk) {
    try {
      return BowLogCheck.newest(disk.resized(disk.sizeBytes())).orElse(null);
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }

  static void run(Action action) {
    try {
      action.run();
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }

  /** False after a power failure or an error of the device. */
  static boolean survives(Action action) {
    try {
      action.run();
      return true;
    } catch (SimDisk.PowerFailure | DeviceException failed) {
      return false;
    } catch (IOException wrong) {
      throw new UncheckedIOException(wrong);
    }
  }
}
