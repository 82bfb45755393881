package oxbow.cli;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import oxbow.console.Console;
import oxbow.console.UserException;
import oxbow.control.Route;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Shows what state a device is in, as dmsetup does. */
@CommandLine.Command(
    name = "info",
    description = "Show the state of devices.",
    footer = {"", "Examples:", "  oxbow info vol", "  oxbow info -c --noheadings -o name,events"})
final class InfoCommand extends VerbCommand {
  private static final List<String> DEFAULT_COLUMNS =
      List.of("name", "address", "attr", "open", "segments", "events");

  @Parameters(arity = "0..1", paramLabel = "NAME", description = "Default: all devices.")
  @Nullable String device;

  @Option(
      names = {"-c", "--columns"},
      description = "A line for each device, in columns.")
  boolean isColumns;

  @Option(names = "--noheadings", description = "Columns without their headings.")
  boolean isWithoutHeadings;

  @Option(
      names = {"-o", "--options"},
      paramLabel = "FIELD",
      split = ",",
      description = "The columns: name, address, attr, open, segments, events, uuid.")
  List<String> columns = DEFAULT_COLUMNS;

  @Override
  int run(Console console) throws UserException, IOException {
    for (String column : columns) {
      if (heading(column).isEmpty()) {
        throw UserException.wrongUsage("info", "Unrecognised field: " + column);
      }
    }
    List<Map<String, @Nullable Object>> answers = new ArrayList<>();
    for (Place place : places(device)) {
      answers.add(ask(place, Route.INFO, Map.of()));
    }
    if (answers.isEmpty()) {
      showNone(console);
    } else if (console.isJson()) {
      answers.forEach(console::result);
    } else if (isColumns) {
      showColumns(console, answers);
    } else {
      for (Map<String, @Nullable Object> answer : answers) {
        showBlock(console, answer);
      }
    }
    return 0;
  }

  /** The labelled block; an empty line ends it. */
  private static void showBlock(Console console, Map<String, @Nullable Object> info) {
    boolean isReadOnly = Boolean.TRUE.equals(info.get("readOnly"));
    Map<String, String> lines = new LinkedHashMap<>();
    lines.put("Name:", text(info, "name"));
    lines.put("State:", text(info, "state") + (isReadOnly ? " (READ-ONLY)" : ""));
    lines.put("Read Ahead:", "0");
    lines.put("Tables present:", text(info, "tables"));
    lines.put("Open count:", text(info, "openCount"));
    lines.put("Event number:", text(info, "eventNumber"));
    lines.put("Major, minor:", text(info, "address"));
    lines.put("Number of targets:", text(info, "targets"));
    lines.forEach(
        (label, value) -> console.result(String.format(Locale.ROOT, "%-18s %s", label, value)));
    console.result("");
  }

  private void showColumns(Console console, List<Map<String, @Nullable Object>> answers) {
    List<List<String>> rows = new ArrayList<>();
    if (!isWithoutHeadings) {
      rows.add(columns.stream().map(InfoCommand::heading).toList());
    }
    for (Map<String, @Nullable Object> answer : answers) {
      rows.add(values(answer));
    }
    for (List<String> row : rows) {
      StringBuilder line = new StringBuilder();
      for (int i = 0; i < row.size(); i++) {
        int at = i;
        int width = rows.stream().mapToInt(cells -> cells.get(at).length()).max().orElse(0);
        boolean isLast = i == row.size() - 1;
        line.append(row.get(i)).repeat(' ', isLast ? 0 : width - row.get(i).length() + 1);
      }
      console.result(line.toString());
    }
  }

  private List<String> values(Map<String, @Nullable Object> info) {
    return columns.stream().map(column -> value(info, column)).toList();
  }

  private static String heading(String column) {
    return switch (column) {
      case "name" -> "Name";
      case "address" -> "Address";
      case "attr" -> "Stat";
      case "open" -> "Open";
      case "segments" -> "Targ";
      case "events" -> "Event";
      case "uuid" -> "UUID";
      default -> "";
    };
  }

  private static String value(Map<String, @Nullable Object> info, String column) {
    return switch (column) {
      case "name" -> text(info, "name");
      case "address" -> text(info, "address");
      case "attr" ->
          (text(info, "tables").equals("LIVE") ? "L-" : "--")
              + (text(info, "state").equals("SUSPENDED") ? "s" : "-")
              + (Boolean.TRUE.equals(info.get("readOnly")) ? "r" : "w");
      case "open" -> text(info, "openCount");
      case "segments" -> text(info, "targets");
      case "events" -> text(info, "eventNumber");
      default -> "";
    };
  }
}
