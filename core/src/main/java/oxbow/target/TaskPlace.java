package oxbow.target;

import org.jspecify.annotations.Nullable;
import oxbow.block.Remote;

/**
 * What the blocking tasks of a target work on.
 *
 * @param role what it is to the target, for messages: "metadata"
 * @param remote what can be asked of its far end; null if it has none
 */
public record TaskPlace(String role, String address, @Nullable Remote remote) {
  /** Of targets without such tasks. */
  public static final TaskPlace NONE = new TaskPlace("tasks", "-", null);
}
