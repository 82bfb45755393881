package oxbow.job;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import oxbow.block.BlockingIo;
import oxbow.block.ByteSize;
import oxbow.block.Sectors;
import oxbow.console.UserException;
import oxbow.format.FormatException;
import oxbow.format.snapshot.StoreHeader;
import oxbow.inspect.SnapshotStoreCheck;
import oxbow.inspect.SnapshotStoreReport;

/** Describes a snapshot's exception store. */
final class StoreInspection {
  private final StoreHeader header;
  private final Inspection shown;

  StoreInspection(StoreHeader header, Inspection shown) {
    this.header = header;
    this.shown = shown;
  }

  /** What the header says. */
  void describe() {
    shown.field("valid", header.isValid());
    shown.field("chunkSizeSectors", header.chunkSizeSectors());
    shown.line("state", header.isValid() ? "valid" : "invalidated");
    shown.line("chunk size", ByteSize.format(Sectors.toBytes(header.chunkSizeSectors())));
  }

  /** Whether the header can be used; otherwise it is said why not. */
  boolean isUsable() {
    try {
      header.check();
      return true;
    } catch (FormatException unusable) {
      shown.field("damage", unusable.getMessage());
      shown.line("  " + UserException.reason(unusable));
      return false;
    }
  }

  /** Verifies everything; false when something is damaged. Blocks. */
  boolean check(BlockingIo io) throws IOException {
    SnapshotStoreReport report =
        SnapshotStoreCheck.run(io, Inspection.MAX_PROBLEMS, Inspection.MAX_RANGES);
    SnapshotStoreReport.Table table = report.table();
    if (table != null) {
      show(table);
    }
    shown.findings(report.problems(), report.unlistedProblemCount(), report.warnings());
    return report.isClean();
  }

  private void show(SnapshotStoreReport.Table table) {
    shown.field("exceptions", table.exceptionCount());
    shown.field("fullAreas", table.fullAreas());
    shown.field("nextFreeChunk", table.nextFreeChunk());
    shown.field("holes", table.holeCount());
    shown.field("status", table.statusFigures());
    shown.line("exceptions", "" + table.exceptionCount());
    long free = Math.max(0, table.chunkCount() - table.nextFreeChunk());
    shown.line(
        "chunks",
        "%d of %d used, %d never committed"
            .formatted(table.chunkCount() - free, table.chunkCount(), table.holeCount()));
    shown.line("status figures", table.statusFigures());
    List<String> ranges = new ArrayList<>();
    for (SnapshotStoreReport.Run run : table.runs()) {
      ranges.add(Inspection.range(run.oldChunk(), run.count()));
    }
    shown.field("exceptionRanges", ranges);
    shown.field("exceptionRangeCount", table.runCount());
    shown.ranges("origin chunks", ranges, table.runCount());
  }
}
