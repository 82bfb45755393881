package oxbow.control;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import oxbow.target.TargetType;
import oxbow.targets.TargetTypes;

/**
 * What one may ask every process about its devices: those of dmsetup's verbs that do not change
 * what devices there are. An answer is a JSON object; how it looks to people is the asking side's
 * business.
 */
public final class Verbs {
  private static final Duration WAIT_SLICE = Duration.ofMillis(200);

  private final DeviceRegistry devices;

  public Verbs(DeviceRegistry devices) {
    this.devices = devices;
  }

  /** Routes that lead here; more may be added to them. */
  public Routes routes() {
    return new Routes()
        .offer(Route.VERSION, request -> new Answer.Json(version()))
        .offer(Route.TARGETS, request -> new Answer.Json(targets()))
        .offer(Route.OPENAPI, request -> new Answer.Text("application/json", openApi()))
        .offer(Route.LS, request -> new Answer.Json(ls()))
        .offer(Route.INFO, request -> new Answer.Json(info(device(request))))
        .offer(Route.TABLE, request -> new Answer.Json(table(request)))
        .offer(Route.STATUS, request -> new Answer.Json(status(request)))
        .offer(Route.DEPS, request -> new Answer.Json(deps(device(request))))
        .offer(Route.MESSAGE, request -> new Answer.Json(message(request)))
        .offer(Route.WAIT, request -> new Answer.Json(await(request)));
  }

  private Device device(Request request) throws ControlException {
    Device device = devices.find(request.name());
    if (device == null) {
      throw ControlException.notFound("Device not found");
    }
    return device;
  }

  private static Map<String, @Nullable Object> version() {
    Map<String, @Nullable Object> version = object("oxbow", Version.text());
    version.put("java", Runtime.version().toString());
    return version;
  }

  private static Map<String, @Nullable Object> targets() {
    List<Map<String, @Nullable Object>> list = new ArrayList<>();
    for (TargetType type : new TargetTypes().all()) {
      Map<String, @Nullable Object> target = object("name", type.name());
      target.put("version", type.version());
      list.add(target);
    }
    return object("targets", list);
  }

  /** The description of all this, as it lies beside the classes. */
  static String openApi() {
    try (InputStream in = Verbs.class.getResourceAsStream("openapi.json")) {
      return new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException broken) {
      throw new UncheckedIOException(broken);
    }
  }

  private Map<String, @Nullable Object> ls() {
    List<Map<String, @Nullable Object>> list = new ArrayList<>();
    for (Device device : devices.all()) {
      list.add(info(device));
    }
    return object("devices", list);
  }

  /** What is told of a device in short. */
  public static Map<String, @Nullable Object> info(Device device) {
    Map<String, @Nullable Object> info = object("name", device.name());
    info.put("state", device.isSuspended() ? "SUSPENDED" : "ACTIVE");
    info.put("readOnly", device.isReadOnly());
    info.put("tables", device.tablesPresent());
    info.put("openCount", device.openCount());
    info.put("eventNumber", device.eventNumber());
    info.put("address", device.address());
    info.put("targets", device.table().size());
    return info;
  }

  private Map<String, @Nullable Object> table(Request request) throws ControlException {
    Device device = device(request);
    List<TargetLine> table = request.flag("inactive") ? device.inactiveTable() : device.table();
    return lines(device, table.stream().map(TargetLine::withFieldsOfTable).toList());
  }

  private Map<String, @Nullable Object> status(Request request) throws ControlException {
    Device device = device(request);
    return lines(device, device.status(request.flag("noflush")));
  }

  private static Map<String, @Nullable Object> lines(Device device, List<TargetLine> lines) {
    Map<String, @Nullable Object> answer = object("name", device.name());
    answer.put("targets", lines.stream().map(TargetLine::toJson).toList());
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
      boolean isRemoved = !devices.all().contains(device);
      if (isRemoved || request.isAbandoned().getAsBoolean()) {
        throw ControlException.notFound("The device was removed");
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
