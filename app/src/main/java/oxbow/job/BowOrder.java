package oxbow.job;

import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import oxbow.target.bow.WhenFull;

/**
 * What the user of {@code oxbow bow} asked for.
 *
 * @param blockBytes what is saved as a unit; empty for the default
 * @param freeList a file that says what is free; null if there is none
 * @param isFreeFromExt read what is free from the file system on the device
 * @param whenFull what becomes of a write for whose copy there is no room
 * @param warnPercent at how much of the gained space in use an event is raised
 * @param listen addresses as INTERFACE section 3 has them; empty for the default
 * @param name null for one made from the device
 * @param control null for the default in the control directory
 */
public record BowOrder(
    String device,
    OptionalLong blockBytes,
    @Nullable Path freeList,
    boolean isFreeFromExt,
    WhenFull whenFull,
    int warnPercent,
    List<String> listen,
    @Nullable String name,
    @Nullable Path control) {

  /** Both ways out of a checkpoint that this job leaves on the device. */
  String waysOut() {
    return "put it back with: oxbow bow restore %s, or keep what was written since with: "
            .formatted(device)
        + "oxbow bow commit --offline "
        + device;
  }
}
