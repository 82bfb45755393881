package oxbow.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import oxbow.cli.NbdClient;
import oxbow.control.ControlException;
import oxbow.nbd.server.ExportLimits;

/** Aim: devices are found where they were asked to be served, by real clients, and nowhere else. */
class ExportsTest {
  private static final String ANY_PORT = "tcp:127.0.0.1:0";

  private Scene scene;
  private Path socket;
  private String listen;

  @BeforeEach
  void begin(@TempDir Path directory) throws Exception {
    scene = new Scene(directory);
    socket = directory.resolve("all.nbd");
    listen = "unix:" + socket;
    for (String name : List.of("a", "b")) {
      scene.create(name, "0 2048 linear mem:1MiB 0");
      scene.write(name, 0, new byte[] {(byte) name.charAt(0)});
    }
  }

  @AfterEach
  void end() throws Exception {
    scene.close();
    assertThat(socket).doesNotExist();
  }

  @Test
  void devicesAtOneAddressAreFoundByTheirNames() throws Exception {
    assertThat(scene.devices.export("a", Scene.at(listen)))
        .isEqualTo("nbd+unix:///a?socket=" + socket);
    scene.devices.export("b", Scene.at(listen));
    assertThat(first(uri("a"))).isEqualTo('a');
    assertThat(first(uri("b"))).isEqualTo('b');
    assertThatThrownBy(() -> first(uri("c"))).isInstanceOf(IOException.class);
    assertRefused("a is exported there already", "a", Scene.at(listen));
    assertRefused(
        "has an export b already",
        "a",
        new ExportOrder(listen, "b", false, false, ExportLimits.UNLIMITED));
  }

  @Test
  void oneDeviceIsFoundAtSeveralAddresses() throws Exception {
    String other = scene.socket("other.nbd");
    scene.devices.export("a", Scene.at(listen));
    String uri = Objects.requireNonNull(scene.devices.export("a", Scene.at(other)));
    try (NbdClient one = new NbdClient("ready " + uri("a"));
        NbdClient two = new NbdClient("ready " + uri)) {
      one.write(7, new byte[] {1});
      assertThat(two.read(7, 1)).containsExactly(1);
      assertThat(scene.exports.clients(scene.devices.find("a"))).isGreaterThanOrEqualTo(2);
    }
    scene.devices.unexport("a", other);
    assertThat(scene.directory.resolve("other.nbd")).doesNotExist();
    assertThat(first(uri("a"))).isEqualTo('a');
    scene.devices.unexport("a", null);
    assertThat(socket).doesNotExist();
    assertThatThrownBy(() -> scene.devices.unexport("a", listen))
        .hasMessage("a is not exported on " + listen);
  }

  @Test
  void theLastExportFreesTheAddress() throws Exception {
    scene.devices.export("a", Scene.at(listen));
    scene.devices.export("b", Scene.at(listen));
    scene.devices.unexport("a", listen);
    assertThat(first(uri("b"))).isEqualTo('b');
    assertThatThrownBy(() -> first(uri("a"))).isInstanceOf(IOException.class);
    scene.awaitUnused("b");
    scene.devices.remove("b", false);
    assertThat(socket).doesNotExist();
  }

  @Test
  void whoNamesNoExportGetsTheDefault() throws Exception {
    scene.devices.export("a", Scene.at(listen));
    scene.devices.export("b", new ExportOrder(listen, null, false, true, ExportLimits.UNLIMITED));
    assertThat(first(uri(""))).isEqualTo('b');
    scene.devices.rename("b", "c");
    assertThat(first(uri(""))).isEqualTo('b');
    scene.devices.unexport("c", listen);
    assertThatThrownBy(() -> first(uri(""))).isInstanceOf(IOException.class);
  }

  @Test
  void thePortThatWasChosenIsRemembered() throws Exception {
    String uri = Objects.requireNonNull(scene.devices.export("a", Scene.at(ANY_PORT)));
    assertThat(uri).startsWith("nbd://127.0.0.1:").doesNotContain(":0/");
    assertThat(first(uri)).isEqualTo('a');
    String actual = scene.state.load().getFirst().exports().getFirst().listen();
    assertThat(actual).isEqualTo("tcp:" + uri.substring("nbd://".length(), uri.lastIndexOf('/')));
    // Whoever asks for any port again gets another one.
    assertThat(scene.devices.export("b", Scene.at(ANY_PORT))).isNotEqualTo(uri);
    assertThat(scene.log()).contains("connected device=a listen=" + actual + " export=a");
    scene.devices.unexport("a", actual);
    assertThatThrownBy(() -> first(uri)).isInstanceOf(IOException.class);
  }

  @Test
  void howAnAddressIsWrittenMakesNoOther() throws Exception {
    String uri = Objects.requireNonNull(scene.devices.export("a", Scene.at(ANY_PORT)));
    String port = uri.substring(uri.lastIndexOf(':') + 1, uri.lastIndexOf('/'));
    String byName = "tcp:localhost:" + port;
    assertThat(first(Objects.requireNonNull(scene.devices.export("b", Scene.at(byName)))))
        .isEqualTo('b');
    assertRefused("a is exported there already", "a", Scene.at(byName));
    scene.devices.unexport("a", byName);
    assertThatThrownBy(() -> first(uri)).isInstanceOf(IOException.class);
  }

