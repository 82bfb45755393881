package oxbow.job;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockDevice;
import oxbow.block.BlockingDevice;
import oxbow.block.ByteSize;
import oxbow.block.Sectors;
import oxbow.console.Console;
import oxbow.console.Progress;
import oxbow.console.UserException;
import oxbow.device.Address;
import oxbow.format.clone.CloneSuperblock;
import oxbow.inspect.CloneMetadataCheck;
import oxbow.inspect.CloneMetadataReport;
import oxbow.inspect.Problem;
import oxbow.inspect.Recognised;
import oxbow.target.clone.CloneMetadata;
import oxbow.target.clone.RegionMap;

/**
 * {@code oxbow inspect}: recognises what lies on a device, describes it, and checks it if asked.
 */
public final class InspectJob {
  private static final String COMMAND = "inspect";
  private static final int MAX_PROBLEMS = 100;
  private static final int MAX_RANGES = 16;

  private final String text;
  private final boolean isChecked;
  private final Console console;

  /** What was found, in the order in which it is shown. */
  private final Map<String, @Nullable Object> found = new LinkedHashMap<>();

  /** The same for people, who want units. */
  private final List<String> lines = new ArrayList<>();

  /**
   * @param isChecked verify every structure
   */
  public InspectJob(String text, boolean isChecked, Console console) {
    this.text = text;
    this.isChecked = isChecked;
    this.console = console;
  }

  /** Looks and tells; false when something is damaged. Blocks. */
  public boolean run() throws UserException, IOException {
    Address address = DeviceOpener.parse(COMMAND, text);
    try (DeviceOpener opener = new DeviceOpener(console::say);
        BlockDevice device = opener.openReadOnly(address);
        BlockingDevice io = new BlockingDevice(device)) {
      Recognised recognised = Recognised.of(io);
      found.put("address", text);
      found.put("kind", recognised.name());
      lines.add(text + ": " + recognised.name());
      boolean isSound = describe(recognised, io);
      if (isChecked) {
        isSound = check(recognised, io);
      }
      show();
      return isSound;
    }
  }

  private boolean describe(Recognised recognised, BlockingDevice io) {
    return switch (recognised) {
      case Recognised.OfClone clone -> describe(clone.superblock(), io);
      case Recognised.OfDamagedClone damaged -> {
        found.put("damage", damaged.reason());
        lines.add("  " + damaged.reason());
        yield false;
      }
      case Recognised.OfUnfinishedClone unfinished -> true;
      case Recognised.Marked marked -> true;
      case Recognised.Zeros zeros -> true;
      case Recognised.Unknown unknown -> true;
    };
  }

  private boolean describe(CloneSuperblock superblock, BlockingDevice io) {
    long regionBytes = Sectors.toBytes(superblock.regionSizeSectors());
    long deviceBytes = Sectors.toBytes(superblock.targetSectors());
    found.put("targetSectors", superblock.targetSectors());
    found.put("regionSizeSectors", superblock.regionSizeSectors());
    found.put("regions", superblock.regionCount());
    found.put("usedMetadataBlocks", superblock.spaceMapRoot().allocatedCount());
    found.put("totalMetadataBlocks", superblock.spaceMapRoot().blockCount());
    line("device", Progress.human(deviceBytes) + ", " + superblock.targetSectors() + " sectors");
    line("region size", ByteSize.format(regionBytes));
    if (!isChecked) {
      return describeRegions(superblock, io);
    }
    return true;
  }

  private boolean describeRegions(CloneSuperblock superblock, BlockingDevice io) {
    try (CloneMetadata metadata =
        CloneMetadata.open(io, superblock.targetSectors(), superblock.regionSizeSectors())) {
      RegionMap map = new RegionMap(metadata.regionCount());
      metadata.load(map);
      showHydrated(map.hydratedCount(), map.regionCount());
      line("metadata blocks", metadata.usedBlocks() + " of " + metadata.totalBlocks() + " used");
      return true;
    } catch (IOException damaged) {
      found.put("damage", damaged.getMessage());
      lines.add("  " + UserException.reason(damaged));
      lines.add("  See all of it with: oxbow inspect --check " + text);
      return false;
    }
  }

  private void showHydrated(long hydrated, long regions) {
    found.put("hydratedRegions", hydrated);
    int percent = Progress.percent(hydrated, regions);
    line("hydrated", hydrated + " of " + regions + " regions, " + percent + " %");
  }

  private boolean check(Recognised recognised, BlockingDevice io)
      throws UserException, IOException {
    boolean isCheckable =
        recognised instanceof Recognised.OfClone || recognised instanceof Recognised.OfDamagedClone;
    if (!isCheckable) {
      throw UserException.failed(
          COMMAND, text + ": " + recognised.name() + ": nothing here that could be checked");
    }
    CloneMetadataReport report = CloneMetadataCheck.run(io, MAX_PROBLEMS, MAX_RANGES);
    CloneMetadataReport.BitsetSummary bitset = report.bitset();
    if (bitset != null) {
      showHydrated(bitset.hydratedCount(), bitset.regionCount());
      showRanges(bitset);
    }
    CloneMetadataReport.SpaceMapSummary space = report.spaceMap();
    if (space != null) {
      line("metadata blocks", space.usedCount() + " of " + space.blockCount() + " used");
      found.put("leakedBlocks", space.leakedCount());
    }
    found.put("reachableBlocks", report.reachableBlocks());
    showFindings(report);
    return report.isClean();
  }

  private void showRanges(CloneMetadataReport.BitsetSummary bitset) {
    List<String> ranges = new ArrayList<>();
    for (CloneMetadataReport.RegionRange range : bitset.ranges()) {
      long last = range.first() + range.count() - 1;
      ranges.add(range.count() == 1 ? "" + range.first() : range.first() + "-" + last);
    }
    found.put("hydratedRanges", ranges);
    found.put("hydratedRangeCount", bitset.rangeCount());
    if (!ranges.isEmpty()) {
      long more = bitset.rangeCount() - ranges.size();
      String rest = more > 0 ? " and " + more + " more" : "";
      line("hydrated regions", String.join(" ", ranges) + rest);
    }
  }

  private void showFindings(CloneMetadataReport report) {
    List<Map<String, @Nullable Object>> problems = new ArrayList<>();
    for (Problem problem : report.problems()) {
      Map<String, @Nullable Object> fields = new LinkedHashMap<>();
      fields.put("block", problem.blockNr());
      fields.put("what", problem.what());
      fields.put("path", problem.path());
      problems.add(fields);
      lines.add("  problem: " + problem.what() + pathOf(problem));
    }
    if (report.unlistedProblemCount() > 0) {
      lines.add("  and " + report.unlistedProblemCount() + " more problems");
    }
    report.warnings().forEach(warning -> lines.add("  warning: " + warning));
    found.put("problems", problems);
    found.put("unlistedProblems", report.unlistedProblemCount());
    found.put("warnings", report.warnings());
    found.put("clean", report.isClean());
    if (report.isClean()) {
      lines.add("  checked: every structure is as it must be");
    }
  }

  private static String pathOf(Problem problem) {
    StringBuilder path = new StringBuilder(" (block " + problem.blockNr());
    if (problem.path().size() > 1) {
      path.append(", by way of");
      problem.path().forEach(block -> path.append(' ').append(block));
    }
    return path.append(')').toString();
  }

  private void line(String label, String value) {
    lines.add(String.format(Locale.ROOT, "  %-17s %s", label + ":", value));
  }

  private void show() {
    if (console.isJson()) {
      console.result(found);
    } else {
      lines.forEach(console::result);
    }
  }
}
