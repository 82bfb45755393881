package oxbow.job;

import java.util.OptionalLong;
import java.util.function.LongConsumer;
import oxbow.block.BlockingIo;
import oxbow.block.ByteSize;
import oxbow.block.Sectors;
import oxbow.console.Progress;
import oxbow.console.UserException;
import oxbow.format.FormatException;
import oxbow.format.bow.BowLog;
import oxbow.inspect.BowLogCheck;
import oxbow.inspect.BowLogReport;

/** Describes the log of a checkpoint. */
final class BowInspection {
  private final BowLog log;
  private final Inspection shown;

  BowInspection(BowLog log, Inspection shown) {
    this.log = log;
    this.shown = shown;
  }

  /** What the header says. */
  void describe() {
    OptionalLong sector0 = log.sector0();
    shown.field("format", log.format().word());
    shown.field("state", log.magic().name());
    shown.field("blockSizeBytes", log.header().blockSizeBytes());
    shown.field("sequence", log.sequence());
    shown.field("count", log.header().count());
    shown.field("sector0", sector0.isPresent() ? sector0.getAsLong() : null);
    shown.line(
        "format",
        log.format().word() + ", blocks of " + ByteSize.format(log.header().blockSizeBytes()));
    shown.line(
        "state",
        switch (log.magic()) {
          case BOW -> "BOW: checkpoint, neither committed nor rolled back";
          case WOB -> "WOB: a roll-back has begun";
          case BIG_ENDIAN, BIG_ENDIAN_WOB, NONE -> log.magic().name();
        });
    shown.line("newest log", log.sequence() + ", with " + log.header().count() + " entries");
    shown.line(
        "block 0",
        sector0.isPresent()
            ? "now at sector " + Long.toUnsignedString(sector0.getAsLong())
            : "not recorded where it is now");
  }

  /** Whether the header can be used; otherwise it is said why not. */
  boolean isUsable() {
    try {
      log.check();
      return true;
    } catch (FormatException unusable) {
      shown.field("damage", unusable.sentence());
      shown.line("  " + unusable.sentence());
      return false;
    }
  }

  /** Verifies everything; false when something is damaged. Blocks. */
  boolean check(BlockingIo io, LongConsumer checkedBytes) {
    BowLogReport report = BowLogCheck.run(io, log, Inspection.MAX_PROBLEMS, checkedBytes);
    show(report);
    shown.findings(report.problems(), report.unlistedProblemCount(), report.warnings());
    return report.isClean();
  }

  /** What the chain of logs holds, and where it leads. */
  void show(BowLogReport report) {
    shown.field("condition", report.condition().word());
    shown.field("logs", report.logCount());
    shown.field("entries", report.entryCount());
    shown.field("savedBytes", report.savedBytes());
    shown.field("restoredBytes", Sectors.toBytes(report.restoredSectors()));
    shown.field("uncheckedEntries", report.uncheckedEntryCount());
    shown.field("canRollBack", report.condition().allowsRollBack(false));
    shown.field("canRollForward", report.canRollForward());
    shown.line("logs", "" + report.logCount());
    shown.line(
        "entries",
        report.entryCount() + ", " + report.uncheckedEntryCount() + " of them without a checksum");
    shown.line("backed up", Progress.human(report.savedBytes()));
    shown.line("roll-back", wayBack(report));
    shown.line(
        "roll-forward", report.canRollForward() ? "possible" : "no: " + report.forwardObstacle());
  }

  private static String wayBack(BowLogReport report) {
    String restored = Progress.human(Sectors.toBytes(report.restoredSectors()));
    return switch (report.condition()) {
      case SOUND -> "possible: " + restored + " get their old contents";
      case ROLLING_BACK -> "to be finished: " + restored + " get their old contents";
      case NEWEST_ENTRY_BAD -> "only without the newest entry: --ignore-torn-entry";
      case DAMAGED, DAMAGED_ROLLING_BACK -> "no: the log is damaged";
    };
  }

  /** The first thing that is wrong, for an error of one line. */
  static String firstProblem(BowLogReport report) {
    long more = report.problems().size() - 1 + report.unlistedProblemCount();
    String first = UserException.firstLine(report.problems().getFirst().what());
    return more == 0 ? first : first + ", and " + more + " more";
  }
}
