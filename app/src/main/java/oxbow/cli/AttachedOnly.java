package oxbow.cli;

import java.util.Map;
import java.util.Stack;
import picocli.CommandLine.IParameterPreprocessor;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * For an option whose value may be left out: only what is attached to it with = is its value. What
 * stands behind it is a word of its own.
 */
final class AttachedOnly implements IParameterPreprocessor {
  /** What the library says stands between the option and the words behind it. */
  private static final String NOT_ATTACHED = " ";

  // The library's own type is a Stack.
  @SuppressWarnings("JdkObsolete")
  @Override
  public boolean preprocess(
      Stack<String> words, CommandSpec command, ArgSpec option, Map<String, Object> info) {
    if (NOT_ATTACHED.equals(info.get("separator")) && option instanceof OptionSpec given) {
      words.push(given.fallbackValue());
    }
    return false;
  }
}
