package oxbow.job;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the user of {@code oxbow merge} asked for.
 *
 * @param listen addresses as INTERFACE section 3 has them; empty if nothing is served
 * @param name null for one made from the origin
 * @param control null for the default in the control directory
 */
public record MergeOrder(
    String origin,
    String store,
    List<String> listen,
    @Nullable String name,
    @Nullable Path control) {}
