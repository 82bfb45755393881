package oxbow.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import oxbow.console.UserException;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

/**
 * The commands there are. Only the one that was asked for is built, since looking through the
 * annotations of all of them would be felt at every start.
 */
final class Commands {
  private static final int WIDTH = 100;
  private static final int SIMILAR_DISTANCE = 2;
  private static final Map<String, Supplier<Object>> TABLE = table();

  /** Other words for commands, which no list shows. */
  private static final Map<String, String> ALIASES = Map.of("reload", "load");

  private Commands() {}

  private static Map<String, Supplier<Object>> table() {
    Map<String, Supplier<Object>> table = new LinkedHashMap<>();
    table.put("clone", CloneCommand::new);
    table.put("snapshot", SnapshotCommand::new);
    table.put("merge", MergeCommand::new);
    table.put("inspect", InspectCommand::new);
    table.put("verify", VerifyCommand::new);
    table.put("bow", BowCommand::new);
    table.put("demo", DemoCommand::new);
    table.put("daemon", DaemonCommand::new);
    table.put("create", CreateCommand::new);
    table.put("import", ImportCommand::new);
    table.put("remove", RemoveCommand::new);
    table.put("suspend", SuspendCommand::new);
    table.put("load", LoadCommand::new);
    table.put("resume", ResumeCommand::new);
    table.put("clear", ClearCommand::new);
    table.put("rename", RenameCommand::new);
    table.put("export", ExportCommand::new);
    table.put("unexport", UnexportCommand::new);
    table.put("exports", ExportsCommand::new);
    table.put("events", EventsCommand::new);
    table.put("targets", TargetsCommand::new);
    table.put("ls", LsCommand::new);
    table.put("info", InfoCommand::new);
    table.put("deps", DepsCommand::new);
    table.put("table", TableCommand::new);
    table.put("status", StatusCommand::new);
    table.put("message", MessageCommand::new);
    table.put("wait", WaitCommand::new);
    table.put("completion", CompletionCommand::new);
    table.put("man", ManCommand::new);
    table.put("version", VersionCommand::new);
    table.put("help", CommandLine.HelpCommand::new);
    return table;
  }

  /** A command line that understands all commands. */
  static CommandLine all() throws UserException {
    return commandLine(new String[0]);
  }

  /** A command line that understands at least the command that {@code args} begin with. */
  static CommandLine commandLine(String[] args) throws UserException {
    String given = args.length == 0 ? "" : args[0];
    String word = ALIASES.getOrDefault(given, given);
    // Not for users: no list of commands shows it.
    Supplier<Object> asked = word.equals("train") ? TrainCommand::new : TABLE.get(word);
    if (asked == null && !word.isEmpty() && !word.startsWith("-")) {
      throw unknown(word);
    }
    CommandSpec root = CommandSpec.forAnnotatedObject(new Root());
    if (asked != null && !word.equals("help")) {
      root.addSubcommand(word, new CommandLine(asked.get()));
    } else {
      TABLE.forEach((name, command) -> root.addSubcommand(name, new CommandLine(command.get())));
    }
    CommandLine line = new CommandLine(root);
    line.setUsageHelpWidth(WIDTH);
    // "bow --when-full commit DEVICE": commit is a command as well.
    line.setAllowSubcommandsAsOptionParameters(true);
    line.setUsageHelpAutoWidth(false);
    line.setColorScheme(CommandLine.Help.defaultColorScheme(CommandLine.Help.Ansi.OFF));
    return line;
  }

  /** {@code help bow restore} is {@code bow restore --help}: picocli's help knows one level. */
  static String[] withoutNestedHelp(String[] args) {
    boolean isNested = args.length > 2 && args[0].equals("help") && !args[2].startsWith("-");
    if (!isNested) {
      return args;
    }
    String[] direct = Arrays.copyOfRange(args, 1, args.length + 1);
    direct[direct.length - 1] = "--help";
    return direct;
  }

  private static UserException unknown(String word) {
    List<String> similar = new ArrayList<>();
    for (String name : TABLE.keySet()) {
      if (distance(word, name) <= SIMILAR_DISTANCE || name.startsWith(word)) {
        similar.add(name);
      }
    }
    return UserException.wrongUsage(word, "Unknown command")
        .advise(
            similar.isEmpty()
                ? "The commands are: " + String.join(", ", TABLE.keySet())
                : "Did you mean " + String.join(" or ", similar) + "?");
  }

  /** How many letters must change, appear or vanish to turn one word into the other. */
  private static int distance(String a, String b) {
    int[] previous = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      previous[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int[] current = new int[b.length() + 1];
      current[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int change = previous[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        current[j] = Math.min(change, 1 + Math.min(previous[j], current[j - 1]));
      }
      previous = current;
    }
    return previous[b.length()];
  }
}
