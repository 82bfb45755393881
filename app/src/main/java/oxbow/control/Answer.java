package oxbow.control;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What a verb answers, unless it throws a {@link ControlException}. */
public sealed interface Answer {
  /** The fields of a JSON object. */
  record Json(Map<String, ? extends @Nullable Object> fields) implements Answer {}

  /**
   * A text, which is sent as UTF-8.
   *
   * @param contentType as HTTP has it: {@code text/plain; charset=utf-8}
   */
  record Text(String contentType, String text) implements Answer {}

  /** Events as they happen, until the source ends or the peer hangs up; the source is closed. */
  record Stream(EventSource source) implements Answer {}
}
