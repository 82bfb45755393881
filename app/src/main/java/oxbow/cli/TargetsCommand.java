package oxbow.cli;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import oxbow.console.Console;
import oxbow.target.TargetType;
import oxbow.targets.TargetTypes;
import picocli.CommandLine;

/** Lists the targets there are, as dmsetup does. */
@CommandLine.Command(
    name = "targets",
    description = "List the targets that tables may have.",
    footer = {"", "Example:", "  oxbow targets"})
final class TargetsCommand extends Command {
  @Override
  int run(Console console) {
    for (TargetType type : new TargetTypes().all()) {
      if (console.isJson()) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("name", type.name());
        fields.put("version", type.version());
        console.result(fields);
      } else {
        console.result(String.format(Locale.ROOT, "%-16s %s", type.name(), type.version()));
      }
    }
    return 0;
  }
}
