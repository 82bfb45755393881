package oxbow.inspect;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import oxbow.format.clone.CloneSuperblock;

/**
 * The result of {@link CloneMetadataCheck}.
 *
 * @param deviceBlocks whole blocks of the device
 * @param superblock null when it is zeros, or too damaged to go on from
 * @param bitset null when the superblock is
 * @param spaceMap null when the superblock is, or the index of the space map is unusable
 * @param reachableBlocks how many blocks are in use for what, by their kind
 * @param problems in the order of being found, at most as many as were asked for
 * @param unlistedProblemCount problems beyond these
 * @param warnings what a kernel does not mind
 */
public record CloneMetadataReport(
    long deviceBlocks,
    @Nullable CloneSuperblock superblock,
    @Nullable BitsetSummary bitset,
    @Nullable SpaceMapSummary spaceMap,
    Map<String, Long> reachableBlocks,
    List<Problem> problems,
    long unlistedProblemCount,
    List<String> warnings) {

  /** Whether a kernel, and we, can use the metadata without ever being surprised. */
  public boolean isClean() {
    return problems.isEmpty();
  }

  /**
   * What the bitset says.
   *
   * @param treeDepth levels of its B-tree; 0 when no leaf was found
   * @param isComplete every array block was read; otherwise the missing ones count as not hydrated
   * @param ranges hydrated regions in ascending order, at most as many as were asked for
   * @param rangeCount how many ranges there are
   */
  public record BitsetSummary(
      long regionCount,
      int treeDepth,
      int arrayBlockCount,
      boolean isComplete,
      long hydratedCount,
      List<RegionRange> ranges,
      long rangeCount) {}

  /** Neighbouring regions. */
  public record RegionRange(long first, long count) {}

  /**
   * What the space map says.
   *
   * @param usedCount blocks with a count other than 0, by the bitmaps
   * @param refCountEntries blocks with a count of 3 or more
   * @param leakedCount blocks counted more often than they are reachable
   */
  public record SpaceMapSummary(
      long blockCount, int bitmapCount, long usedCount, long refCountEntries, long leakedCount) {}
}
