package oxbow.daemon;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import oxbow.console.Console;
import oxbow.console.UserException;
import oxbow.control.ControlDirectory;
import oxbow.control.ControlServer;
import oxbow.control.DeviceRegistry;
import oxbow.control.Route;
import oxbow.control.Routes;
import oxbow.control.Verbs;
import oxbow.job.DeviceOpener;
import oxbow.job.ListenAddress;
import oxbow.job.StopSignals;
import oxbow.linux.ServiceManager;
import oxbow.nbd.server.ServerOptions;

/**
 * {@code oxbow daemon}: restores its devices, answers on its control socket, and ends in order.
 * Used once.
 */
public final class Daemon {
  private static final String COMMAND = "daemon";

  /** How often it looks how far hydration is, and tries again what could not be restored. */
  private static final long PULSE_SECONDS = 5;

  private final DaemonOrder order;
  private final Console console;
  private final ServiceManager manager = new ServiceManager(System.getenv());
  private final CountDownLatch stop = new CountDownLatch(1);

  public Daemon(DaemonOrder order, Console console) {
    this.order = order;
    this.console = console;
  }

  /** Ends it in order, as a signal does; from any thread. */
  public void stop() {
    stop.countDown();
  }

  /**
   * Runs until a signal. Blocks.
   *
   * @return the exit status
   */
  public int run() throws UserException, IOException, InterruptedException {
    StopSignals signals = StopSignals.onFirst(this::stop);
    try (signals;
        StateFile state = StateFile.open(stateDirectory());
        DeviceOpener opener = new DeviceOpener(console::say)) {
      return run(state, opener);
    }
  }

  private int run(StateFile state, DeviceOpener opener)
      throws UserException, IOException, InterruptedException {
    List<StateFile.Entry> remembered = state.load();
    opener.engine();
    DaemonLog log = new DaemonLog(console);
    EventLog events = new EventLog(log);
    DeviceRegistry registry = new DeviceRegistry();
    Exports exports = new Exports(opener, serverOptions(), events, log);
    Devices devices = new Devices(opener, exports, events, state, registry);
    Routes routes = new Verbs(registry).routes();
    Metrics metrics = new Metrics(devices, exports);
    new DaemonVerbs(devices, exports, events, log).addTo(routes);
    routes.offer(Route.METRICS, _ -> metrics.scrape());
    ServiceReport report = new ServiceReport(manager, console);
    try {
      devices.restore(remembered, problem -> console.say("oxbow: daemon: " + problem));
      try (ControlServer control = listen(routes);
          ControlServer scraped = listenForMetrics(routes)) {
        tellReady(devices, exports, control, scraped);
        report.ready(devices, exports);
        while (!stop.await(PULSE_SECONDS, TimeUnit.SECONDS)) {
          metrics.sample();
          if (devices.hasBroken()) {
            devices.restoreAgain(console::say);
          }
          report.refresh(devices, exports);
        }
        report.stopping();
        events.close(); // Who follows them sees their end before the socket's.
      }
    } finally {
      events.close();
      end(devices, exports, opener);
    }
    return 0;
  }

  private ServerOptions serverOptions() {
    ServerOptions listing =
        order.isListingAllowed() ? ServerOptions.DEFAULT : ServerOptions.DEFAULT.withoutListing();
    return order.isInsecure() ? listing.withRemoteAllowed() : listing;
  }

  /** At the socket that a manager of services has opened, or at one of its own. */
  private ControlServer listen(Routes routes) throws UserException {
    try {
      Optional<ServerSocketChannel> inherited = manager.inheritedSocket();
      if (inherited.isPresent()) {
        return ControlServer.adopt(inherited.get(), routes, console::say);
      }
      Path path = order.control();
      if (path == null) {
        path = ControlDirectory.ofUser().prepare().controlSocket(ControlDirectory.DAEMON);
      }
      return ControlServer.listen(path, routes, console::say);
    } catch (IOException failed) {
      throw UserException.failed(COMMAND + ": control socket", failed)
          .advise("--control chooses another one.");
    }
  }

  /** Null if nobody wants that. */
  private @Nullable ControlServer listenForMetrics(Routes routes) throws UserException {
    String address = order.metrics();
    if (address == null) {
      return null;
    }
    if (!(ListenAddress.parse(COMMAND, "--metrics", address) instanceof InetSocketAddress inet)) {
      throw UserException.wrongUsage(
          COMMAND, "--metrics " + address + ": tcp:HOST:PORT is expected");
    }
    try {
      return ControlServer.listenForMetrics(inet, routes, console::say);
    } catch (IOException failed) {
      throw UserException.failed(COMMAND + ": --metrics " + address, failed);
    }
  }

  private void tellReady(
      Devices devices, Exports exports, ControlServer control, @Nullable ControlServer scraped)
      throws IOException {
    for (ManagedDevice device : devices.all()) {
      exports.uris(device).forEach(this::ready);
    }
    ready("http+unix://" + control.address());
    if (scraped != null && scraped.address() instanceof InetSocketAddress inet) {
      ready("http://" + inet.getAddress().getHostAddress() + ":" + inet.getPort() + "/metrics");
    }
  }

  private void ready(String uri) {
    if (console.isJson()) {
      console.result(Map.of("event", "ready", "uri", uri));
    } else {
      console.result("ready " + uri);
    }
  }

  /** Clients are answered and sent away, then devices wait for what is in flight, and commit. */
  private void end(Devices devices, Exports exports, DeviceOpener opener) throws UserException {
    devices.open().bottoms().forEach(DeviceOpener::holdNoLonger);
    devices.refuseHeld();
    try {
      exports.close();
      devices.close();
    } catch (IOException unfinished) {
      opener.abandon();
      throw UserException.failed(COMMAND, unfinished)
          .advise("What was flushed is safe, and all is restored at the next start.");
    }
  }

  private Path stateDirectory() {
    Path given = order.state();
    if (given != null) {
      return given;
    }
    String own = System.getenv().getOrDefault("XDG_STATE_HOME", "");
    if (!own.isEmpty() && Path.of(own).isAbsolute()) {
      return Path.of(own, "oxbow");
    }
    return Files.isWritable(Path.of("/var/lib"))
        ? Path.of("/var/lib/oxbow")
        : Path.of(System.getProperty("user.home"), ".local", "state", "oxbow");
  }
}
