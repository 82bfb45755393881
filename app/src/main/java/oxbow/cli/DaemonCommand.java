package oxbow.cli;

import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import oxbow.console.Console;
import oxbow.console.UserException;
import oxbow.daemon.Daemon;
import oxbow.daemon.DaemonOrder;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** Keeps many devices. */
@CommandLine.Command(
    name = "daemon",
    description = {
      "Keep many devices, and remember them across restarts.",
      "They are made and changed with create, load, suspend, resume and the other verbs.",
      "Ends in order with SIGTERM."
    },
    footer = {
      "",
      "Example:",
      "  oxbow daemon --state /var/lib/oxbow &",
      "  oxbow create vol --table '0 2097152 linear /srv/vol.img 0' --listen unix:/run/vol.nbd"
    })
final class DaemonCommand extends Command {
  @Option(
      names = "--control",
      paramLabel = "PATH",
      description = "Control socket. Default: control.sock in the control directory.")
  @Nullable Path control;

  @Option(
      names = "--state",
      paramLabel = "DIR",
      description = {
        "Where it remembers. Default: $XDG_STATE_HOME/oxbow, /var/lib/oxbow, or",
        "~/.local/state/oxbow."
      })
  @Nullable Path state;

  @Option(
      names = "--metrics",
      paramLabel = "ADDR",
      description = {
        "Answer GET /metrics there too, for Prometheus: tcp:HOST:PORT of this machine.",
        "Default: on the control socket only."
      })
  @Nullable String metrics;

  @Option(names = "--no-list", description = "Do not tell clients which exports there are.")
  boolean isWithoutList;

  @Option(
      names = "--insecure",
      description = {
        "Allow --listen addresses that other machines reach: nobody is asked who they are, and",
        "all can be read on the way."
      })
  boolean isInsecure;

  @Override
  int run(Console console) throws UserException, IOException, InterruptedException {
    DaemonOrder order = new DaemonOrder(control, state, metrics, !isWithoutList, isInsecure);
    return new Daemon(order, console).run();
  }
}