  @Test
  void anAddressInUseIsNamedAndNothingIsLeft() throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      String address = "tcp:127.0.0.1:" + taken.getLocalPort();
      assertRefused(
          "cannot listen on " + address + ": Address already in use", "a", Scene.at(address));
    }
    Files.writeString(socket, "not a socket");
    assertRefused("cannot listen on " + listen, "a", Scene.at(listen));
    assertThat(socket).hasContent("not a socket");
    Files.delete(socket);
    assertRefused("oxbow daemon --insecure allows", "a", Scene.at("tcp:0.0.0.0:0"));
    assertRefused("a.nbd: unix:PATH or tcp:HOST:PORT is expected", "a", Scene.at("a.nbd"));
    String lost = "unix:/absent/a.nbd";
    assertRefused(lost + ": /absent: No such file or directory", "a", Scene.at(lost));
    assertThat(scene.exports.list()).isEmpty();
    assertThat(scene.state.load()).allSatisfy(entry -> assertThat(entry.exports()).isEmpty());
    assertThat(first(Objects.requireNonNull(scene.devices.export("a", Scene.at(listen)))))
        .isEqualTo('a');
  }

  @Test
  void anExportThatIsImpossibleLeavesNoListener() {
    assertRefused(
        "longer than",
        "a",
        new ExportOrder(listen, "x".repeat(5000), false, false, ExportLimits.UNLIMITED));
    assertThat(socket).doesNotExist();
  }

  @Test
  void limitsHoldForAllClientsOfAnExport() throws Exception {
    scene.devices.export(
        "a", new ExportOrder(listen, null, false, false, ExportOrder.limits(1, 2, 8192)));
    try (NbdClient only = new NbdClient("ready " + uri("a"))) {
      assertThatThrownBy(() -> first(uri("a"))).isInstanceOf(IOException.class);
      only.write(0, new byte[65536]);
      assertThat(only.read(0, 65536)).hasSize(65536);
    }
    assertThat(ExportOrder.limits(0, 0, 0)).isEqualTo(ExportLimits.UNLIMITED);
    assertThat(ExportOrder.limits(1L << 40, 1L << 40, 5))
        .as("more than can ever be")
        .isEqualTo(new ExportLimits(Integer.MAX_VALUE, Integer.MAX_VALUE, 5));
    assertThat(scene.state.load().getFirst().exports().getFirst().toJson())
        .containsEntry("maxConnections", 1L)
        .containsEntry("maxRequests", 2L)
        .containsEntry("maxBytes", 8192L);
  }

  @Test
  void anExportForReadingTakesNoWrites() throws Exception {
    scene.devices.export("a", new ExportOrder(listen, null, true, false, ExportLimits.UNLIMITED));
    try (NbdClient client = new NbdClient("ready " + uri("a"))) {
      assertThat(client.read(0, 1)).containsExactly('a');
      assertThatThrownBy(() -> client.write(0, new byte[1])).isInstanceOf(IOException.class);
    }
    assertThat(scene.read("a", 0, 1)).containsExactly('a');
  }

  @Test
  void exportsFollowTheNameOfTheirDeviceAndClientsStay() throws Exception {
    scene.devices.export("a", Scene.at(listen));
    String given = scene.socket("given.nbd");
    scene.devices.export("a", new ExportOrder(given, "own", false, false, ExportLimits.UNLIMITED));
    try (NbdClient client = new NbdClient("ready " + uri("a"))) {
      scene.devices.rename("a", "c");
      client.write(0, new byte[] {'c'});
      assertThat(first(uri("c"))).isEqualTo('c');
      assertThatThrownBy(() -> first(uri("a"))).isInstanceOf(IOException.class);
      assertThat(first("nbd+unix:///own?socket=" + scene.directory.resolve("given.nbd")))
          .isEqualTo('c');
      assertThat(scene.devices.find("c").openCount()).isPositive();
    }
    scene.devices.export("b", Scene.at(listen));
    assertThatThrownBy(() -> scene.devices.rename("b", "c")).isInstanceOf(ControlException.class);
    assertThat(first(uri("b"))).isEqualTo('b');
  }

  @Test
  void anotherExportOfTheNewNameIsInTheWay() throws Exception {
    scene.devices.export("a", Scene.at(listen));
    scene.devices.export("b", new ExportOrder(listen, "c", false, false, ExportLimits.UNLIMITED));
    assertThatThrownBy(() -> scene.devices.rename("a", "c")).hasMessageContaining("export c");
    assertThat(scene.devices.find("a").name()).isEqualTo("a");
    assertThat(first(uri("a"))).isEqualTo('a');
  }

  @Test
  void anExportWaitsForTheFirstTable() throws Exception {
    scene.devices.create("late", null, false, List.of(Scene.at(listen)));
    assertThat(scene.devices.export("late", Scene.at(scene.socket("more.nbd")))).isNull();
    assertThat(socket).doesNotExist();
    assertThat(list("late")).extracting(each -> each.get("uri")).containsOnlyNulls();
    scene.devices.load("late", "0 2048 linear mem:1MiB 0");
    assertThat(socket).doesNotExist();
    scene.devices.resume("late", false);
    assertThat(first(uri("late"))).isEqualTo('\0');
    assertThat(list("late")).hasSize(2).extracting(each -> each.get("uri")).doesNotContainNull();
    scene.devices.suspend("late", false);
    scene.devices.resume("late", false);
    assertThat(list("late")).hasSize(2);
  }

  private List<Map<String, @Nullable Object>> list(String device) {
    return scene.exports.list().stream().filter(each -> device.equals(each.get("device"))).toList();
  }

  private void assertRefused(String why, String device, ExportOrder order) {
    assertThatThrownBy(() -> scene.devices.export(device, order))
        .isInstanceOf(ControlException.class)
        .hasMessageContaining(why);
  }

  private String uri(String export) {
    return "nbd+unix:///" + export + "?socket=" + socket;
  }

  private static char first(String uri) throws Exception {
    try (NbdClient client = new NbdClient("ready " + uri)) {
      return (char) client.read(0, 1)[0];
    }
  }
}
