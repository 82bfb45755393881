package oxbow.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import oxbow.control.ControlException;
import oxbow.control.Route;
import oxbow.it.DaemonModel.Device;
import oxbow.nbd.server.RawClient;
import oxbow.nbd.wire.Nbd;

/**
 * Someone with some devices at a daemon: makes, changes, writes and removes them at random, one
 * thing at a time, until the daemon is gone; and knows what must be there afterwards. Names and
 * files are this user's own; the sockets that devices are exported on are shared with others.
 */
final class DaemonUser {
  private static final int SLOTS = 4;
  private static final int SECTORS = 2048;
  private static final int GRANULE_BYTES = 4096;
  private static final int GRANULES = SECTORS * 512 / GRANULE_BYTES;

  /** What a user does now and then. */
  enum Act {
    CREATE(8),
    LOAD(14),
    CLEAR(3),
    SUSPEND(8),
    RESUME(14),
    RENAME(6),
    EXPORT(8),
    UNEXPORT(5),
    REMOVE(3),
    MESSAGE(3),
    WRITE(20),
    REFUSED(3);

    final int weight;

    Act(int weight) {
      this.weight = weight;
    }
  }

  /** Where on which of the user's files a granule of a device lies. */
  private record Spot(String file, int granule) {}

  private final TestDaemon daemon;
  private final String prefix;
  private final Path home;
  private final List<Path> sockets;
  private final Random random;
  private final Map<Act, Integer> done;
  private final Map<Spot, Set<Integer>> written = new HashMap<>();
  private DaemonModel model = DaemonModel.empty();

  /** What holds if the request that was not answered was heeded. */
  private DaemonModel pending = model;

  private int names;
  private int stamps = 1;

  /**
   * @param prefix of the names of devices
   * @param home for files
   * @param sockets to export devices on
   * @param done counts what was done
   */
  DaemonUser(
      TestDaemon daemon,
      String prefix,
      Path home,
      List<Path> sockets,
      long seed,
      Map<Act, Integer> done)
      throws IOException {
    this.daemon = daemon;
    this.prefix = prefix;
    this.home = home;
    this.sockets = sockets;
    this.random = new Random(seed);
    this.done = done;
    makeFile("origin");
    for (int slot = 0; slot < SLOTS; slot++) {
      for (String name : List.of("a", "b", "meta", "dest", "source", "store")) {
        makeFile(name + slot);
      }
    }
  }

  private void makeFile(String name) throws IOException {
    try (RandomAccessFile file = new RandomAccessFile(file(name).toFile(), "rw")) {
      file.setLength(SECTORS * 512L * 4);
    }
  }

  private Path file(String name) {
    return home.resolve(name);
  }

  /**
   * Does one thing. Blocks until it is answered.
   *
   * @throws IOException when the daemon is gone
   */
  void act() throws IOException {
    int dice = random.nextInt(Arrays.stream(Act.values()).mapToInt(act -> act.weight).sum());
    for (Act act : Act.values()) {
      dice -= act.weight;
      if (dice < 0) {
        if (isDone(act)) {
          done.merge(act, 1, Integer::sum);
        }
        return;
      }
    }
  }

  private boolean isDone(Act act) throws IOException {
    if (act == Act.CREATE) {
      return create();
    }
    if (model.devices().isEmpty()) {
      return false;
    }
    List<Device> devices = model.bottomUp();
    Device device = devices.get(random.nextInt(devices.size()));
    return switch (act) {
      case LOAD -> load(device);
      case CLEAR -> ask(Route.CLEAR, Map.of("name", device.name()), model.with(device.loaded("")));
      case SUSPEND -> suspend(device);
      case RESUME -> resume(device);
      case RENAME -> rename(device);
      case EXPORT -> export(device);
      case UNEXPORT -> unexport(device);
      case REMOVE -> remove(device);
      case MESSAGE -> message(device);
      case WRITE -> write(device);
      default -> refused(device);
    };
  }

