package oxbow.control;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What one may ask a process about its devices: dmsetup's verbs. A request and its answer are JSON
 * objects; how an answer looks to people is the asking side's business.
 */
public final class Verbs {
  private static final Duration WAIT_SLICE = Duration.ofMillis(200);

  private final DeviceRegistry devices;
  private final Map<String, Verb> verbs;

  /** Answers one verb. */
  private interface Verb {
    Map<String, @Nullable Object> answer(Request request) throws ControlException;
  }

  /**
   * @param isAbandoned whether nobody waits for the answer any more
   */
  private record Request(Map<String, @Nullable Object> fields, BooleanSupplier isAbandoned) {
    String name() throws ControlException {
      if (fields.get("name") instanceof String name) {
        return name;
      }
      throw new ControlException("No device name given");
    }

    boolean flag(String field) throws ControlException {
      Object value = fields.getOrDefault(field, false);
      if (value instanceof Boolean flag) {
        return flag;
      }
      throw new ControlException(field + " is not true or false");
    }

    long number(String field) throws ControlException {
      Object value = fields.getOrDefault(field, 0L);
      if (value instanceof Long number && number >= 0) {
        return number;
      }
      throw new ControlException(field + " is not a number from 0 on");
    }

    List<String> words(String field) throws ControlException {
      List<String> words = new ArrayList<>();
      if (fields.get(field) instanceof List<?> list) {
        for (Object word : list) {
          if (!(word instanceof String text)) {
            throw new ControlException(field + " is not a list of strings");
          }
          words.add(text);
        }
      }
      if (words.isEmpty()) {
        throw new ControlException(field + " is not a list of strings");
      }
      return words;
    }
  }

  public Verbs(DeviceRegistry devices) {
    this.devices = devices;
    this.verbs =
        Map.of(
            "ls", this::ls,
            "info", request -> info(device(request)),
            "table", request -> lines(device(request), Device::table),
            "status", this::status,
            "deps", request -> deps(device(request)),
            "message", this::message,
            "wait", this::await);
  }

  /**
   * Answers a request. Blocks as long as the verb does.
   *
   * @param isAbandoned asked now and then by verbs that wait
   * @throws ControlException when the request is refused
   */
  Map<String, @Nullable Object> answer(
      Map<String, @Nullable Object> request, BooleanSupplier isAbandoned) throws ControlException {
    Object word = request.get("verb");
    Verb verb = word instanceof String name ? verbs.get(name) : null;
    if (verb == null) {
      throw new ControlException("Unknown command " + word);
    }
    return verb.answer(new Request(request, isAbandoned));
  }

  private Device device(Request request) throws ControlException {
    Device device = devices.find(request.name());
    if (device == null) {
      throw new ControlException("Device not found");
    }
    return device;
  }

  private Map<String, @Nullable Object> ls(Request request) {
    List<Map<String, @Nullable Object>> list = new ArrayList<>();
    for (Device device : devices.all()) {
      list.add(info(device));
    }
    return object("devices", list);
  }

  private static Map<String, @Nullable Object> info(Device device) {
    Map<String, @Nullable Object> info = object("name", device.name());
    info.put("state", device.isSuspended() ? "SUSPENDED" : "ACTIVE");
    info.put("readOnly", device.isReadOnly());
    info.put("tables", "LIVE");
    info.put("openCount", device.openCount());
    info.put("eventNumber", device.eventNumber());
    info.put("address", device.address());
    info.put("targets", device.table().size());
    return info;
  }

  private Map<String, @Nullable Object> status(Request request) throws ControlException {
    boolean isNoflush = request.flag("noflush");
    return lines(device(request), device -> device.status(isNoflush));
  }

  private static Map<String, @Nullable Object> lines(
      Device device, Function<Device, List<TargetLine>> which) {
    Map<String, @Nullable Object> answer = object("name", device.name());
    answer.put("targets", which.apply(device).stream().map(TargetLine::toJson).toList());
    return answer;
  }

  private static Map<String, @Nullable Object> deps(Device device) {
    Map<String, @Nullable Object> answer = object("name", device.name());
    answer.put("dependencies", device.dependencies());
    return answer;
  }

  private Map<String, @Nullable Object> message(Request request) throws ControlException {
    Device device = device(request);
    String reply = device.message(request.number("sector"), request.words("words"));
    Map<String, @Nullable Object> answer = object("name", device.name());
    answer.put("reply", reply);
    return answer;
  }

  private Map<String, @Nullable Object> await(Request request) throws ControlException {
    Device device = device(request);
    long after = request.number("event");
    while (!device.awaitEvent(after, WAIT_SLICE)) {
      if (request.isAbandoned().getAsBoolean()) {
        throw new ControlException("The device was removed");
      }
    }
    return info(device);
  }

  private static Map<String, @Nullable Object> object(String field, @Nullable Object value) {
    Map<String, @Nullable Object> object = new LinkedHashMap<>();
    object.put(field, value);
    return object;
  }
}
