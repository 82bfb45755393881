package oxbow.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import oxbow.control.Route;

/**
 * Aim: the daemon's verbs serve an administrator who types them, and whatever is refused is told in
 * one clear line. Method: real commands, from a directory that is not the daemon's, with paths from
 * there; other people's clients where data are concerned.
 */
class DaemonCommandIT {
  private static final String ZERO = "0 2048 zero";
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path directory;

  private Path work = Path.of("");
  private TestDaemon daemon = new TestDaemon(work);

  @BeforeEach
  void startDaemon() throws IOException {
    work = Files.createDirectory(directory.resolve("work"));
    Path control = Files.createDirectories(directory.resolve("run/oxbow"));
    Files.setPosixFilePermissions(control, PosixFilePermissions.fromString("rwx------"));
    daemon = new TestDaemon(control);
    daemon.start();
  }

  @AfterEach
  void stopDaemon() {
    daemon.close();
  }

  @Test
  void aCloneBecomesItsOwnImageUnderItsClients() throws IOException {
    file("base.img", 1 << 20);
    file("disk.img", 1 << 20);
    file("disk.meta", 4 << 20);
    qemuIo("file:" + work.resolve("base.img"), "write -P 0x11 0 1M");
    String served = "unix:vol.nbd";
    String clone = "0 2048 clone disk.meta disk.img base.img 8";
    assertThat(oxbow("create", "vol", "--table", clone, "--listen", served)).isEmpty();
    assertThat(oxbow("wait", "vol", 0)).isEmpty();
    String uri = "nbd+unix:///vol?socket=" + work.resolve("vol.nbd");
    assertThat(oxbow("ls")).isEqualTo("vol\t(%s)\n".formatted(uri));
    qemuIo(uri, "read -P 0x11 0 1M", "write -P 0x12 4k 8k", "flush");

    oxbow("suspend", "vol");
    oxbow("load", "vol", "--table", "0 2048 linear disk.img 0");
    assertThat(oxbow("info", "vol")).contains("SUSPENDED").contains("LIVE & INACTIVE");
    oxbow("resume", "vol");
    String whole = "0 2048 linear %s 0\n".formatted(work.resolve("disk.img"));
    assertThat(oxbow("table", "vol")).isEqualTo(whole);
    assertThat(oxbow("deps", "vol")).contains(work.resolve("disk.img").toString());
    qemuIo(uri, "read -P 0x11 0 4k", "read -P 0x12 4k 8k", "read -P 0x11 12k 1012k");

    oxbow("create", "boot", "--table", "0 8 linear oxbow:vol 8");
    assertThat(refused(1, "remove", "vol"))
        .isEqualTo("oxbow: remove vol: Device or resource busy\n");
    oxbow("rename", "vol", "disk");
    assertThat(oxbow("table", "boot")).isEqualTo("0 8 linear oxbow:disk 8\n");
    String renamed = oxbow("exports");
    assertThat(renamed).startsWith("disk: " + uri.replace("///vol", "///disk"));
    oxbow("remove", "boot");
    oxbow("unexport", "disk", "--listen", served);
    assertThat(oxbow("exports")).doesNotContain("disk");
    assertThat(oxbow("events"))
        .contains("vol created", "vol event eventNumber=1", "disk renamed oldName=vol")
        .contains("disk unexported");

    daemon.server().kill();
    daemon.start();
    assertThat(oxbow("table", "disk")).isEqualTo(whole);
    oxbow("remove", "disk");
    assertThat(oxbow("ls")).isEqualTo("No devices found\n");
  }