  /** True once it is answered; false if it was refused for a reason that may come. */
  private boolean ask(Route route, Map<String, ?> fields, DaemonModel after) throws IOException {
    pending = after;
    try {
      daemon.ask(route, fields);
      model = after;
      return true;
    } catch (ControlException refused) {
      pending = model;
      // A client of the device, or a device on it, has been told what would no longer be true.
      // A client that has left may still be counted.
      String why = String.valueOf(refused.getMessage());
      if ((route == Route.RESUME && why.contains("it is in use"))
          || (route == Route.REMOVE && why.equals("Device or resource busy"))) {
        return false;
      }
      throw new AssertionError(route + " " + fields + " with " + model, refused);
    }
  }

  private boolean create() throws IOException {
    List<Integer> free = new ArrayList<>();
    for (int slot = 0; slot < SLOTS; slot++) {
      int wanted = slot;
      if (model.devices().values().stream().noneMatch(device -> device.slot() == wanted)) {
        free.add(slot);
      }
    }
    if (free.isEmpty()) {
      return false;
    }
    int slot = free.get(random.nextInt(free.size()));
    String name = freshName();
    String table = random.nextInt(5) == 0 ? "" : tableFor(slot);
    List<String> listens = random.nextBoolean() ? List.of() : List.of(someListen());
    Map<String, Object> fields = new HashMap<>(Map.of("name", name, "listen", listens));
    if (!table.isEmpty()) {
      fields.put("table", table);
    }
    return ask(Route.CREATE, fields, model.with(Device.made(name, slot, table, listens)));
  }

  private String freshName() {
    names++;
    return prefix + names;
  }

  private String someListen() {
    return "unix:" + sockets.get(random.nextInt(sockets.size()));
  }

  /** A table of any kind; below it are the slot's own files, or a live device of a lower slot. */
  private String tableFor(int slot) {
    int half = SECTORS / 2;
    return switch (random.nextInt(6)) {
      case 0 -> "0 %d zero".formatted(SECTORS);
      case 1 -> clone(slot);
      case 2 -> "0 %d snapshot %s %s P 8".formatted(SECTORS, file("origin"), file("store" + slot));
      case 3 ->
          slot == 0 ? "0 %d snapshot-origin %s".formatted(SECTORS, file("origin")) : clone(slot);
      case 4 -> {
        List<Device> below =
            model.bottomUp().stream().filter(each -> each.slot() < slot && each.isLive()).toList();
        yield below.isEmpty()
            ? clone(slot)
            : "0 %d linear oxbow:%s 0"
                .formatted(SECTORS, below.get(random.nextInt(below.size())).name());
      }
      default ->
          "0 %d linear %s 0\n%d %d linear %s 512"
              .formatted(half, file("a" + slot), half, half, file("b" + slot));
    };
  }

  private String clone(int slot) {
    return "0 %d clone %s %s %s 8"
        .formatted(SECTORS, file("meta" + slot), file("dest" + slot), file("source" + slot));
  }

  private boolean load(Device device) throws IOException {
    String table = tableFor(device.slot());
    return ask(
        Route.LOAD,
        Map.of("name", device.name(), "table", table),
        model.with(device.loaded(table)));
  }

  private boolean suspend(Device device) throws IOException {
    return device.isLive()
        && model.isAnswering(device.live())
        && ask(Route.SUSPEND, Map.of("name", device.name()), model.with(device.suspended()));
  }

  private boolean resume(Device device) throws IOException {
    return (device.isLive() || !device.inactive().isEmpty())
        && model.isAnswering(device.live())
        && model.isAnswering(device.inactive())
        && ask(Route.RESUME, Map.of("name", device.name()), model.with(device.resumed()));
  }

  private boolean rename(Device device) throws IOException {
    String newName = freshName();
    return ask(
        Route.RENAME,
        Map.of("name", device.name(), "newName", newName),
        model.renamed(device, newName));
  }

  private boolean export(Device device) throws IOException {
    String listen = someListen();
    return !device.listens().contains(listen)
        && ask(
            Route.EXPORT,
            Map.of("name", device.name(), "listen", listen),
            model.with(device.exported(listen, true)));
  }

