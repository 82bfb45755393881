package oxbow.cli;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import oxbow.console.UserException;
import oxbow.control.Route;
import oxbow.target.bow.BowTargetType;

/** What is asked of the process that serves a bow device. */
abstract class BowVerbCommand extends VerbCommand {
  private static final String FAILED_STATE = "fail";

  /** The status of a device by name; one that is no bow device is refused. */
  Map<String, @Nullable Object> status(Place place) throws UserException {
    Map<String, @Nullable Object> answer = ask(place, Route.STATUS, Map.of("noflush", true));
    List<Map<String, @Nullable Object>> targets = objects(answer, "targets");
    String target = targets.isEmpty() ? "" : text(targets.getFirst(), "target");
    if (!target.equals(BowTargetType.NAME)) {
      throw UserException.failed(
          name() + " " + place.name(), "the device is no bow device: its target is " + target);
    }
    return targets.getFirst();
  }

  /** Gives a message to the target; its answer. */
  String message(Place place, String word) throws UserException {
    return text(ask(place, Route.MESSAGE, Map.of("sector", 0, "words", List.of(word))), "reply");
  }

  /**
   * Has a transition begin and waits for its end. The number of events is taken before the message,
   * so that no end is missed: whatever ends a transition raises one.
   *
   * @param word what the message is
   * @param during the state meanwhile
   * @param goal the number of the state that it is to lead to
   * @return the status afterwards
   * @throws UserException when it did not begin, or failed
   */
  Map<String, @Nullable Object> carryOut(Place place, String word, String during, long goal)
      throws UserException {
    status(place);
    Object events = ask(place, Route.INFO, Map.of()).get("eventNumber");
    message(place, word);
    Map<String, @Nullable Object> now = status(place);
    while (text(now, "state").equals(during)) {
      events =
          ask(place, Route.WAIT, Map.of("event", events == null ? 0 : events)).get("eventNumber");
      now = status(place);
    }
    boolean isThere = now.get("stateNumber") instanceof Long number && number >= goal;
    if (!isThere || text(now, "state").equals(FAILED_STATE)) {
      String reason = text(now, "reason");
      throw UserException.failed(
          name() + " " + place.name(),
          reason.isEmpty() ? "it is in state " + text(now, "state") : reason);
    }
    return now;
  }
}
