package oxbow.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import oxbow.control.ControlClient;
import oxbow.control.Route;

/**
 * Aim: the daemon is a service that systemd can run: it answers at the socket that was opened for
 * it, and says when it is ready and when it ends. Method: Python as the manager, and systemd's own
 * check of the unit files.
 */
@Timeout(120)
class DaemonServiceTest {
  /** Opens the control socket, starts the daemon with it, and shows what it is told. */
  private static final String MANAGER =
      """
      import os, socket, sys
      notify, control = sys.argv[1:3]
      told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
      told.settimeout(60)
      told.bind(notify)
      listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
      listening.bind(control)
      listening.listen(5)
      pid = os.fork()
      if pid == 0:
          os.dup2(listening.fileno(), 20)
          os.dup2(20, 3)
          os.environ.update(NOTIFY_SOCKET=notify, LISTEN_FDS='1', LISTEN_PID=str(os.getpid()))
          os.execvp(sys.argv[3], sys.argv[3:])
      listening.close()
      print(pid, flush=True)
      message = b''
      while not message.startswith(b'STOPPING'):
          message = told.recv(4096)
          print(message.decode().replace('\\n', ' '), flush=True)
      print('status', os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
      """;

  @TempDir Path directory;

  @Test
  void aManagerIsToldAndItsSocketIsAnswered() throws Exception {
    Path control = directory.resolve("control.sock");
    Path err = directory.resolve("err");
    Process manager = startManager(control, err);
    try (BufferedReader said = manager.inputReader(StandardCharsets.UTF_8)) {
      String pid = said.readLine();
      assertThat(said.readLine()).isEqualTo("READY=1 STATUS=0 devices, 0 exports");
      ControlClient.ask(control, Route.CREATE, Map.of("name", "z", "table", "0 8 zero"));
      assertThat(said.readLine()).isEqualTo("STATUS=1 devices, 0 exports");
      assertThat(new ProcessBuilder("kill", "-TERM", pid).start().waitFor()).isZero();
      assertThat(said.readLine()).startsWith("STOPPING=1 ");
      assertThat(said.readLine()).isEqualTo("status 0");
      assertThat(control).as("the manager's").exists();
      assertThat(Files.readString(directory.resolve("out")))
          .isEqualTo("ready http+unix://" + control + "\n");
      assertThat(manager.waitFor(30, TimeUnit.SECONDS)).isTrue();
    } finally {
      manager.descendants().forEach(ProcessHandle::destroyForcibly);
      manager.destroyForcibly();
    }
  }

  @Test
  void systemdFindsNothingWrongWithTheUnits() throws Exception {
    Path units = Path.of("..", "packaging", "systemd");
    for (String name : List.of("oxbow.service", "oxbow.socket")) {
      // The program need not be installed where this is built.
      String unit = Files.readString(units.resolve(name)).replace("/usr/bin/oxbow", "/bin/true");
      Files.writeString(directory.resolve(name), unit);
    }
    Process check;
    try {
      check =
          new ProcessBuilder(
                  "systemd-analyze",
                  "verify",
                  "--man=no",
                  directory.resolve("oxbow.service").toString(),
                  directory.resolve("oxbow.socket").toString())
              .redirectErrorStream(true)
              .start();
    } catch (IOException missing) {
      Assumptions.abort("systemd-analyze is not installed");
      return;
    }
    String found = new String(check.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(found).doesNotContain("oxbow.");
    assertThat(check.waitFor()).isZero();
  }

  private Process startManager(Path control, Path err) throws IOException {
    ProcessBuilder daemon =
        Programs.oxbow(directory, "daemon", "--state", directory.resolve("state"));
    List<String> command = new ArrayList<>(List.of("python3", "-c", MANAGER));
    command.addAll(List.of(directory.resolve("notify").toString(), control.toString()));
    // The manager's standard output is what is read; the daemon's goes to a file.
    command.addAll(List.of("sh", "-c", "out=$1; shift; exec \"$@\" > \"$out\"", "sh"));
    command.add(directory.resolve("out").toString());
    command.addAll(daemon.command());
    daemon.command(command);
    return daemon.redirectError(err.toFile()).start();
  }
}
