package oxbow.job;

import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import oxbow.target.snapshot.StoreKind;

/**
 * What the user of {@code oxbow snapshot} asked for.
 *
 * @param chunkSizeBytes empty for the default, or what an existing store has
 * @param isTransient the changes are gone when the job ends
 * @param isOverflow a full store makes writes fail, not the whole snapshot
 * @param createBytes the size of the store that is to be created; empty if it exists
 * @param growStepBytes by how much the store grows when it gets full; 0 for as much as it has;
 *     empty if it does not grow
 * @param warnPercent at how much of the store in use an event is raised; empty for the default
 * @param isForced take a store that would otherwise be refused because it may hold data
 * @param listen addresses as INTERFACE section 3 has them; empty for the default
 * @param originListen the same for the origin itself; empty if that is not served
 * @param name null for one made from the store
 * @param originName null for one made from the origin
 * @param control null for the default in the control directory
 */
public record SnapshotOrder(
    String origin,
    String store,
    OptionalLong chunkSizeBytes,
    boolean isTransient,
    boolean isOverflow,
    OptionalLong createBytes,
    OptionalLong growStepBytes,
    OptionalInt warnPercent,
    boolean isForced,
    List<String> listen,
    List<String> originListen,
    @Nullable String name,
    @Nullable String originName,
    @Nullable Path control) {

  /** Whether writes may reach the origin. */
  boolean isOriginServed() {
    return !originListen.isEmpty();
  }

  StoreKind kind() {
    if (isTransient) {
      return StoreKind.TRANSIENT;
    }
    return isOverflow ? StoreKind.PERSISTENT_OVERFLOW : StoreKind.PERSISTENT;
  }
}
