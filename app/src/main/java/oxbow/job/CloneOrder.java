package oxbow.job;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import oxbow.target.clone.CloneArgs;

/**
 * What the user of {@code oxbow clone} asked for.
 *
 * @param metadata null for the default beside the destination
 * @param regionSizeBytes empty for the default, or what existing metadata has
 * @param hydrationThreshold in regions; empty lets the clone find its own depth
 * @param hydrationBatchSize in regions; empty lets the clone find its own
 * @param rateBytesPerSecond 0 for no limit
 * @param sourcePatience how long to wait for the source's server
 * @param whenDone what becomes of the clone once the destination is a full copy
 * @param isPadded a last partial sector of the source is filled up with zeros, not left out (O12)
 * @param isForced take what would otherwise be refused because it may hold data
 * @param isVerified what was copied is read back once the destination is a full copy
 * @param hints what reads tell about the order of hydration
 * @param listen addresses as INTERFACE section 3 has them; empty for the default
 * @param name null for one made from the destination
 * @param control null for the default in the control directory
 */
public record CloneOrder(
    String source,
    String destination,
    @Nullable String metadata,
    OptionalLong regionSizeBytes,
    boolean hasNoHydration,
    boolean hasNoDiscardPassdown,
    OptionalLong hydrationThreshold,
    OptionalLong hydrationBatchSize,
    long rateBytesPerSecond,
    Patience sourcePatience,
    WhenDone whenDone,
    boolean isServed,
    boolean isPadded,
    boolean isForced,
    boolean isVerified,
    Hints hints,
    List<String> listen,
    @Nullable String name,
    @Nullable Path control) {

  /** What becomes of a clone once its destination is a full copy. */
  public enum WhenDone {
    /** It is served on, as it is. */
    SERVE,
    /** The destination itself takes its place, under its clients; the source is let go. */
    COLLAPSE,
    /** The job ends. */
    END
  }

  /** Whether the job ends once the destination is a full copy. */
  boolean isUntilHydrated() {
    return whenDone == WhenDone.END;
  }

  /** Whether the clone becomes its destination. */
  boolean isCollapsing() {
    return whenDone == WhenDone.COLLAPSE;
  }

  /**
   * What reads tell about the order of hydration.
   *
   * @param hydratesOnRead reads hydrate the regions they touch (O13)
   * @param recordTrace where to write in which order the device was touched; null for nowhere
   * @param replayTrace such a record, whose ranges are hydrated first; null for none
   */
  public record Hints(
      boolean hydratesOnRead, @Nullable Path recordTrace, @Nullable Path replayTrace) {
    public static final Hints NONE = new Hints(false, null, null);
  }

  /** The words of the table line's features. */
  List<String> features() {
    List<String> words = new ArrayList<>();
    if (hasNoHydration) {
      words.add(CloneArgs.NO_HYDRATION);
    }
    if (hasNoDiscardPassdown) {
      words.add(CloneArgs.NO_DISCARD_PASSDOWN);
    }
    if (hints.hydratesOnRead()) {
      words.add(CloneArgs.HYDRATE_ON_READ);
    }
    return words;
  }

  /** Whether the kernel's hydration was asked for instead of the one that adapts (O8). */
  boolean isPaceGiven() {
    return hydrationThreshold.isPresent() || hydrationBatchSize.isPresent();
  }
}
