package oxbow.target.clone;

import org.jspecify.annotations.Nullable;

/**
 * Figures of one moment, for people.
 *
 * @param hydratedRegions as in memory, whether committed or not
 * @param copiedBytes read from the source and written by this process
 * @param failures copies that failed so far
 * @param commits that made regions durable so far
 * @param isDone all regions are hydrated and committed
 * @param pausedReason why background hydration stands still; null while it does not
 * @param modeReason what failed when the mode was left that it began with; null before
 */
public record CloneProgress(
    long deviceBytes,
    long regionBytes,
    long totalRegions,
    long hydratedRegions,
    long hydratingRegions,
    long copiedBytes,
    long failures,
    long commits,
    boolean isDone,
    @Nullable String pausedReason,
    CloneMode mode,
    @Nullable String modeReason) {

  /** Hydrated bytes; the short last region counts as it is. */
  public long hydratedBytes() {
    return hydratedRegions == totalRegions ? deviceBytes : hydratedRegions * regionBytes;
  }
}
