package oxbow.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** Aim: the manual says what the help says. Method: all pages, as text and through groff. */
@Timeout(120)
class ManTest {
  private static final List<String> SECTIONS =
      List.of("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXAMPLES", "EXIT STATUS", "SEE ALSO");

  @TempDir Path directory;

  @Test
  void aPageHasItsSectionsAndAllOptions() throws Exception {
    for (List<String> command : commands()) {
      String page = page(command);
      assertThat(page.lines().filter(line -> line.startsWith(".SH ")))
          .as("%s", command)
          .containsSubsequence(SECTIONS.stream().map(name -> ".SH \"" + name + "\"").toList());
    }
    String clone = page(List.of("clone"));
    assertThat(clone)
        .startsWith(".TH \"OXBOW\\-CLONE\" 1 ")
        .contains("\noxbow\\-clone \\- Clone SOURCE into DEST: ")
        .contains("\n\\fBoxbow clone\\fR [OPTION]... SOURCE DEST\n")
        .contains("\n\\fB\\-\\-region\\-size=SIZE\\fR\n");
    assertThat(page(List.of())).contains("\n\\fBsuspend\\fR\nHold new requests", "oxbow\\-load(1)");
    assertThat(page(List.of("load"))).contains("\na clone that is done becomes a plain device");
  }

  /** The list of commands shows no more than the first element of a description. */
  @Test
  void aDescriptionBeginsWithWholeSentences() throws Exception {
    List<CommandLine> all = new ArrayList<>(List.of(Commands.all()));
    for (int i = 0; i < all.size(); i++) {
      CommandLine command = all.get(i);
      all.addAll(command.getSubcommands().values());
      assertThat(command.getCommandSpec().usageMessage().description()[0])
          .as(command.getCommandName())
          .endsWith(".");
    }
    assertThat(all).hasSizeGreaterThan(30);
  }

  @Test
  void whatRoffWouldTakeForItsOwnIsShownAsItIs() {
    Roff roff = new Roff();
    roff.text(".dot \\ back");
    roff.text("'quote' -x ~^` …");
    roff.text("");
    assertThat(roff.toString())
        .isEqualTo("\\&.dot \\e back\n\\&\\(aqquote\\(aq \\-x \\(ti\\(ha\\(ga \\[u2026]\n");
  }

  @Test
  void groffFindsNothingWrong() throws Exception {
    Assumptions.assumeTrue(
        Stream.of("/usr/bin/groff", "/usr/local/bin/groff").anyMatch(p -> Files.exists(Path.of(p))),
        "groff is not installed");
    List<String> files = new ArrayList<>(List.of("groff", "-man", "-ww", "-z", "-Tutf8"));
    for (List<String> command : commands()) {
      Path file = directory.resolve(String.join("-", command) + ".1");
      files.add(Files.writeString(file, page(command)).toString());
    }
    Process groff = new ProcessBuilder(files).redirectErrorStream(true).start();
    assertThat(new String(groff.getInputStream().readAllBytes(), StandardCharsets.UTF_8)).isEmpty();
    assertThat(groff.waitFor()).isZero();
  }

  @Test
  void aPageOfACommandThatIsNoneIsAWrongCommandLine() {
    Cli none = Cli.run("man", "bow", "clone");
    assertThat(none.status()).isEqualTo(2);
    assertThat(none.errLines())
        .containsExactly("oxbow: man bow clone: Unknown command", "  See: oxbow help");
  }

  /** All but help, which is picocli's. */
  private static List<List<String>> commands() throws Exception {
    List<List<String>> all = new ArrayList<>();
    for (Map.Entry<String, CommandLine> each : Commands.all().getSubcommands().entrySet()) {
      if (!each.getKey().equals("help")) {
        all.add(List.of(each.getKey()));
        each.getValue().getSubcommands().keySet().stream()
            .map(word -> List.of(each.getKey(), word))
            .forEach(all::add);
      }
    }
    assertThat(all).hasSizeGreaterThan(30);
    return all;
  }

  private static String page(List<String> command) throws IOException {
    Object[] words = Stream.concat(Stream.of("man"), command.stream()).toArray();
    Cli printed = Cli.run(words);
    assertThat(printed.status()).isZero();
    return printed.out();
  }
}
