package oxbow.target.clone;

import java.util.ArrayList;
import java.util.List;

/**
 * The figures of a status line (T1 to T5). Of the features the kernel's come first (T3); ours
 * follows them, so that a line without it is the kernel's.
 *
 * @param regionSizeSectors region size
 * @param hydratingRegions in hydration from any cause
 */
public record CloneStatus(
    long usedMetadataBlocks,
    long totalMetadataBlocks,
    long regionSizeSectors,
    long hydratedRegions,
    long totalRegions,
    long hydratingRegions,
    boolean hasNoHydration,
    boolean hasNoDiscardPassdown,
    boolean hydratesOnRead,
    long hydrationThreshold,
    long hydrationBatchSize,
    CloneMode mode) {

  /** Metadata blocks are 4096 bytes. */
  public static final int METADATA_BLOCK_SECTORS = 8;

  /** What follows "clone" in a status line. */
  public String toStatusLine() {
    if (mode == CloneMode.FAIL) {
      return CloneMode.FAIL.word();
    }
    List<String> features = new ArrayList<>();
    if (hasNoHydration) {
      features.add(CloneArgs.NO_HYDRATION);
    }
    if (hasNoDiscardPassdown) {
      features.add(CloneArgs.NO_DISCARD_PASSDOWN);
    }
    if (hydratesOnRead) {
      features.add(CloneArgs.HYDRATE_ON_READ);
    }
    StringBuilder line = new StringBuilder();
    line.append(METADATA_BLOCK_SECTORS).append(' ');
    line.append(usedMetadataBlocks).append('/').append(totalMetadataBlocks).append(' ');
    line.append(regionSizeSectors).append(' ');
    line.append(hydratedRegions).append('/').append(totalRegions).append(' ');
    line.append(hydratingRegions).append(' ').append(features.size()).append(' ');
    features.forEach(feature -> line.append(feature).append(' '));
    line.append("4 ").append(CloneArgs.HYDRATION_THRESHOLD).append(' ').append(hydrationThreshold);
    line.append(' ').append(CloneArgs.HYDRATION_BATCH_SIZE).append(' ').append(hydrationBatchSize);
    return line.append(' ').append(mode.word()).toString();
  }
}
