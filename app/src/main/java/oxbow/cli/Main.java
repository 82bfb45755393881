package oxbow.cli;

import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;
import oxbow.console.Console;
import oxbow.console.Terminal;
import oxbow.console.UserException;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** Where the program starts: finds the command, runs it, turns what went wrong into one line. */
public final class Main {
  private final PrintStream out;
  private final PrintStream err;
  private final boolean isTerminal;
  private final @Nullable BufferedReader answers;

  /**
   * @param isTerminal whether {@code err} is one
   * @param answers what somebody types; null where nobody can be asked
   */
  Main(PrintStream out, PrintStream err, boolean isTerminal, @Nullable BufferedReader answers) {
    this.out = out;
    this.err = err;
    this.isTerminal = isTerminal;
    this.answers = answers;
  }

  /** Runs one command and ends the process with its exit status. */
  public static void main(String[] args) {
    PrintStream out = standard(FileDescriptor.out);
    PrintStream err = standard(FileDescriptor.err);
    int status = new Main(out, err, Terminal.isStandardError(), answers()).run(args);
    out.flush();
    err.flush();
    System.exit(status);
  }

  private static @Nullable BufferedReader answers() {
    return Terminal.isStandardInput()
        ? new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))
        : null;
  }

  private static PrintStream standard(FileDescriptor descriptor) {
    return new PrintStream(new FileOutputStream(descriptor), false, StandardCharsets.UTF_8);
  }

  /** Runs one command and returns its exit status. */
  int run(String... words) {
    String[] args = Commands.withoutNestedHelp(words);
    try {
      CommandLine root = Commands.commandLine(args);
      ParseResult parsed = root.parseArgs(args);
      root.setOut(writer(out)).setErr(writer(err));
      if (CommandLine.printHelpIfRequested(parsed)) {
        return 0;
      }
      List<CommandLine> chain = parsed.asCommandLineList();
      if (chain.getLast().getCommand() instanceof Command command) {
        return run(command);
      }
      root.usage(err, CommandLine.Help.Ansi.OFF);
      return UserException.WRONG_USAGE;
    } catch (ParameterException wrong) {
      return tell(explain(wrong));
    } catch (UserException wrong) {
      return tell(wrong);
    }
  }

  private int run(Command command) {
    try {
      return command.run(new Console(out, err, isTerminal, command.isJson, answers));
    } catch (UserException failed) {
      trace(command, failed);
      return tell(failed);
    } catch (IOException failed) {
      trace(command, failed);
      return tell(UserException.failed(command.name(), failed));
    } catch (InterruptedException stopped) {
      trace(command, stopped);
      return tell(UserException.failed(command.name(), "interrupted"));
    } catch (RuntimeException | Error fault) {
      trace(command, fault);
      String why = "fault in the program: " + fault;
      return tell(
          UserException.failed(command.name(), UserException.firstLine(why))
              .advise("Please report this; --debug shows where it happened."));
    }
  }

  private void trace(Command command, Throwable why) {
    if (command.isDebug) {
      why.printStackTrace(err);
    }
  }

  private int tell(UserException why) {
    err.println(why.toUserText());
    err.flush();
    return why.exitStatus();
  }

  private static UserException explain(ParameterException wrong) {
    CommandLine at = wrong.getCommandLine();
    boolean isRoot = at.getParent() == null;
    String path = at.getCommandSpec().qualifiedName();
    String what = isRoot ? "command line" : path.substring(path.indexOf(' ') + 1);
    String why = UserException.firstLine(String.valueOf(wrong.getMessage()));
    UserException told = UserException.wrongUsage(what, why);
    if (wrong instanceof UnmatchedArgumentException unmatched) {
      List<String> similar = unmatched.getSuggestions();
      if (unmatched.isUnknownOption() && !similar.isEmpty()) {
        return told.advise("Did you mean " + String.join(", ", similar) + "?");
      }
    }
    return told.advise("See: oxbow help" + (isRoot ? "" : " " + what));
  }

  private static PrintWriter writer(PrintStream stream) {
    return new PrintWriter(stream, true, StandardCharsets.UTF_8);
  }
}
