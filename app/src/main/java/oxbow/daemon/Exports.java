package oxbow.daemon;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import oxbow.console.UserException;
import oxbow.control.ControlException;
import oxbow.job.DeviceOpener;
import oxbow.job.ListenAddress;
import oxbow.nbd.server.Export;
import oxbow.nbd.server.ExportStatistics;
import oxbow.nbd.server.ListeningAddress;
import oxbow.nbd.server.NbdServer;
import oxbow.nbd.server.ServerOptions;

/**
 * Which devices are served where: a server for each address, on it the devices under their names.
 * An order is kept for a device that has no live table yet, and carried out when it has. Changes
 * are one thread's at a time; questions any thread's.
 */
final class Exports implements AutoCloseable {
  private static final Duration DRAIN = Duration.ofSeconds(30);

  /** Where clients connect. */
  private record Place(NbdServer server, ListeningAddress at) {}

  /**
   * A device at an address.
   *
   * @param place null while the device has no live table
   */
  private record Served(ManagedDevice device, ExportOrder order, @Nullable Place place) {
    String name() {
      return order.nameFor(device);
    }
  }

  private final DeviceOpener opener;
  private final ServerOptions options;
  private final EventLog events;
  private final DaemonLog log;
  private final Map<String, Place> places = new LinkedHashMap<>();
  private final CopyOnWriteArrayList<Served> served = new CopyOnWriteArrayList<>();

  Exports(DeviceOpener opener, ServerOptions options, EventLog events, DaemonLog log) {
    this.opener = opener;
    this.options = options;
    this.events = events;
    this.log = log;
  }

  /**
   * Serves a device, now or as soon as it has a live table. Blocks for a moment.
   *
   * @return the order, with the port that was chosen if it was to be any
   */
  synchronized ExportOrder add(ManagedDevice device, ExportOrder asked) throws ControlException {
    ExportOrder order = asked.at(canonical(asked.listen()));
    checkFree(device, order, order.nameFor(device));
    if (device.block().live() == null) {
      served.add(new Served(device, order, null));
      return order;
    }
    Served begun = begin(device, order);
    served.add(begun);
    return begun.order();
  }

  private void checkFree(ManagedDevice device, ExportOrder order, String name)
      throws ControlException {
    for (Served other : served) {
      if (other.order().listen().equals(order.listen()) && other.name().equals(name)) {
        throw ControlException.conflict(
            other.device() == device
                ? device.name() + " is exported there already"
                : order.listen() + " has an export " + name + " already");
      }
    }
  }

  private Served begin(ManagedDevice device, ExportOrder order) throws ControlException {
    String name = order.nameFor(device);
    Export export;
    try {
      export = new Export(name, "", device.block(), order.isReadOnly(), true, order.limits());
    } catch (IllegalArgumentException wrong) {
      throw new ControlException(UserException.reason(wrong), wrong);
    }
    Place place = places.get(order.listen());
    if (place == null) {
      place = listen(order.listen());
    }
    place.server().add(export);
    if (order.isDefault()) {
      place.server().setDefault(name);
    }
    ExportOrder actual = order.at(textOf(place.at().address()));
    places.putIfAbsent(actual.listen(), place);
    return new Served(device, actual, place);
  }

  private Place listen(String listen) throws ControlException {
    SocketAddress address = parse(listen);
    Place[] made = new Place[1];
    try {
      ClientLog clients =
          new ClientLog(
              () -> textOf(made[0].at().address()),
              export -> deviceAt(made[0], export),
              events,
              log);
      NbdServer server = new NbdServer(opener.engine(), options, clients);
      // Nobody is told of clients before there is an export, and that is after this.
      made[0] =
          new Place(
              server,
              switch (address) {
                case UnixDomainSocketAddress unix -> server.listen(unix);
                case InetSocketAddress inet -> server.listen(inet);
                default -> throw new IllegalStateException("no address of NBD: " + address);
              });
      return made[0];
    } catch (IOException failed) {
      String advice = isBarred(address) ? "; oxbow daemon --insecure allows that" : "";
      throw new ControlException(
          "cannot listen on " + listen + ": " + UserException.reason(failed) + advice, failed);
    }
  }

  private boolean isBarred(SocketAddress address) {
    return address instanceof InetSocketAddress inet
        && !inet.isUnresolved()
        && !options.allows(inet);
  }

  private static SocketAddress parse(String listen) throws ControlException {
    try {
      return ListenAddress.parse(listen);
    } catch (IllegalArgumentException wrong) {
      throw new ControlException(listen + ": " + wrong.getMessage(), wrong);
    }
  }

  /**
   * One text for one address, however it was written. A host that cannot be looked up now stays as
   * it is: the order may be carried out later.
   */
  private static String canonical(String listen) throws ControlException {
    SocketAddress address = parse(listen);
    boolean isUnknown = address instanceof InetSocketAddress inet && inet.isUnresolved();
    return isUnknown ? listen : textOf(address);
  }

  /** The name of the device that an export is; its own if the export has just ended. */
  private String deviceAt(Place place, String export) {
    for (Served each : served) {
      if (place.equals(each.place()) && each.name().equals(export)) {
        return each.device().name();
      }
    }
    return export;
  }

  private static String textOf(SocketAddress address) {
    return switch (address) {
      case UnixDomainSocketAddress unix -> "unix:" + unix.getPath();
      case InetSocketAddress inet -> {
        String host = inet.getAddress().getHostAddress();
        yield "tcp:" + (host.contains(":") ? "[" + host + "]" : host) + ":" + inet.getPort();
      }
      default -> throw new IllegalStateException("no address of NBD: " + address);
    };
  }

