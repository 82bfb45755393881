package oxbow.cli;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import oxbow.console.Console;
import oxbow.console.UserException;
import oxbow.control.Route;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** Makes a device of the daemon. */
@CommandLine.Command(
    name = "create",
    description = "Make a device of the daemon from a table.",
    footer = {
      "",
      "Examples:",
      "  oxbow create vol --table '0 2097152 clone vol.meta vol.img golden.img 8'",
      "  printf '0 8 zero\\n8 8 error\\n' | oxbow create odd --listen unix:/run/odd.nbd"
    })
final class CreateCommand extends TableVerbCommand {
  @Option(names = "--notable", description = "Make it without a table; load one later.")
  boolean isWithoutTable;

  @Option(
      names = {"-r", "--readonly"},
      description = "Refuse writes, whatever the table.")
  boolean isReadOnly;

  @Option(
      names = "--listen",
      paramLabel = "ADDR",
      description = "Serve it there: unix:PATH or tcp:HOST:PORT. Repeatable.")
  List<String> listen = List.of();

  @Override
  int run(Console console) throws UserException, IOException {
    Map<String, Object> fields = new LinkedHashMap<>();
    if (!isWithoutTable) {
      fields.put("table", readTable(System.in));
    }
    fields.put("readOnly", isReadOnly);
    fields.put("listen", listen.stream().map(ExportCommand::wholePath).toList());
    showDone(console, ask(daemonPlace(device), Route.CREATE, fields));
    return 0;
  }
}
