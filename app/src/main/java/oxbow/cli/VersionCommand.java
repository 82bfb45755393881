package oxbow.cli;

import java.io.IOException;
import java.io.InputStream;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Properties;
import oxbow.console.Console;
import picocli.CommandLine;

/** Says which Oxbow this is. */
@CommandLine.Command(name = "version", description = "Show the version.")
final class VersionCommand extends Command {
  private static final String RESOURCE = "/oxbow/version.properties";

  @Override
  int run(Console console) throws IOException {
    String version = version();
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

  static String version() throws IOException {
    try (InputStream resource = VersionCommand.class.getResourceAsStream(RESOURCE)) {
      if (resource == null) {
        throw new IOException(RESOURCE + " is missing from this build");
      }
      Properties properties = new Properties();
      properties.load(resource);
      return properties.getProperty("version", "unknown");
    }
  }
}
