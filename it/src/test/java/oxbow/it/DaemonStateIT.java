package oxbow.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.UnixDomainSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import oxbow.block.Sectors;
import oxbow.control.ControlException;
import oxbow.control.Route;
import oxbow.nbd.server.RawClient;
import oxbow.nbd.wire.Nbd;

/**
 * Aim: what a daemon meets outside of itself never costs what it remembers, and is told in one
 * clear line: a damaged or foreign state file, a full disk, another process at its state, socket or
 * files, a source that is away, signals, another user. Method: the real process, and each of these.
 */
class DaemonStateIT {
  private static final long SECTORS = 2048;
  private static final String ZERO = "0 " + SECTORS + " zero";

  @TempDir Path home;

  private TestDaemon daemon = new TestDaemon(Path.of(""));

  @BeforeEach
  void prepare() {
    daemon = new TestDaemon(home);
  }

  @AfterEach
  void stop() {
    daemon.close();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "[]",
        "{\"version\":1,\"devi",
        "{\"version\":2,\"devices\":[]}",
        "{\"version\":1}",
        "{\"version\":1,\"devices\":[3]}",
        "{\"version\":1,\"devices\":[{\"name\":\"..\",\"readOnly\":false,\"suspended\":false,"
            + "\"table\":null,\"inactive\":null,\"exports\":[]}]}",
        "{\"version\":1,\"devices\":[{\"name\":\"a\",\"readOnly\":false,\"suspended\":false,"
            + "\"table\":\"0 8\",\"inactive\":null,\"exports\":[]}]}",
        "\u00ff\u00fe"
      })
  void aStateFileThatIsNotUnderstoodIsNotTouched(String text) throws IOException {
    Path file = Files.createDirectories(daemon.state()).resolve("devices.json");
    byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
    Files.write(file, bytes);
    assertRefused(daemon.state() + "/devices.json: ", "Nothing was changed.");
    assertThat(file).hasBinaryContent(bytes);
    assertThat(daemon.control()).doesNotExist();
  }

  @Test
  void aStateDirectoryThatCannotBeIsRefused() throws IOException {
    Files.writeString(daemon.state(), "a file");
    assertRefused(daemon.state() + ": File exists", "--state chooses another directory.");
    assertThat(daemon.state()).hasContent("a file");
  }

  @Test
  void onAFullDiskAChangeIsToldAndTheOldStateStays() throws Exception {
    Files.createDirectory(daemon.state());
    Proc.of(
            Tool.require("mount", "mount"),
            "-t",
            "tmpfs",
            "-o",
            "size=16k,mode=700",
            "none",
            daemon.state())
        .run()
        .ok();
    try {
      daemon.start();
      create("a", ZERO);
      Path file = daemon.state().resolve("devices.json");
      byte[] before = Files.readAllBytes(file);
      Path ballast = daemon.state().resolve("ballast");
      fill(ballast);
      assertThat(refusal(Route.CREATE, Map.of("name", "b", "table", ZERO)))
          .isEqualTo("cannot be remembered: No space left on device");
      assertThat(refusal(Route.RENAME, Map.of("name", "a", "newName", "c")))
          .isEqualTo("it was done, but cannot be remembered: No space left on device");
      assertThat(file).hasBinaryContent(before);
      assertThat(names()).containsExactly("c");
      Files.delete(ballast);
      create("d", ZERO);
      daemon.server().kill();
      daemon.start();
      assertThat(names()).containsExactly("c", "d");
    } finally {
      daemon.close();
      Proc.of(Tool.require("umount", "mount"), daemon.state()).run().ok();
    }
  }

  private static void fill(Path file) throws IOException {
    try (RandomAccessFile ballast = new RandomAccessFile(file.toFile(), "rw")) {
      ballast.write(new byte[1 << 20]);
    } catch (IOException full) {
      assertThat(full).hasMessageContaining("No space left on device");
    }
  }

  @Test
  void twoDaemonsShareNeitherStateNorSocket() throws Exception {
    daemon.start();
    create("a", ZERO);
    assertThat(tried("daemon", "--state", daemon.state(), "--control", home.resolve("2.sock")))
        .isEqualTo(
            "oxbow: daemon: state: %s is in use by another daemon\n".formatted(daemon.state())
                + "  --state chooses another directory.\n");
    assertThat(tried("daemon", "--state", home.resolve("2"), "--control", daemon.control()))
        .isEqualTo(
            "oxbow: daemon: control socket: %s is in use\n".formatted(daemon.control())
                + "  --control chooses another one.\n");
    assertThat(names()).containsExactly("a");
  }

  @Test
  void whatTheDaemonHasNoCommandGets() throws Exception {
    Path source = file("source", SECTORS);
    Path destination = file("destination", SECTORS);
    Path origin = file("origin", SECTORS);
    daemon.start();
    create("clone", cloneTable(file("meta", 8192), destination, source));
    create("snap", snapshotTable(origin, file("store", 8192)));
    create("origin", "0 %d snapshot-origin %s".formatted(SECTORS, origin));
    assertThat(tried("clone", source, destination, "--metadata", home.resolve("meta")))
        .startsWith("oxbow: clone: Error opening destination device: " + destination)
        .contains("in use by another process");
    Path other = file("other", SECTORS);
    assertThat(tried("clone", source, other, "--metadata", home.resolve("meta")))
        .contains(home.resolve("meta") + ": in use by another process");
    assertThat(tried("snapshot", other, home.resolve("store")))
        .contains(home.resolve("store") + ": in use by another process");
    assertThat(tried("snapshot", origin, file("store2", 8192)))
        .contains(origin + ": in use by another process");
  }

  @Test
  void whatACommandHasTheDaemonDoesNotGet() throws Exception {
    Path source = file("source", SECTORS);
    Path destination = file("destination", SECTORS);
    Path meta = file("meta", 8192);
    Path origin = file("origin", SECTORS);
    Path store = home.resolve("store");
    daemon.start();
    try (Server clone = command("k", "clone", source, destination, "--metadata", meta);
        Server snapshot = command("s", "snapshot", origin, store, "--create", 8 << 20)) {
      assertThat(clone.uri()).isNotEqualTo(snapshot.uri());
      assertInUse(meta, cloneTable(meta, file("other", SECTORS), source));
      assertInUse(destination, cloneTable(file("meta2", 8192), destination, source));
      assertInUse(store, snapshotTable(file("other2", SECTORS), store));
      assertInUse(origin, "0 %d linear %s 0".formatted(SECTORS, origin));
      assertThat(names()).isEmpty();
    }
    create("clone", cloneTable(meta, destination, source));
    create("snap", snapshotTable(origin, store));
  }

  private void assertInUse(Path file, String table) throws IOException {
    assertThat(refusal(Route.CREATE, Map.of("name", "x", "table", table)))
        .endsWith(file + ": in use by another process");
  }

  private Server command(String name, Object... words) {
    List<Object> all = new ArrayList<>(List.of(words));
    all.addAll(List.of("--name", name, "--listen", "unix:" + home.resolve(name + ".nbd")));
    all.addAll(List.of("--control", home.resolve(name + ".sock")));
    return Server.oxbow(home, all.toArray());
  }

  @Test
  void aDeviceWhoseSourceIsAwayIsToldOfTriedAgainAndServed() throws Exception {
    Path image = file("image", SECTORS);
    Path remote = home.resolve("remote.nbd");
    Path served = home.resolve("served.nbd");
    try (Server source = Server.nbdkit(remote, "file", image)) {
      daemon.start();
      create("far", "0 %d linear %s 0".formatted(SECTORS, source.uri()));
      ask(Route.EXPORT, Map.of("name", "far", "listen", "unix:" + served));
      daemon.server().kill();
    }
    Server again = daemon.launch("--json");
    awaitLine(again, "http+unix:");
    assertThat(again.standardError())
        .contains("oxbow: daemon: far: not restored: linear: Device lookup failed");
    assertThat(info("far")).containsEntry("tables", "INACTIVE");
    Files.deleteIfExists(remote);
    Files.delete(home.resolve("remote.nbd.pid"));
    try (Server source = Server.nbdkit(remote, "file", image)) {
      awaitLine(again, "\"restored\"");
      try (RawClient client = RawClient.go(UnixDomainSocketAddress.of(served), "far")) {
        assertThat(client.read(0, 512).remaining()).isEqualTo(512);
      }
      assertThat(info("far")).containsEntry("tables", "LIVE").containsEntry("state", "ACTIVE");
      daemon.close(); // While the source is there to be flushed.
      assertThat(source.uri()).isNotEmpty();
    }
  }

  private static void awaitLine(Server server, String part) {
    while (!server.awaitLine().contains(part)) {
      // Something else has happened.
    }
  }

  @Test
  void aSignalEndsTheDaemonInOrderWhileClientsAreConnected() throws Exception {
    Path socket = home.resolve("served.nbd");
    Path image = file("image", SECTORS);
    daemon.start();
    create("a", "0 %d linear %s 0".formatted(SECTORS, image));
    ask(Route.EXPORT, Map.of("name", "a", "listen", "unix:" + socket));
    try (RawClient client = RawClient.go(UnixDomainSocketAddress.of(socket), "a")) {
      assertThat(client.write(0, new byte[] {7})).isZero();
      assertThat(daemon.server().stop()).as(daemon.server().standardError()).isZero();
      assertThat(client.isHungUp()).isTrue();
    }
    assertThat(Files.readAllBytes(image)[0]).isEqualTo((byte) 7);
    assertThat(socket).doesNotExist();
    assertThat(daemon.control()).doesNotExist();
    assertThat(daemon.server().standardError()).doesNotContain("oxbow: ");
    daemon.start();
    assertThat(info("a")).containsEntry("state", "ACTIVE");
  }

  /** Requests to a suspended device are held, and so is the end, until the second signal. */
  @Test
  void aSecondSignalEndsItAtOnce() throws Exception {
    Path socket = home.resolve("served.nbd");
    Server server = daemon.launch("--json");
    awaitLine(server, "http+unix:");
    create("a", ZERO);
    ask(Route.EXPORT, Map.of("name", "a", "listen", "unix:" + socket));
    try (RawClient client = RawClient.go(UnixDomainSocketAddress.of(socket), "a")) {
      ask(Route.SUSPEND, Map.of("name", "a"));
      client.request(Nbd.CMD_READ, 0, 1, 0, 512);
      assertThat(server.handle().destroy()).isTrue();
      awaitGone(daemon.control());
      assertThat(server.handle().isAlive()).isTrue();
      long begun = System.nanoTime();
      assertThat(server.stop()).isEqualTo(128 + 15);
      assertThat(System.nanoTime() - begun).isLessThan(TimeUnit.SECONDS.toNanos(10));
    }
    daemon.start();
    assertThat(info("a")).containsEntry("state", "SUSPENDED");
  }

  /** Waits until a file of the daemon's home is gone. */
  private void awaitGone(Path file) throws Exception {
    try (WatchService watch = home.getFileSystem().newWatchService()) {
      home.register(watch, StandardWatchEventKinds.ENTRY_DELETE);
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
      while (Files.exists(file)) {
        assertThat(System.nanoTime()).as("%s is still there", file).isLessThan(deadline);
        WatchKey key = watch.poll(1, TimeUnit.SECONDS);
        if (key != null) {
          key.pollEvents();
          key.reset();
        }
      }
    }
  }

  @Test
  void nobodyElseIsAnswered() throws Exception {
    Files.setPosixFilePermissions(home, PosixFilePermissions.fromString("rwxr-xr-x"));
    daemon.start();
    assertThat(mode(daemon.control())).isEqualTo("rw-------");
    assertThat(mode(daemon.state())).isEqualTo("rwx------");
    Path curl = Tool.require("curl", "curl");
    Object[] question = {"-sS", "--unix-socket", daemon.control(), "http://oxbow/v1/devices"};
    assertThat(Proc.of(curl, question).run().ok().out())
        .isEqualToIgnoringWhitespace("{\"devices\":[]}");
    assertThat(asNobody(curl, question).err()).contains("curl: (7)");
    // The mode is one lock, the process itself another.
    Files.setPosixFilePermissions(daemon.control(), PosixFilePermissions.fromString("rw-rw-rw-"));
    Proc.Result refused = asNobody(curl, question);
    assertThat(refused.status()).isNotZero();
    assertThat(refused.out()).isEmpty();
    assertThat(Proc.of(curl, question).run().ok().out())
        .isEqualToIgnoringWhitespace("{\"devices\":[]}");
  }

  private static Proc.Result asNobody(Path program, Object... words) {
    List<Object> all = new ArrayList<>(List.of("-u", "nobody", "--", program));
    all.addAll(List.of(words));
    return Proc.of(Tool.require("runuser", "util-linux"), all.toArray()).run();
  }

  private static String mode(Path path) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
  }

  // What the tests are made of.

  private Path file(String name, long sectors) throws IOException {
    Path path = home.resolve(name);
    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
      file.setLength(Sectors.toBytes(sectors));
    }
    return path;
  }

  private static String cloneTable(Path meta, Path destination, Path source) {
    return "0 %d clone %s %s %s 8".formatted(SECTORS, meta, destination, source);
  }

  private static String snapshotTable(Path origin, Path store) {
    return "0 %d snapshot %s %s P 8".formatted(SECTORS, origin, store);
  }

  private void create(String name, String table) throws Exception {
    ask(Route.CREATE, Map.of("name", name, "table", table));
  }

  private Map<String, @Nullable Object> info(String name) throws Exception {
    return ask(Route.INFO, Map.of("name", name));
  }

  private Map<String, @Nullable Object> ask(Route route, Map<String, ?> fields) throws Exception {
    return daemon.ask(route, fields);
  }

  private List<Object> names() throws Exception {
    List<Object> names = new ArrayList<>();
    daemon.list(Route.LS, Map.of(), "devices").forEach(device -> names.add(device.get("name")));
    return names;
  }

  private String refusal(Route route, Map<String, ?> fields) throws IOException {
    try {
      return "not refused: " + daemon.ask(route, fields);
    } catch (ControlException refused) {
      return String.valueOf(refused.getMessage());
    }
  }

  /** What a command that must fail says: one line, and one of advice. */
  private static String tried(Object... words) {
    Proc.Result result = Proc.of(Tool.own("oxbow"), words).run().status(1);
    assertThat(result.out()).isEmpty();
    assertThat(result.err().lines().toList()).hasSizeBetween(1, 2);
    assertThat(result.err()).startsWith("oxbow: ");
    return result.err();
  }

  private void assertRefused(String why, String advice) {
    String said = tried("daemon", "--state", daemon.state(), "--control", daemon.control());
    assertThat(said).startsWith("oxbow: daemon: state: " + why).contains("\n  " + advice);
  }
}
