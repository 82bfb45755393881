package oxbow.cli;

import java.util.List;
import java.util.Map;
import oxbow.console.Console;
import oxbow.console.UserException;
import picocli.CommandLine;
import picocli.CommandLine.Parameters;

/** Prints a page of the manual. */
@CommandLine.Command(
    name = "man",
    description = {
      "Print the page of the manual about a command, or about all of them, for man to show."
    },
    footer = {
      "",
      "Examples:",
      "  oxbow man clone | man -l -",
      "  oxbow man bow restore > /usr/local/share/man/man1/oxbow-bow-restore.1"
    })
final class ManCommand extends Command {
  @Parameters(
      arity = "0..*",
      paramLabel = "COMMAND",
      description = "The command. Default: which commands there are.")
  List<String> words = List.of();

  @Override
  int run(Console console) throws UserException {
    CommandLine at = Commands.all();
    for (String word : words) {
      CommandLine next = at.getSubcommands().get(word);
      if (next == null) {
        throw UserException.wrongUsage(name() + " " + String.join(" ", words), "Unknown command")
            .advise("See: oxbow help");
      }
      at = next;
    }
    String page = new ManPage(at.getCommandSpec()).toString();
    if (console.isJson()) {
      console.result(Map.of("page", page));
    } else {
      console.result(page.stripTrailing());
    }
    return 0;
  }
}
