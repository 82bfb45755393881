package oxbow.control;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Something that happened, as a stream tells it.
 *
 * @param id grows from event to event
 * @param kind one word
 * @param data by name, as JSON has it
 */
public record Event(long id, String kind, Map<String, ? extends @Nullable Object> data) {}
