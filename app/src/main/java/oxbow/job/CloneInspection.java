package oxbow.job;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import oxbow.block.BlockingIo;
import oxbow.block.ByteSize;
import oxbow.block.Sectors;
import oxbow.console.Progress;
import oxbow.console.UserException;
import oxbow.format.clone.CloneSuperblock;
import oxbow.inspect.CloneMetadataCheck;
import oxbow.inspect.CloneMetadataReport;
import oxbow.target.clone.CloneMetadata;
import oxbow.target.clone.RegionMap;

/** Describes clone metadata. */
final class CloneInspection {
  private final BlockingIo io;
  private final Inspection shown;

  CloneInspection(BlockingIo io, Inspection shown) {
    this.io = io;
    this.shown = shown;
  }

  /** What the superblock says. */
  void describe(CloneSuperblock superblock) {
    long regionBytes = Sectors.toBytes(superblock.regionSizeSectors());
    long deviceBytes = Sectors.toBytes(superblock.targetSectors());
    shown.field("targetSectors", superblock.targetSectors());
    shown.field("regionSizeSectors", superblock.regionSizeSectors());
    shown.field("regions", superblock.regionCount());
    shown.field("usedMetadataBlocks", superblock.spaceMapRoot().allocatedCount());
    shown.field("totalMetadataBlocks", superblock.spaceMapRoot().blockCount());
    shown.line(
        "device", Progress.human(deviceBytes) + ", " + superblock.targetSectors() + " sectors");
    shown.line("region size", ByteSize.format(regionBytes));
  }

  /** How much is hydrated, without a check of everything; false when that cannot be told. */
  boolean describeRegions(CloneSuperblock superblock, String address) {
    try (CloneMetadata metadata =
        CloneMetadata.open(io, superblock.targetSectors(), superblock.regionSizeSectors())) {
      RegionMap map = new RegionMap(metadata.regionCount());
      metadata.load(map);
      showHydrated(map.hydratedCount(), map.regionCount());
      shown.line(
          "metadata blocks", metadata.usedBlocks() + " of " + metadata.totalBlocks() + " used");
      return true;
    } catch (IOException damaged) {
      shown.field("damage", damaged.getMessage());
      shown.line("  " + UserException.reason(damaged));
      shown.line("  See all of it with: oxbow inspect --check " + address);
      return false;
    }
  }

  private void showHydrated(long hydrated, long regions) {
    shown.field("hydratedRegions", hydrated);
    int percent = Progress.percent(hydrated, regions);
    shown.line("hydrated", hydrated + " of " + regions + " regions, " + percent + " %");
  }

  /** Verifies everything; false when something is damaged. Blocks. */
  boolean check() throws IOException {
    CloneMetadataReport report =
        CloneMetadataCheck.run(io, Inspection.MAX_PROBLEMS, Inspection.MAX_RANGES);
    CloneMetadataReport.BitsetSummary bitset = report.bitset();
    if (bitset != null) {
      showHydrated(bitset.hydratedCount(), bitset.regionCount());
      showRanges(bitset);
    }
    CloneMetadataReport.SpaceMapSummary space = report.spaceMap();
    if (space != null) {
      shown.line("metadata blocks", space.usedCount() + " of " + space.blockCount() + " used");
      shown.field("leakedBlocks", space.leakedCount());
    }
    shown.field("reachableBlocks", report.reachableBlocks());
    shown.findings(report.problems(), report.unlistedProblemCount(), report.warnings());
    return report.isClean();
  }

  private void showRanges(CloneMetadataReport.BitsetSummary bitset) {
    List<String> ranges = new ArrayList<>();
    for (CloneMetadataReport.RegionRange range : bitset.ranges()) {
      ranges.add(Inspection.range(range.first(), range.count()));
    }
    shown.field("hydratedRanges", ranges);
    shown.field("hydratedRangeCount", bitset.rangeCount());
    shown.ranges("hydrated regions", ranges, bitset.rangeCount());
  }
}
