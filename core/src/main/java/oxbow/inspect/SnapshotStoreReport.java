package oxbow.inspect;

import java.util.List;
import org.jspecify.annotations.Nullable;
import oxbow.format.snapshot.StoreHeader;

/**
 * The result of {@link SnapshotStoreCheck}.
 *
 * @param header as stored
 * @param table null when the header is too damaged to go on from
 * @param problems in the order of being found, at most as many as were asked for
 * @param unlistedProblemCount problems beyond these
 * @param warnings what a kernel does not mind
 */
public record SnapshotStoreReport(
    StoreHeader header,
    @Nullable Table table,
    List<Problem> problems,
    long unlistedProblemCount,
    List<String> warnings) {

  /** Whether a kernel, and we, can use the store without ever being surprised. */
  public boolean isClean() {
    return problems.isEmpty();
  }

  /**
   * What the areas say.
   *
   * @param chunkCount whole chunks of the store
   * @param fullAreas areas all of whose exceptions are in use
   * @param exceptionCount of all areas
   * @param nextFreeChunk the chunk that the next exception will get
   * @param holeCount data chunks below it that no exception points to: copies that a crash undid
   * @param statusFigures what a status line shows: allocated/total metadata, in sectors
   * @param runs exceptions by ascending old chunk, at most as many as were asked for
   * @param runCount how many runs there are
   */
  public record Table(
      long chunkCount,
      long fullAreas,
      long exceptionCount,
      long nextFreeChunk,
      long holeCount,
      String statusFigures,
      List<Run> runs,
      long runCount) {}

  /** Exceptions whose old and new chunks both ascend by one. */
  public record Run(long oldChunk, long newChunk, long count) {}
}
