package oxbow.job;

import java.io.IOException;
import java.util.Optional;
import oxbow.block.BlockDevice;
import oxbow.block.BlockingDevice;
import oxbow.console.Console;
import oxbow.console.Progress;
import oxbow.console.UserException;
import oxbow.format.bow.BowLog;
import oxbow.inspect.BowForward;
import oxbow.inspect.BowLogCheck;
import oxbow.inspect.BowLogReport;
import oxbow.inspect.BowRestore;
import oxbow.inspect.Problem;

/**
 * {@code oxbow bow restore}: puts a device that no process serves back as it was at its checkpoint.
 * Where the log is too damaged for that, the other way out is offered, and taken only with consent.
 */
public final class BowRestoreJob {
  private static final String COMMAND = "bow restore";

  /**
   * What was asked for.
   *
   * @param isDryRun only look, and tell
   * @param isAgreed roll forward without a question if there is no way back
   * @param withoutTornEntry leave the newest entry out if it alone is bad
   */
  public record Order(
      String device, boolean isDryRun, boolean isAgreed, boolean withoutTornEntry) {}

  private final Order order;
  private final Console console;
  private final Inspection shown = new Inspection();

  public BowRestoreJob(Order order, Console console) {
    this.order = order;
    this.console = console;
  }

  /** Looks, restores and tells; false when a dry run finds that it cannot be done. Blocks. */
  public boolean run() throws UserException, IOException {
    try (DeviceOpener opener = new DeviceOpener(console::say);
        BlockDevice device = BowDevices.open(COMMAND, order.device(), !order.isDryRun(), opener);
        BlockingDevice io = new BlockingDevice(device)) {
      shown.field("address", order.device());
      Optional<BowLog> newest = BowDevices.newest(COMMAND, order.device(), io);
      if (newest.isEmpty()) {
        shown.field("result", "nothing-to-do");
        shown.line(order.device() + ": no checkpoint in block 0: nothing to do");
        shown.show(console);
        return true;
      }
      BowLogReport report = check(io, newest.get());
      boolean isDone = order.isDryRun() ? tellPlan(report) : restore(io, report);
      shown.show(console);
      return isDone;
    }
  }

  private BowLogReport check(BlockingDevice io, BowLog newest) {
    try (BowProgress progress = new BowProgress(COMMAND + ": checked", 0, console)) {
      return BowLogCheck.run(io, newest, Inspection.MAX_PROBLEMS, progress);
    }
  }

  private boolean tellPlan(BowLogReport report) {
    boolean isPossible = report.condition().allowsRollBack(order.withoutTornEntry());
    shown.line(order.device() + ": bow log; nothing was changed");
    BowInspection inspection = new BowInspection(report.newest(), shown);
    inspection.describe();
    inspection.show(report);
    shown.findings(report.problems(), report.unlistedProblemCount(), report.warnings());
    shown.field("result", isPossible ? "would-roll-back" : "cannot-roll-back");
    return isPossible;
  }

  private boolean restore(BlockingDevice io, BowLogReport report)
      throws UserException, IOException {
    if (report.condition().allowsRollBack(order.withoutTornEntry())) {
      rollBack(io, report);
    } else {
      rollForwardInstead(io, report);
    }
    return true;
  }

  private void rollBack(BlockingDevice io, BowLogReport report) throws UserException {
    if (!report.isClean()) {
      console.say(COMMAND + ": left out, as asked: " + BowInspection.firstProblem(report));
    }
    try (BowProgress progress = new BowProgress(COMMAND, report.savedBytes(), console)) {
      BowRestore.run(io, report, order.withoutTornEntry(), progress);
    } catch (IOException stopped) {
      throw UserException.failed(COMMAND + " " + order.device(), stopped)
          .advise(
              "The roll-back has begun and is not finished: do not mount or serve the device. When"
                  + " the cause is gone, run the same command again; it goes on from here.");
    }
    shown.field("result", "rolled-back");
    shown.field("logs", report.logCount());
    shown.field("entries", report.entryCount());
    shown.field("savedBytes", report.savedBytes());
    shown.line(
        "%s: rolled back to the checkpoint: %d entries, %s"
            .formatted(order.device(), report.entryCount(), Progress.human(report.savedBytes())));
  }

  private void rollForwardInstead(BlockingDevice io, BowLogReport report)
      throws UserException, IOException {
    for (Problem problem : report.problems()) {
      console.say("  problem: " + problem.what());
    }
    String why =
        order.device()
            + ": the log is damaged, there is no way back: "
            + BowInspection.firstProblem(report);
    if (!report.canRollForward()) {
      throw UserException.failed(COMMAND, why)
          .advise("Nothing was changed. Nor is there a way forward: " + report.forwardObstacle());
    }
    new Consent(order.isAgreed(), console)
        .require(
            COMMAND,
            why,
            "Roll forward instead, and keep everything that was written since the checkpoint?",
            advice(report));
    BowForward.run(io, report.newest());
    shown.field("result", "rolled-forward");
    shown.field("damage", report.problems().getFirst().what());
    shown.line(
        order.device()
            + ": the log was damaged: rolled forward, everything written since the checkpoint is"
            + " kept");
  }

  private String advice(BowLogReport report) {
    String forward = "To keep all changes instead, add --yes (roll forward)";
    return switch (report.condition()) {
      case NEWEST_ENTRY_BAD ->
          "Only the newest entry is bad: --ignore-torn-entry rolls back without it. "
              + forward
              + ".";
      case SOUND, ROLLING_BACK, DAMAGED, DAMAGED_ROLLING_BACK ->
          forward + "; see all of it with: oxbow inspect --check " + order.device();
    };
  }
}