  private boolean unexport(Device device) throws IOException {
    return !device.listens().isEmpty()
        && ask(
            Route.UNEXPORT,
            Map.of("name", device.name(), "listen", device.listens().getFirst()),
            model.with(device.exported(device.listens().getFirst(), false)));
  }

  private boolean remove(Device device) throws IOException {
    return !model.isBelowOthers(device)
        && model.isAnswering(device.live())
        && ask(Route.REMOVE, Map.of("name", device.name()), model.without(device));
  }

  private boolean message(Device device) throws IOException {
    String word = random.nextBoolean() ? "enable_hydration" : "disable_hydration";
    return device.live().contains(" clone ")
        && ask(Route.MESSAGE, Map.of("name", device.name(), "words", List.of(word)), model);
  }

  /** What must be refused, and change nothing. */
  private boolean refused(Device device) throws IOException {
    Map<String, ?> fields =
        Map.of("name", device.name(), "table", tableFor(device.slot()), "newName", device.name());
    Route route = random.nextBoolean() ? Route.CREATE : Route.RENAME;
    Map<String, Object> wanted = new HashMap<>(fields);
    wanted.remove(route == Route.CREATE ? "newName" : "table");
    try {
      daemon.ask(route, wanted);
      throw new AssertionError(device.name() + " exists twice");
    } catch (ControlException expected) {
      assertThat(expected).hasMessageContaining("exists already");
      return true;
    }
  }

  // What is on the devices.

  /** A client comes, writes a granule, flushes, and goes. */
  private boolean write(Device device) throws IOException {
    int granule = random.nextInt(GRANULES);
    boolean isServed =
        !device.listens().isEmpty() && !device.isSuspended() && model.isAnswering(device.live());
    Spot spot = isServed ? spot(device, granule) : null;
    if (spot == null) {
      return false;
    }
    int stamp = stamps++;
    written.computeIfPresent(spot, (_, before) -> union(before, stamp));
    try (RawClient client = client(device, device.listens().getFirst())) {
      assertThat(client.write((long) granule * GRANULE_BYTES, bytes(stamp))).isZero();
      assertThat(client.error(Nbd.CMD_FLUSH, 0, 0, 0)).isZero();
      client.request(Nbd.CMD_DISC, 0, 0, 0, 0);
      client.isHungUp();
    }
    written.put(spot, Set.of(stamp));
    return true;
  }

  private static Set<Integer> union(Set<Integer> stamps, int more) {
    Set<Integer> union = new TreeSet<>(stamps);
    union.add(more);
    return union;
  }

  private static byte[] bytes(int stamp) {
    ByteBuffer bytes = ByteBuffer.allocate(GRANULE_BYTES);
    while (bytes.hasRemaining()) {
      bytes.putInt(stamp);
    }
    return bytes.array();
  }

  private static RawClient client(Device device, String listen) throws IOException {
    Path socket = Path.of(listen.substring("unix:".length()));
    return RawClient.go(UnixDomainSocketAddress.of(socket), device.name());
  }

  /** Where a granule lies; null where nothing is kept. */
  private @Nullable Spot spot(Device device, int granule) {
    String table = device.live();
    if (table.contains("oxbow:")) {
      return spot(model.below(table).getFirst(), granule);
    }
    String kind = table.split("\\s", -1)[2];
    return switch (kind) {
      case "zero" -> null;
      case "snapshot-origin" -> new Spot(kind, granule);
      default -> new Spot(kind + device.slot(), granule);
    };
  }

  // After a kill.

  /** All that was answered is there, and what was under way is there or not. */
  void assertRestored() throws IOException, ControlException {
    List<String> told = told();
    DaemonModel answered = model.restored();
    DaemonModel heeded = pending.restored();
    assertThat(told).isIn(answered.told(), heeded.told());
    model = told.equals(answered.told()) && isRemembered(answered) ? answered : heeded;
    assertThat(model.told()).isEqualTo(told);
    pending = model;
    assertServed();
  }