  /** Carries out what waited for the device's first live table. */
  synchronized void deviceIsLive(ManagedDevice device) throws ControlException {
    for (Served each : List.copyOf(served)) {
      if (each.device() == device && each.place() == null) {
        Served begun = begin(device, each.order());
        served.remove(each);
        served.add(begun);
      }
    }
  }

  /** Whether there is an order that has not been carried out yet. */
  boolean isWaiting(ManagedDevice device) {
    return served.stream().anyMatch(each -> each.device() == device && each.place() == null);
  }

  /**
   * Ends exports of a device: its clients' requests are answered, then they are hung up on. Blocks.
   *
   * @param listen which one; null for all
   * @throws ControlException when there is none, or the device does not answer
   */
  synchronized void remove(ManagedDevice device, @Nullable String listen) throws ControlException {
    String wanted = listen == null ? null : canonical(listen);
    boolean isAny = false;
    for (Served each : List.copyOf(served)) {
      if (each.device() == device && (wanted == null || each.order().listen().equals(wanted))) {
        isAny = true;
        end(each);
        served.remove(each);
      }
    }
    if (!isAny && listen != null) {
      throw ControlException.notFound(device.name() + " is not exported on " + listen);
    }
  }

  private void end(Served each) throws ControlException {
    Place place = each.place();
    if (place == null) {
      return;
    }
    if (!place.server().remove(each.name(), DRAIN)) {
      throw ControlException.conflict(each.name() + ": requests of clients have not ended");
    }
    boolean isLast =
        served.stream().filter(other -> place.equals(other.place())).allMatch(each::equals);
    if (isLast) {
      places.values().removeIf(place::equals);
      try {
        place.server().close();
      } catch (IOException failed) {
        throw new ControlException(UserException.reason(failed), failed);
      }
    }
  }

  /** Whether exports under the device's name can have another. */
  synchronized void checkRename(ManagedDevice device, String newName) throws ControlException {
    for (Served each : served) {
      if (each.device() == device && each.order().exportName() == null) {
        checkFree(device, each.order(), newName);
      }
    }
  }

  /** The device has a new name; its exports that had the old one follow. Clients stay. */
  synchronized void renamed(ManagedDevice device, String oldName) {
    for (Served each : served) {
      if (each.device() == device && each.order().exportName() == null && each.place() != null) {
        each.place().server().rename(oldName, device.name());
      }
    }
  }

  /** The orders of a device, in the order in which they were given. */
  List<ExportOrder> orders(ManagedDevice device) {
    return served.stream().filter(each -> each.device() == device).map(Served::order).toList();
  }

  /** Where clients reach a device; empty while it is not served. */
  List<String> uris(ManagedDevice device) {
    List<String> uris = new ArrayList<>();
    for (Served each : served) {
      if (each.device() == device && each.place() != null) {
        uris.add(each.place().at().uri(each.name()));
      }
    }
    return uris;
  }

  /** Where clients reach a device by one of its orders; null while it is not carried out. */
  @Nullable String uri(ManagedDevice device, ExportOrder order) {
    for (Served each : served) {
      if (each.device() == device && each.order().equals(order) && each.place() != null) {
        return each.place().at().uri(each.name());
      }
    }
    return null;
  }

  /** How many clients use a device. */
  int clients(ManagedDevice device) {
    int clients = 0;
    for (Served each : served) {
      if (each.device() == device && each.place() != null) {
        clients += each.place().server().clientCount(each.name());
      }
    }
    return clients;
  }

  /**
   * An export's place.
   *
   * @param device by its present name
   */
  record At(String device, String listen) {}

  /** Hands over the traffic of all exports. */
  void statistics(BiConsumer<At, ExportStatistics> receiver) {
    Map<Place, Map<String, ExportStatistics>> byPlace = new HashMap<>();
    for (Served each : served) {
      Place place = each.place();
      if (place != null) {
        ExportStatistics found =
            byPlace.computeIfAbsent(place, Exports::statisticsAt).get(each.name());
        if (found != null) {
          receiver.accept(new At(each.device().name(), each.order().listen()), found);
        }
      }
    }
  }

  private static Map<String, ExportStatistics> statisticsAt(Place place) {
    Map<String, ExportStatistics> byName = new HashMap<>();
    place.server().statistics().forEach(each -> byName.put(each.name(), each));
    return byName;
  }

  /** All exports, by the names of the control protocol. */
  List<Map<String, @Nullable Object>> list() {
    List<Map<String, @Nullable Object>> list = new ArrayList<>();
    for (Served each : served) {
      Map<String, @Nullable Object> export = new LinkedHashMap<>();
      export.put("device", each.device().name());
      export.putAll(each.order().toJson());
      export.put("exportName", each.name());
      export.put("uri", each.place() == null ? null : each.place().at().uri(each.name()));
      export.put(
          "clients", each.place() == null ? 0 : each.place().server().clientCount(each.name()));
      list.add(export);
    }
    return list;
  }

  /**
   * Answers all clients' requests, and hangs up. Blocks.
   *
   * @throws IOException when a device still holds requests
   */
  @Override
  public synchronized void close() throws IOException {
    boolean hasEnded = true;
    for (Place place : List.copyOf(places.values())) {
      hasEnded &= place.server().close(DRAIN);
    }
    places.clear();
    served.clear();
    if (!hasEnded) {
      throw new IOException("a device did not answer");
    }
  }
}
