package oxbow.job;

import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * What the user of {@code oxbow clone} asked for.
 *
 * @param metadata null for the default beside the destination
 * @param regionSizeBytes empty for the default, or what existing metadata has
 * @param hydrationThreshold in regions; empty lets the clone find its own depth
 * @param hydrationBatchSize in regions; empty lets the clone find its own
 * @param rateBytesPerSecond 0 for no limit
 * @param sourcePatience how long to wait for the source's server
 * @param isPadded a last partial sector of the source is filled up with zeros, not left out (O12)
 * @param isForced take what would otherwise be refused because it may hold data
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
    boolean isUntilHydrated,
    boolean isServed,
    boolean isPadded,
    boolean isForced,
    List<String> listen,
    @Nullable String name,
    @Nullable Path control) {

  /** Whether the kernel's hydration was asked for instead of the one that adapts (O8). */
  boolean isPaceGiven() {
    return hydrationThreshold.isPresent() || hydrationBatchSize.isPresent();
  }
}
