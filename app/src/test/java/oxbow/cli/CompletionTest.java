package oxbow.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Aim: a shell completes commands, options and devices. Method: bash itself reads the script, calls
 * what is registered for the command as it does for the tab key, and an {@code oxbow} of the test's
 * lists devices.
 */
@Timeout(60)
class CompletionTest {
  private static final String COMPLETE =
      """
      source "$1"; shift
      COMP_WORDS=(oxbow "$@"); COMP_CWORD=$#; COMP_LINE="oxbow $*"; COMP_POINT=${#COMP_LINE}
      set -- $(complete -p oxbow)
      while [ "$1" != -F ]; do shift; done
      "$2"
      printf '%s\\n' "${COMPREPLY[@]}"
      """;

  @TempDir Path directory;
  private Path script;

  @BeforeEach
  void writeScript() throws Exception {
    Cli printed = Cli.run("completion", "bash");
    assertThat(printed.status()).isZero();
    script = Files.writeString(directory.resolve("oxbow.bash"), printed.out());
    Path oxbow = directory.resolve("oxbow");
    Files.writeString(
        oxbow, "#!/bin/sh\n[ \"$*\" = ls ] && printf 'vol\\t(x)\\nvol2\\t(y)\\nbase\\t(z)\\n'\n");
    Files.setPosixFilePermissions(oxbow, PosixFilePermissions.fromString("rwx------"));
  }

  @Test
  void theScriptIsBash() throws Exception {
    assertThat(said(bash("-n", script.toString()).redirectErrorStream(true))).isEmpty();
  }

  @Test
  void commandsAndOptionsAreCompleted() throws Exception {
    assertThat(complete("sus")).containsExactly("suspend");
    assertThat(complete("exp")).containsExactlyInAnyOrder("export", "exports");
    assertThat(complete("suspend", "--no")).containsExactly("--noflush");
    assertThat(complete("bow", "rest")).containsExactly("restore");
  }

  @Test
  void devicesAreCompletedWhereOneIsWanted() throws Exception {
    assertThat(complete("suspend", "v")).containsExactly("vol", "vol2");
    assertThat(complete("status", "")).contains("vol", "vol2", "base");
    assertThat(complete("message", "b")).containsExactly("base");
    assertThat(complete("inspect", "v")).as("a file is wanted").isEmpty();
    assertThat(complete("create", "v")).as("a new name is wanted").isEmpty();
  }

  @Test
  void zshReadsTheSame() {
    assertThat(Cli.run("completion", "zsh").out()).contains("bashcompinit");
    Cli other = Cli.run("completion", "fish");
    assertThat(other.status()).isEqualTo(2);
    assertThat(other.errLines()).containsExactly("oxbow: completion fish: bash or zsh is expected");
  }

  private List<String> complete(String... words) throws Exception {
    String[] all = new String[words.length + 4];
    all[0] = "-c";
    all[1] = COMPLETE;
    all[2] = "bash";
    all[3] = script.toString();
    System.arraycopy(words, 0, all, 4, words.length);
    // Only within a completion of bash's own is there compopt, which complains elsewhere.
    ProcessBuilder builder = bash(all).redirectError(ProcessBuilder.Redirect.DISCARD);
    return said(builder).lines().map(String::strip).filter(line -> !line.isEmpty()).toList();
  }

  private ProcessBuilder bash(String... words) {
    ProcessBuilder builder = new ProcessBuilder("bash", "--norc");
    builder.command().addAll(List.of(words));
    builder.environment().merge("PATH", directory.toString(), (path, ours) -> ours + ":" + path);
    return builder;
  }

  private static String said(ProcessBuilder builder) throws Exception {
    Process process = builder.start();
    process.outputWriter().close();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
    return said;
  }
}
