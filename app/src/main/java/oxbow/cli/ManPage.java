package oxbow.cli;

import java.util.List;
import oxbow.control.Version;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/**
 * A page of the manual, made of what the help of a command is made of, so that the two cannot
 * differ.
 *
 * @see "man-pages(7), groff_man(7)"
 */
final class ManPage {
  private static final String EXAMPLE = "Example";

  private final CommandSpec command;
  private final Roff page = new Roff();

  ManPage(CommandSpec command) {
    this.command = command;
  }

  /** The page in roff. */
  @Override
  public String toString() {
    page.title(name(command), "oxbow " + Version.text());
    page.section("NAME");
    page.text(name(command) + " - " + summary(command));
    synopsis();
    page.section("DESCRIPTION");
    List.of(command.usageMessage().description()).forEach(page::text);
    options();
    commands();
    examples();
    page.section("EXIT STATUS");
    page.item("0", List.of("It is done."));
    page.item("1", List.of("It failed; a line on standard error says why."));
    page.item("2", List.of("The command line is wrong."));
    seeAlso();
    return page.toString();
  }

  private static String name(CommandSpec command) {
    return command.qualifiedName("-");
  }

  /** The first sentence of the description, or its first line. */
  private static String summary(CommandSpec command) {
    String all = String.join(" ", command.usageMessage().description()).strip();
    int end = all.indexOf(". ");
    return (end < 0 ? all : all.substring(0, end)).replaceAll("\\.$", "");
  }

  private void synopsis() {
    page.section("SYNOPSIS");
    StringBuilder words = new StringBuilder();
    if (!command.subcommands().isEmpty()) {
      words.append(command.positionalParameters().isEmpty() ? " COMMAND" : " [COMMAND]");
    }
    words.append(" [OPTION]...");
    for (OptionSpec option : command.options()) {
      if (option.required()) {
        words.append(' ').append(option.longestName()).append(' ').append(option.paramLabel());
      }
    }
    for (PositionalParamSpec word : command.positionalParameters()) {
      String shown = word.paramLabel() + (word.arity().max() > 1 ? "..." : "");
      words.append(' ').append(word.required() ? shown : "[" + shown + "]");
    }
    page.bold(command.qualifiedName(), words.toString());
  }

  private void options() {
    page.section("OPTIONS");
    for (PositionalParamSpec word : command.positionalParameters()) {
      page.item(word.paramLabel(), List.of(word.description()));
    }
    for (OptionSpec option : command.options()) {
      String value = option.arity().max() == 0 ? "" : value(option);
      page.item(String.join(", ", option.names()) + value, List.of(option.description()));
    }
  }

  private static String value(ArgSpec option) {
    return option.arity().min() == 0 ? "[=" + option.paramLabel() + "]" : "=" + option.paramLabel();
  }

  private void commands() {
    if (!command.subcommands().isEmpty()) {
      page.section("COMMANDS");
      below().forEach(each -> page.item(each.name(), List.of(summary(each))));
    }
  }

  /** The commands that belong to this one, each once, whatever else it is called. */
  private List<CommandSpec> below() {
    return command.subcommands().values().stream()
        .map(CommandLine::getCommandSpec)
        .distinct()
        .toList();
  }

  /** What stands behind the word in the footer's first line introduces them. */
  private void examples() {
    List<String> footer =
        List.of(command.usageMessage().footer()).stream().filter(line -> !line.isBlank()).toList();
    if (footer.isEmpty()) {
      return;
    }
    page.section("EXAMPLES");
    String heading = footer.getFirst();
    String introduction = heading.substring(heading.indexOf(':') + 1).strip();
    if (heading.startsWith(EXAMPLE) && !introduction.isEmpty()) {
      page.text(introduction);
    }
    page.verbatim(footer.subList(1, footer.size()).stream().map(String::strip).toList());
  }

  private void seeAlso() {
    page.section("SEE ALSO");
    CommandSpec parent = command.parent();
    StringBuilder pages = new StringBuilder(parent == null ? "" : name(parent) + "(1), ");
    below().forEach(each -> pages.append(name(each)).append("(1), "));
    page.text(pages + "dmsetup(8)");
  }
}
