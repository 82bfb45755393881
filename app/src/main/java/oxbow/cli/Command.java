package oxbow.cli;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import oxbow.console.Console;
import oxbow.console.UserException;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** What all commands have in common. */
abstract class Command {
  @Option(names = "--json", description = "Results as JSON, one object a line.")
  boolean isJson;

  @Option(names = "--debug", description = "Show where in the program an error came from.")
  boolean isDebug;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Show this text.")
  boolean isHelpAsked;

  /** The word on the command line. */
  String name() {
    return getClass().getAnnotation(CommandLine.Command.class).name();
  }

  /**
   * Does what the command is for. Blocks until that is done.
   *
   * @return the exit status
   */
  abstract int run(Console console) throws UserException, IOException, InterruptedException;

  /** Tells that a device is served, on standard output. */
  static void showReady(Console console, String uri) {
    if (console.isJson()) {
      Map<String, Object> ready = new LinkedHashMap<>();
      ready.put("event", "ready");
      ready.put("uri", uri);
      console.result(ready);
    } else {
      console.result("ready " + uri);
    }
  }
}
