package oxbow.inspect;

import java.util.List;
import oxbow.format.bow.BowLog;

/**
 * The result of {@link BowLogCheck}.
 *
 * @param newest the log in block 0; its header may be what is damaged
 * @param logCount log blocks that could be followed, this one included
 * @param entryCount entries of these
 * @param savedBytes what the entries say was saved, copies of copies and of logs included
 * @param uncheckedEntryCount entries without a checksum
 * @param restoredSectors sectors that a roll-back gives their old contents
 * @param forwardObstacle see {@link BowForward#obstacle}
 * @param problems in the order of being found, at most as many as were asked for
 * @param unlistedProblemCount problems beyond these
 * @param warnings what no reader minds
 */
public record BowLogReport(
    BowLog newest,
    BowCondition condition,
    long logCount,
    long entryCount,
    long savedBytes,
    long uncheckedEntryCount,
    long restoredSectors,
    String forwardObstacle,
    List<Problem> problems,
    long unlistedProblemCount,
    List<String> warnings) {

  /** Whether the device can be put back, or further back, as it was at the checkpoint. */
  public boolean isClean() {
    return problems.isEmpty();
  }

  /** Whether block 0 may be, and can be, replaced by the newest. */
  public boolean canRollForward() {
    return forwardObstacle.isEmpty();
  }
}
