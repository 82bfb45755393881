package oxbow.control;

import java.util.EnumMap;
import java.util.Map;

/** The requests that this process answers. Filled before it is given to a server. */
public final class Routes {
  private final Map<Route, Verb> verbs = new EnumMap<>(Route.class);

  /** Adds what answers a request; one that is there already is replaced. */
  public Routes offer(Route route, Verb verb) {
    verbs.put(route, verb);
    return this;
  }

  /** One of these alone; empty when it is not offered here either. */
  Routes only(Route route) {
    Routes one = new Routes();
    Verb verb = verbs.get(route);
    return verb == null ? one : one.offer(route, verb);
  }

  /**
   * What answers a request.
   *
   * @throws ControlException when that is offered by other processes only
   */
  Verb verb(Route route) throws ControlException {
    Verb verb = verbs.get(route);
    if (verb == null) {
      throw ControlException.notFound("This process does not offer " + route);
    }
    return verb;
  }
}
