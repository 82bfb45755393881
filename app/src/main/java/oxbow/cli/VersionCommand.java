package oxbow.cli;

import java.util.LinkedHashMap;
import java.util.Map;
import oxbow.console.Console;
import oxbow.control.Version;
import picocli.CommandLine;

/** Says which Oxbow this is. */
@CommandLine.Command(
    name = "version",
    description = "Show the version.",
    footer = {"", "Example:", "  oxbow version --json"})
final class VersionCommand extends Command {
  @Override
  int run(Console console) {
    String version = Version.text();
    String java = Runtime.version().toString();
    if (console.isJson()) {
      Map<String, Object> fields = new LinkedHashMap<>();
      fields.put("version", version);
      fields.put("java", java);
      console.result(fields);
    } else {
      console.result("oxbow " + version + " (Java " + java + ")");
    }
    return 0;
  }
}
