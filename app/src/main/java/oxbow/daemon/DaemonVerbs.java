package oxbow.daemon;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import oxbow.control.Answer;
import oxbow.control.ControlException;
import oxbow.control.Request;
import oxbow.control.Route;
import oxbow.control.Routes;
import oxbow.control.Verb;
import oxbow.nbd.server.ExportLimits;

/** The requests that change which devices there are, and what they are made of. */
final class DaemonVerbs {
  /** As long as dmsetup tries. */
  private static final Duration RETRY = Duration.ofSeconds(5);

  private final Devices devices;
  private final Exports exports;
  private final EventLog events;
  private final DaemonLog log;
  private final AtomicLong requests = new AtomicLong();

  DaemonVerbs(Devices devices, Exports exports, EventLog events, DaemonLog log) {
    this.devices = devices;
    this.exports = exports;
    this.events = events;
    this.log = log;
  }

  /** What is done on a request that has nothing to tell. */
  private interface Action {
    void run(Request request) throws ControlException;
  }

  /** Adds these to the routes of every process. */
  Routes addTo(Routes routes) {
    return routes
        .offer(Route.CREATE, logged("create", done(this::create)))
        .offer(Route.REMOVE, logged("remove", done(this::remove)))
        .offer(Route.LOAD, logged("load", done(this::load)))
        .offer(Route.CLEAR, logged("clear", done(asked -> devices.clear(asked.name()))))
        .offer(Route.SUSPEND, logged("suspend", done(this::suspend)))
        .offer(Route.RESUME, logged("resume", done(this::resume)))
        .offer(Route.RENAME, logged("rename", this::rename))
        .offer(Route.EXPORT, logged("export", this::export))
        .offer(Route.UNEXPORT, logged("unexport", done(this::unexport)))
        .offer(Route.EXPORTS, _ -> new Answer.Json(Map.of("exports", exports.list())))
        .offer(Route.EVENTS, this::events);
  }

  /** Everything that changes something is logged, with a number, and what became of it. */
  private Verb logged(String word, Verb verb) {
    return asked -> {
      Map<String, @Nullable Object> fields = new LinkedHashMap<>();
      fields.put("request", requests.incrementAndGet());
      fields.put("verb", word);
      fields.put("device", asked.name());
      long begun = System.nanoTime();
      try {
        return verb.answer(asked);
      } catch (ControlException refused) {
        fields.put("refused", refused.getMessage());
        throw refused;
      } finally {
        fields.put("millis", TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begun));
        log.write("control", fields);
      }
    };
  }

  private void remove(Request asked) throws ControlException {
    if (asked.flag("retry")) {
      devices.awaitUnused(asked.name(), RETRY);
    }
    devices.remove(asked.name(), asked.flag("force"));
  }

  private void load(Request asked) throws ControlException {
    devices.load(asked.name(), required(asked, "table"));
  }

  private void suspend(Request asked) throws ControlException {
    devices.suspend(asked.name(), asked.flag("noflush"));
  }

  private void resume(Request asked) throws ControlException {
    devices.resume(asked.name(), asked.flag("noflush"));
  }

  private Answer rename(Request asked) throws ControlException {
    String newName = required(asked, "newName");
    devices.rename(asked.name(), newName);
    return new Answer.Json(Map.of("name", newName));
  }

  private void unexport(Request asked) throws ControlException {
    devices.unexport(asked.name(), asked.text("listen"));
  }

  private static Verb done(Action action) {
    return asked -> {
      action.run(asked);
      return new Answer.Json(Map.of("name", asked.name()));
    };
  }

  private static String required(Request asked, String field) {
    String text = asked.text(field);
    return text == null ? "" : text;
  }

  private void create(Request asked) throws ControlException {
    List<ExportOrder> orders = new ArrayList<>();
    for (String listen : asked.words("listen")) {
      orders.add(new ExportOrder(listen, null, false, false, ExportLimits.UNLIMITED));
    }
    devices.create(asked.name(), asked.text("table"), asked.flag("readOnly"), orders);
  }

  private Answer events(Request asked) {
    return new Answer.Stream(asked.flag("past") ? events.past() : events.follow());
  }

  private Answer export(Request asked) throws ControlException {
    ExportOrder order =
        new ExportOrder(
            required(asked, "listen"),
            asked.text("exportName"),
            asked.flag("readOnly"),
            asked.flag("default"),
            ExportOrder.limits(
                asked.number("maxConnections"),
                asked.number("maxRequests"),
                asked.number("maxBytes")));
    Map<String, @Nullable Object> answer = new LinkedHashMap<>();
    answer.put("name", asked.name());
    answer.put("uri", devices.export(asked.name(), order));
    return new Answer.Json(answer);
  }
}