  @Test
  void everyRefusalIsOneClearLine() throws IOException {
    file("a.img", 1 << 20);
    Path image = work.resolve("a.img");
    oxbow("create", "a", "--table", "0 2048 linear a.img 0");
    assertSaid("create a: A device a exists already", "create", "a", "--table", ZERO);
    assertSaid(
        "create ../b: Invalid name ../b: letters, digits and ._-+:@ are expected, at most 60",
        "create",
        "../b",
        "--table",
        ZERO);
    assertRefusedTable("0 8 nonsense", "nonsense: unknown target type");
    assertRefusedTable("8 8 zero", "zero: Gap in table");
    assertRefusedTable("0 8", "Invalid format on line 1 of table");
    assertRefusedTable("", "The table has no targets");
    assertRefusedTable("0 2048 linear a.img", "linear: Invalid argument count");
    assertRefusedTable(
        "0 2048 linear b.img 0",
        "linear: Device lookup failed: " + work.resolve("b.img") + ": No such file or directory");
    assertRefusedTable(
        "0 4096 linear a.img 0",
        "linear: " + image + " too small for target: start=0, len=4096, dev_size=2048");
    assertRefusedTable(
        "0 8 linear oxbow:c 0", "linear: Device lookup failed: oxbow:c: No such file or directory");
    assertSaid("load a: The table has no targets", "load", "a");
    assertSaid("load: none.txt: No such file or directory", "load", "a", "none.txt");
    assertSaid(
        "export a: cannot listen on tcp:0.0.0.0:0: 0.0.0.0: other machines could connect without"
            + " being asked who they are; oxbow daemon --insecure allows that",
        "export",
        "a",
        "--listen",
        "tcp:0.0.0.0:0");
    assertSaid(
        "unexport a: a is not exported on unix:" + work.resolve("a.nbd"),
        "unexport",
        "a",
        "--listen",
        "unix:a.nbd");
    for (String verb : List.of("remove", "suspend", "resume", "clear", "info", "table", "deps")) {
      assertSaid(verb + " c: Device not found", verb, "c");
    }
    assertThat(refused(2, "suspend")).contains("Missing required parameter: 'NAME'");
    assertThat(refused(2, "wait", "a", "-1")).contains("Invalid event number: -1");
    assertThat(refused(2, "export", "a", "--max-connections", -1)).contains("from 1 on");
    assertThat(refused(2, "create", "b", "--nonsense")).contains("--nonsense");
    assertThat(oxbow("table", "a")).isEqualTo("0 2048 linear %s 0\n".formatted(image));
    daemon.server().stop();
    assertThat(refused(1, "create", "b", "--table", ZERO))
        .startsWith("oxbow: create b: No daemon is running\n");
  }

  private void assertRefusedTable(String table, String why) {
    assertSaid("create b: " + why, "create", "b", "--table", table);
  }

  private void assertSaid(String expected, Object... words) {
    assertThat(refused(1, words).lines().findFirst()).hasValue("oxbow: " + expected);
  }

  @Test
  void everyVerbSpeaksJson() throws IOException {
    assertThat(json("create", "a", "--table", ZERO).get("name").asText()).isEqualTo("a");
    json("export", "a", "--listen", "unix:a.nbd");
    assertThat(json("exports").toString()).contains("a.nbd");
    assertThat(json("ls").get("tables").asText()).isEqualTo("LIVE");
    for (String verb : List.of("info", "table", "status", "deps", "suspend")) {
      assertThat(json(verb, "a").get("name").asText()).isEqualTo("a");
    }
    json("load", "a", "--table", ZERO);
    json("clear", "a");
    json("resume", "a");
    json("rename", "a", "b");
    json("targets");
    json("version");
    assertThat(json("events").get("event").asText()).isEqualTo("created");
    json("unexport", "b", "--listen", "unix:a.nbd");
    json("remove", "b");
  }

  /** The first line; all lines are objects. */
  private JsonNode json(Object... words) throws IOException {
    String out = oxbow(with(words, "--json"));
    List<JsonNode> objects = new ArrayList<>();
    for (String line : out.lines().toList()) {
      objects.add(JSON.readTree(line));
    }
    assertThat(objects).as(Arrays.toString(words)).isNotEmpty().allMatch(JsonNode::isObject);
    return objects.getFirst();
  }

  private static Object[] with(Object[] words, Object more) {
    Object[] all = Arrays.copyOf(words, words.length + 1);
    all[words.length] = more;
    return all;
  }