  /**
   * Whether the state file says the same of devices that are not live. Their answers do not say why
   * that is so, nor which table is behind one that could not be restored.
   */
  private boolean isRemembered(DaemonModel restored) throws IOException {
    for (JsonNode each : daemon.remembered()) {
      Device device = restored.devices().get(each.path("name").asText());
      if (device != null && !device.isLive()) {
        boolean isLiveInFile =
            !each.path("suspended").asBoolean() && !each.path("table").asText("").isEmpty();
        boolean isSame =
            device.isBroken()
                ? isLiveInFile && each.path("inactive").asText("").strip().equals(device.behind())
                : !isLiveInFile;
        if (!isSame) {
          return false;
        }
      }
    }
    return true;
  }

  private List<String> told() throws IOException, ControlException {
    Map<Object, String> exports = new HashMap<>();
    List<Map<?, ?>> listed = new ArrayList<>(daemon.list(Route.EXPORTS, Map.of(), "exports"));
    listed.sort(Comparator.comparing(export -> String.valueOf(export.get("listen"))));
    for (Map<?, ?> export : listed) {
      String word = export.get("uri") == null ? " waits" : " served";
      exports.merge(
          export.get("device"), " " + export.get("listen") + word, (one, two) -> one + two);
    }
    List<String> told = new ArrayList<>();
    for (Map<?, ?> device : daemon.list(Route.LS, Map.of(), "devices")) {
      String name = String.valueOf(device.get("name"));
      if (name.startsWith(prefix)) {
        told.add(
            "%s %s live [%s] inactive [%s]%s"
                .formatted(
                    name,
                    device.get("state"),
                    daemon.table(name, false),
                    daemon.table(name, true),
                    exports.getOrDefault(name, "")));
      }
    }
    return told;
  }

  /** Each export answers, and has what was flushed. */
  private void assertServed() throws IOException {
    for (Device device : model.bottomUp()) {
      for (String listen : device.isLive() ? device.listens() : Set.<String>of()) {
        try (RawClient client = client(device, listen)) {
          assertHas(client, device);
        }
      }
    }
  }

  private void assertHas(RawClient client, Device device) throws IOException {
    for (int granule = 0; granule < GRANULES; granule++) {
      Spot spot = spot(device, granule);
      Set<Integer> possible = spot == null ? null : written.get(spot);
      if (possible != null || granule == 0) {
        client.request(Nbd.CMD_READ, 0, granule, (long) granule * GRANULE_BYTES, GRANULE_BYTES);
        RawClient.Answer answer = client.answer(GRANULE_BYTES);
        assertThat(answer.error()).as("%s", device).isZero();
        if (spot != null && possible != null) {
          int stamp = answer.payload().getInt(0);
          assertThat(possible).as("granule %d of %s", granule, device).contains(stamp);
          assertThat(answer.payload()).isEqualTo(ByteBuffer.wrap(bytes(stamp)));
          written.put(spot, Set.of(stamp));
        }
      }
    }
  }

  /** Resumes what could not be restored, since it lies on what was suspended. */
  void mend() throws IOException, ControlException {
    for (Device device : model.bottomUp()) {
      Device now = model.device(device.name());
      boolean isNeeded =
          model.devices().values().stream()
              .anyMatch(each -> each.isBroken() && DaemonModel.isNamedIn(each.inactive(), device));
      if ((now.isBroken() || (isNeeded && now.isSuspended()))
          && !now.inactive().isEmpty()
          && model.isAnswering(now.inactive())) {
        model = model.with(mended(now));
      }
    }
    pending = model;
    assertThat(told()).isEqualTo(model.told());
    assertServed();
  }

  /**
   * The daemon tries that too, now and then; if it comes first, the resume meets a live table, and
   * takes what was inactive behind it, or is refused because that cannot be live now.
   */
  private Device mended(Device device) throws IOException, ControlException {
    Device mended = device.resumed();
    try {
      daemon.ask(Route.RESUME, Map.of("name", device.name()));
    } catch (ControlException refused) {
      if (!device.isBroken() || daemon.table(device.name(), false).isEmpty()) {
        throw refused;
      }
      return mended;
    }
    boolean isBehindLive =
        !mended.inactive().isEmpty() && daemon.table(device.name(), true).isEmpty();
    return isBehindLive ? mended.resumed() : mended;
  }
}
