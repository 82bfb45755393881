package oxbow.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import oxbow.console.UserException;
import oxbow.daemon.TableWords;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** A verb that gives a device a table: from the command line, a file, or standard input. */
abstract class TableVerbCommand extends DaemonVerbCommand {
  private static final int WORDS_BEFORE_ARGUMENTS = 3;
  private static final Pattern SCHEME = Pattern.compile("[a-z0-9+-]+:.*");
  private static final String FILE = "file:";

  @Parameters(index = "0", paramLabel = "NAME", description = "The device.")
  String device = "";

  @Option(
      names = "--table",
      paramLabel = "LINE",
      description = "The table itself; lines are parted by line ends.")
  @Nullable String line;

  @Parameters(
      index = "1",
      arity = "0..1",
      paramLabel = "FILE",
      description = "A file that holds the table. Default, and -: standard input.")
  @Nullable String file;

  /** The table, paths in it made whole: the daemon does not know where its user is. Blocks. */
  String readTable(InputStream input) throws UserException, IOException {
    if (line != null && file != null) {
      throw UserException.wrongUsage(name() + " " + device, "--table and FILE exclude each other");
    }
    Path here = Path.of("").toAbsolutePath();
    if (line != null) {
      return wholePaths(line, here);
    }
    boolean isStandardInput = file == null || file.equals("-");
    return wholePaths(
        isStandardInput
            ? new String(input.readAllBytes(), StandardCharsets.UTF_8)
            : Files.readString(Path.of(String.valueOf(file))),
        here);
  }

  /**
   * Makes relative paths whole. A word of a target's arguments is taken for a path when it holds a
   * slash or a dot: no option of a target does.
   */
  static String wholePaths(String table, Path here) {
    List<String> lines = new ArrayList<>();
    for (String each : table.lines().toList()) {
      List<String> words = TableWords.split(each);
      for (int i = WORDS_BEFORE_ARGUMENTS; i < words.size(); i++) {
        words.set(i, wholePath(words.get(i), here));
      }
      boolean isComment = each.strip().startsWith("#");
      lines.add(
          isComment
              ? each
              : words.stream().map(TableWords::escape).collect(Collectors.joining(" ")));
    }
    return String.join("\n", lines);
  }

  private static String wholePath(String word, Path here) {
    if (word.startsWith(FILE)) {
      return FILE + here.resolve(word.substring(FILE.length()));
    }
    boolean isPath = word.indexOf('/') >= 0 || word.indexOf('.') >= 0;
    return isPath && !SCHEME.matcher(word).matches() ? here.resolve(word).toString() : word;
  }
}
