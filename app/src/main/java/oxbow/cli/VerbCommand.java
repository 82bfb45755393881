package oxbow.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import oxbow.console.Console;
import oxbow.console.UserException;
import oxbow.control.ControlClient;
import oxbow.control.ControlDirectory;
import oxbow.control.ControlException;
import oxbow.control.Route;
import picocli.CommandLine.Option;

/** A verb of dmsetup, asked of the process that has the device. */
abstract class VerbCommand extends Command {
  @Option(
      names = "--control",
      paramLabel = "PATH",
      description = {
        "Control socket of the process. Default: NAME.sock in the control directory,",
        "then the daemon's, control.sock."
      })
  @Nullable Path control;

  /** A device and the socket that knows it. */
  record Place(String name, Path socket) {}

  /** A device that answers, and what {@code ls} says of it. */
  private record Listed(Place place, Map<String, @Nullable Object> fields) {}

  /** Asks about one device; the command is named where that fails. */
  Map<String, @Nullable Object> ask(Place place, Route route, Map<String, ?> arguments)
      throws UserException {
    String what = name() + " " + place.name();
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("name", place.name());
    fields.putAll(arguments);
    try {
      return ControlClient.ask(place.socket(), route, fields);
    } catch (ControlException refused) {
      throw UserException.failed(what, refused);
    } catch (IOException unreachable) {
      throw noAnswer(what, place.socket(), unreachable);
    }
  }

  /**
   * Where a device of this name is, whether or not anyone answers there: at the socket of its name,
   * at the daemon's, or at another's, as the layers below a device are.
   */
  Place place(String name) throws UserException, IOException {
    if (control != null) {
      return new Place(name, control);
    }
    if (!ControlDirectory.isName(name)) {
      throw UserException.failed(name() + " " + name, "Device not found");
    }
    ControlDirectory directory = ControlDirectory.ofUser();
    Place own = new Place(name, directory.controlSocket(name));
    if (directory.hasListener(name)) {
      return own;
    }
    Place daemon = new Place(name, directory.controlSocket(ControlDirectory.DAEMON));
    return listed().stream()
        .map(Listed::place)
        .filter(place -> place.name().equals(name))
        .findFirst()
        .orElse(directory.hasListener(ControlDirectory.DAEMON) ? daemon : own);
  }

  /** The named device, or all there are. */
  List<Place> places(@Nullable String name) throws UserException, IOException {
    return name != null ? List.of(place(name)) : listed().stream().map(Listed::place).toList();
  }

  /** What {@code ls} knows about every device that answers; dead sockets are passed over. */
  List<Map<String, @Nullable Object>> list() throws UserException, IOException {
    List<Map<String, @Nullable Object>> all = new ArrayList<>();
    listed().forEach(device -> all.add(device.fields()));
    return all;
  }

  private List<Listed> listed() throws UserException, IOException {
    if (control != null) {
      return listedAt(control);
    }
    List<Listed> all = new ArrayList<>();
    ControlDirectory directory = ControlDirectory.ofUser();
    for (String name : directory.names()) {
      try {
        all.addAll(listedAt(directory.controlSocket(name)));
      } catch (UserException dead) {
        // Its process is gone; whoever starts one of the same name replaces the socket.
      }
    }
    return all;
  }

  private List<Listed> listedAt(Path socket) throws UserException {
    try {
      Map<String, @Nullable Object> answer = ControlClient.ask(socket, Route.LS, Map.of());
      List<Listed> devices = new ArrayList<>();
      for (Map<String, @Nullable Object> fields : objects(answer, "devices")) {
        devices.add(new Listed(new Place(text(fields, "name"), socket), fields));
      }
      return devices;
    } catch (ControlException refused) {
      throw UserException.failed(name(), refused);
    } catch (IOException unreachable) {
      throw noAnswer(name(), socket, unreachable);
    }
  }

  UserException noAnswer(String what, Path socket, IOException why) {
    return Files.exists(socket)
        ? UserException.failed(what, socket + " does not answer: " + UserException.reason(why))
        : UserException.failed(what, missing()).advise(adviceIfMissing(socket));
  }

  /** What is missing when nobody listens at a socket. */
  String missing() {
    return "Device not found";
  }

  /** What to do when nobody listens at a socket. */
  String adviceIfMissing(Path socket) {
    return "No process listens at " + socket + "; oxbow ls shows what there is.";
  }

  /** A field that holds a list of objects; what is no object is left out. */
  static List<Map<String, @Nullable Object>> objects(
      Map<String, @Nullable Object> answer, String field) {
    List<Map<String, @Nullable Object>> objects = new ArrayList<>();
    if (answer.get(field) instanceof List<?> list) {
      for (Object element : list) {
        if (element instanceof Map<?, ?> map) {
          Map<String, @Nullable Object> object = new LinkedHashMap<>();
          map.forEach((key, value) -> object.put(String.valueOf(key), value));
          objects.add(object);
        }
      }
    }
    return objects;
  }

  /** A field as dmsetup prints it; empty when it is missing. */
  static String text(Map<String, @Nullable Object> answer, String field) {
    Object value = answer.get(field);
    return value == null ? "" : value.toString();
  }

  /** The lines of {@code table} and {@code status}; with a name before each when there are many. */
  void showTargets(Console console, @Nullable String only, Route route, Map<String, ?> arguments)
      throws UserException, IOException {
    List<Place> places = places(only);
    if (places.isEmpty()) {
      showNone(console);
    }
    for (Place place : places) {
      Map<String, @Nullable Object> answer = ask(place, route, arguments);
      if (console.isJson()) {
        console.result(answer);
        continue;
      }
      String before = only == null ? place.name() + ": " : "";
      for (Map<String, @Nullable Object> target : objects(answer, "targets")) {
        console.result(
            before
                + String.join(
                    " ",
                    text(target, "start"),
                    text(target, "length"),
                    text(target, "target"),
                    text(target, "text")));
      }
    }
  }

  static void showNone(Console console) {
    if (!console.isJson()) {
      console.result("No devices found");
    }
  }
}