  @Test
  void whoFollowsEventsSeesWhatHappens() throws Exception {
    oxbow("create", "a", "--table", ZERO);
    CountDownLatch isSeen = new CountDownLatch(1);
    AtomicReference<@Nullable Exception> failure = new AtomicReference<>();
    Thread changes = Thread.ofVirtual().start(() -> change("a", isSeen, failure));
    try (Server follower =
        Server.launchOxbow(directory, "events", "--follow", "--control", daemon.control())) {
      // It sees what comes once it is connected, and all of that.
      String first = follower.awaitLine();
      String second = follower.awaitLine();
      isSeen.countDown();
      changes.join();
      assertThat(failure.get()).isNull();
      assertThat(first).matches("\\d+ a (suspended|resumed)");
      assertThat(id(second)).isEqualTo(id(first) + 1);
      assertThat(daemon.server().stop()).isZero();
      follower.awaitEnd();
      assertThat(follower.standardError().lines().toList()).hasSizeLessThanOrEqualTo(2);
    }
  }

  private static long id(String event) {
    return Long.parseLong(event.substring(0, event.indexOf(' ')));
  }

  private void change(
      String name, CountDownLatch until, AtomicReference<@Nullable Exception> failure) {
    try {
      while (!until.await(50, TimeUnit.MILLISECONDS)) {
        daemon.ask(Route.SUSPEND, Map.of("name", name));
        daemon.ask(Route.RESUME, Map.of("name", name));
      }
    } catch (Exception failed) {
      failure.set(failed);
    }
  }

  @Test
  void devicesOfTheForegroundAndOfTheDaemonAreListedTogether() throws IOException {
    file("source", 1 << 20);
    file("destination", 1 << 20);
    Path control = directory.resolve("run/oxbow/front.sock");
    oxbow("create", "back", "--table", ZERO);
    try (Server front =
        Server.oxbow(
            directory,
            "clone",
            work.resolve("source"),
            work.resolve("destination"),
            "--name",
            "front",
            "--control",
            control,
            "--listen",
            "unix:" + work.resolve("front.nbd"))) {
      assertThat(oxbow("ls")).contains("back\t(oxbow:back)\n", "front\t(" + front.uri() + ")\n");
      assertThat(oxbow("status")).contains("back: 0 2048 zero", "front: 0 2048 clone");
      assertThat(oxbow("info", "front")).contains("front");
      assertThat(oxbow("info", "back")).contains("back");
      assertThat(refused(1, "suspend", "front")).startsWith("oxbow: suspend front: ");
      assertThat(front.stop()).as(front.standardError()).isZero();
    }
    assertThat(oxbow("ls")).isEqualTo("back\t(oxbow:back)\n");
  }

  // What the tests are made of.

  private void file(String name, long bytes) throws IOException {
    try (RandomAccessFile file = new RandomAccessFile(work.resolve(name).toFile(), "rw")) {
      file.setLength(bytes);
    }
  }

  private Proc.Result run(Object... words) {
    return Proc.of(Tool.own("oxbow"), words)
        .in(work)
        .with("XDG_RUNTIME_DIR", directory.resolve("run").toString())
        .run();
  }

  /** What a command says that succeeds, and complains about nothing. */
  private String oxbow(Object... words) {
    Proc.Result result = run(words).ok();
    assertThat(result.err()).as("%s", result).isEmpty();
    return result.out();
  }

  /** What a command says that is refused: a line, and perhaps one of advice. */
  private String refused(int status, Object... words) {
    Proc.Result result = run(words).status(status);
    assertThat(result.out()).as("%s", result).isEmpty();
    List<String> lines = result.err().lines().toList();
    assertThat(lines).as("%s", result).hasSizeBetween(1, 2);
    assertThat(lines.getFirst()).startsWith("oxbow: ");
    assertThat(lines.subList(1, lines.size())).allMatch(advice -> advice.startsWith("  "));
    return result.err();
  }

  private static void qemuIo(String image, String... commands) {
    QemuIo.run(image, commands);
  }
}
