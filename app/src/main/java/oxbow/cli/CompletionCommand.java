package oxbow.cli;

import java.util.Map;
import java.util.stream.Collectors;
import oxbow.console.Console;
import oxbow.console.UserException;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.Parameters;

/** Prints what makes a shell complete commands, options and names of devices. */
@CommandLine.Command(
    name = "completion",
    description = {
      "Print a script that completes commands, options and names of devices, for bash or zsh.",
      "The shell reads it when it starts."
    },
    footer = {
      "",
      "Examples:",
      "  oxbow completion bash > /usr/share/bash-completion/completions/oxbow",
      "  source <(oxbow completion zsh)"
    })
final class CompletionCommand extends Command {
  private static final String DEVICE = "NAME";

  /** Picocli's function first; where it knows nothing, and a device is wanted, ours. */
  private static final String DEVICES =
      """

      # Names of devices, where a command takes one.
      function _complete_oxbow_devices() {
        _complete_oxbow
        local current="${COMP_WORDS[COMP_CWORD]}"
        if [ "${#COMPREPLY[@]}" -eq 0 ] && [ "$COMP_CWORD" -ge 2 ]; then
          case "$current:${COMP_WORDS[1]}" in
            -*) ;;
            *:@VERBS@)
              COMPREPLY=($(compgen -W "$(oxbow ls 2>/dev/null | cut -sf1)" -- "$current")) ;;
          esac
        fi
      }
      complete -F _complete_oxbow_devices -o default oxbow
      """;

  @Parameters(index = "0", paramLabel = "SHELL", description = "bash or zsh.")
  String shell = "";

  @Override
  int run(Console console) throws UserException {
    if (!shell.equals("bash") && !shell.equals("zsh")) {
      throw UserException.wrongUsage(name() + " " + shell, "bash or zsh is expected");
    }
    // One script serves both: in zsh it loads bashcompinit by itself.
    CommandLine all = Commands.all();
    String verbs =
        all.getSubcommands().entrySet().stream()
            .filter(command -> takesDevice(command.getValue()))
            .map(Map.Entry::getKey)
            .collect(Collectors.joining("|*:"));
    String script = AutoComplete.bash("oxbow", all) + DEVICES.replace("@VERBS@", verbs);
    if (console.isJson()) {
      console.result(Map.of("script", script));
    } else {
      console.result(script.stripTrailing());
    }
    return 0;
  }

  /** Whether a device that is there comes first. */
  private static boolean takesDevice(CommandLine command) {
    return !(command.getCommand() instanceof CreateCommand)
        && command.getCommandSpec().positionalParameters().stream()
            .findFirst()
            .map(PositionalParamSpec::paramLabel)
            .filter(DEVICE::equals)
            .isPresent();
  }
}
