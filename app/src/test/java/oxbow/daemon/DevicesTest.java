package oxbow.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import oxbow.block.DeviceException;
import oxbow.cli.NbdClient;
import oxbow.control.ControlException;
import oxbow.nbd.server.ExportLimits;

/** Aim: dmsetup's verbs do what they do there, and a device has no more open than its tables. */
class DevicesTest {
  private static final int MIB = 1 << 20;
  private static final String BUSY = "Device or resource busy";

  private Scene scene;
  private Path file;

  @BeforeEach
  void begin(@TempDir Path directory) throws Exception {
    scene = new Scene(directory);
    file = scene.file("disk.img", MIB);
  }

  @AfterEach
  void end() throws Exception {
    scene.close();
  }

  @Test
  void aDeviceLivesFromCreateToRemove() throws Exception {
    scene.devices.create("d", null, false, List.of());
    assertTables("d", "None");
    assertThat(scene.devices.find("d").isSuspended()).isTrue();
    assertThatThrownBy(() -> scene.devices.resume("d", false))
        .hasMessage("No table has been loaded");
    scene.devices.load("d", linear(file, 2048));
    assertTables("d", "INACTIVE");
    assertThat(Scene.isFree(file)).isFalse();
    scene.devices.resume("d", false);
    assertTables("d", "LIVE");
    assertThat(scene.table("d")).isEqualTo(linear(file, 2048));
    scene.write("d", 4096, new byte[] {1, 2, 3, 4});
    scene.devices.load("d", "0 1024 linear " + file + " 8\n1024 1024 zero");
    assertTables("d", "LIVE & INACTIVE");
    assertThat(scene.inactive("d")).isEqualTo("0 1024 linear " + file + " 8\n1024 1024 zero");
    scene.devices.clear("d");
    assertTables("d", "LIVE");
    scene.devices.load("d", "0 1024 linear " + file + " 8\n1024 1024 zero");
    scene.devices.suspend("d", false);
    assertThat(scene.devices.find("d").isSuspended()).isTrue();
    scene.devices.resume("d", false);
    assertThat(scene.read("d", 0, 4)).containsExactly(1, 2, 3, 4);
    scene.devices.rename("d", "e");
    assertThat(scene.devices.find("e").name()).isEqualTo("e");
    assertThatThrownBy(() -> scene.devices.find("d")).hasMessage("Device not found");
    scene.devices.remove("e", false);
    assertNothingIsLeft();
  }

  @Test
  void whatHappensToADeviceIsRememberedAtOnce() throws Exception {
    scene.devices.create("d", linear(file, 2048), true, List.of());
    scene.devices.load("d", "0 8 zero");
    scene.devices.rename("d", "e");
    assertThat(scene.state.load())
        .singleElement()
        .satisfies(
            entry -> {
              assertThat(entry.name()).isEqualTo("e");
              assertThat(entry.isReadOnly()).isTrue();
              assertThat(entry.isSuspended()).isFalse();
              assertThat(entry.table()).hasToString(linear(file, 2048));
              assertThat(entry.inactive()).hasToString("0 8 zero ");
            });
    scene.devices.suspend("e", false);
    assertThat(scene.state.load().getFirst().isSuspended()).isTrue();
    scene.devices.remove("e", false);
    assertThat(scene.state.load()).isEmpty();
  }

  @Test
  void aNewNameIsRememberedInAllTablesAtOnce() throws Exception {
    scene.create("below0", "0 8 zero");
    scene.create("above", "0 8 linear oxbow:below0 0");
    AtomicBoolean hasEnded = new AtomicBoolean();
    List<Callable<Void>> work = new ArrayList<>();
    for (String other : List.of("x", "y", "z")) {
      scene.create(other, "0 8 zero");
      work.add(
          () -> {
            while (!hasEnded.get()) {
              scene.devices.load(other, "0 8 zero");
              assertAllTablesNameDevices(scene.state.load());
              scene.devices.clear(other);
            }
            return null;
          });
    }
    work.add(
        () -> {
          try {
            for (int i = 0; i < 200; i++) {
              scene.devices.rename("below" + i, "below" + (i + 1));
            }
          } finally {
            hasEnded.set(true);
          }
          return null;
        });
    try (ExecutorService threads = Executors.newFixedThreadPool(work.size())) {
      for (Future<Void> each : threads.invokeAll(work)) {
        each.get();
      }
    }
  }

  private static void assertAllTablesNameDevices(List<StateFile.Entry> entries) {
    assertThat(entries)
        .extracting(StateFile.Entry::name)
        .containsAll(
            entries.stream()
                .map(StateFile.Entry::table)
                .filter(Objects::nonNull)
                .flatMap(table -> KeptTable.names(table).stream())
                .toList());
  }

  @Test
  void aTableThatWasRefusedKeepsNamingItsDevicesByTheNamesTheyHave() throws Exception {
    scene.create("first", linear(file, 2048));
    scene.create("d", "0 2048 linear mem:1MiB 0");
    scene.create("user", "0 8 linear oxbow:d 0");
    scene.devices.load("d", "0 8 linear oxbow:first 0");
    scene.devices.rename("first", "below");
    assertConflict("it is in use", () -> scene.devices.resume("d", false));
    scene.devices.rename("below", "low");
    assertThat(scene.inactive("d")).isEqualTo("0 8 linear oxbow:low 0");
    assertThat(scene.state.load())
        .filteredOn(entry -> entry.name().equals("d"))
        .extracting(entry -> String.valueOf(entry.inactive()))
        .containsExactly("0 8 linear oxbow:low 0");
    scene.devices.remove("user", false);
    scene.devices.resume("d", false);
    assertThat(scene.table("d")).isEqualTo("0 8 linear oxbow:low 0");
  }

  @Test
  void aTableThatIsRefusedLeavesNothing() throws Exception {
    assertRefused("Gap in table", () -> scene.create("d", "8 8 zero"));
    assertRefused("unknown target type", () -> scene.create("d", "0 8 nonsense"));
    assertRefused(
        "Device lookup failed",
        () -> scene.create("d", linear(file, 1024) + "\n1024 8 linear /absent.img 0"));
    assertRefused(
        "not a whole path", () -> scene.create("d", linear(file, 8) + "\n8 8 linear d.img 0"));
    assertRefused(
        "Device lookup failed",
        () -> scene.create("d", linear(file, 8) + "\n8 8 linear oxbow:x 0"));
    assertNothingIsLeft();
    scene.create("d", "0 8 zero");
    assertRefused(
        "unknown target", () -> scene.devices.load("d", linear(file, 8) + "\n8 8 nonsense"));
    assertTables("d", "LIVE");
    assertThat(Scene.isFree(file)).isTrue();
  }

  @Test
  void aDeviceThatCannotBeServedIsNotMade() throws Exception {
    assertRefused(
        "cannot listen on",
        () ->
            scene.devices.create(
                "d",
                linear(file, 8),
                false,
                List.of(Scene.at(scene.socket("d.nbd")), Scene.at("unix:/absent/d.nbd"))));
    assertNothingIsLeft();
    assertThat(scene.directory.resolve("d.nbd")).doesNotExist();
  }

  @Test
  void namesAreCheckedAndUnique() throws Exception {
    scene.create("d", "0 8 zero");
    scene.create("e", "0 8 zero");
    assertConflict("A device d exists already", () -> scene.create("d", "0 8 zero"));
    assertConflict("A device d exists already", () -> scene.devices.rename("e", "d"));
    assertRefused("Invalid name a/b", () -> scene.create("a/b", "0 8 zero"));
    assertRefused("Invalid name", () -> scene.devices.rename("e", ""));
    assertThat(scene.devices.all()).extracting(ManagedDevice::name).containsExactly("d", "e");
  }

  @Test
  void aDeviceThatOthersLieOnIsInUse() throws Exception {
    scene.create("below", linear(file, 2048));
    scene.create("above", "0 1024 linear oxbow:below 1024");
    assertThat(scene.devices.find("below").openCount()).isEqualTo(1);
    assertConflict(BUSY, () -> scene.devices.remove("below", false));
    scene.write("above", 0, new byte[] {7});
    assertThat(scene.read("below", MIB / 2, 1)).containsExactly(7);
    scene.devices.rename("below", "low");
    assertThat(scene.table("above")).isEqualTo("0 1024 linear oxbow:low 1024");
    assertThat(scene.devices.find("above").dependencies()).containsExactly("oxbow:low");
    scene.devices.remove("above", false);
    scene.devices.remove("low", false);
    assertNothingIsLeft();
  }

  @Test
  void aDeviceThatAClientHasIsInUse() throws Exception {
    scene.create("d", "0 2048 linear mem:1MiB 0");
    String uri = scene.devices.export("d", Scene.at(scene.socket("d.nbd")));
    try (NbdClient client = new NbdClient("ready " + uri)) {
      assertConflict(BUSY, () -> scene.devices.remove("d", false));
      client.write(0, new byte[] {5});
      assertThat(client.read(0, 1)).containsExactly(5);
    }
  }

  @Test
  void cyclesAreRefused() throws Exception {
    scene.create("a", "0 8 zero");
    scene.create("b", "0 8 linear oxbow:a 0");
    scene.create("c", "0 8 linear oxbow:b 0");
    assertRefused("lies on a itself", () -> scene.devices.load("a", "0 8 linear oxbow:a 0"));
    assertRefused("lies on a itself", () -> scene.devices.load("a", "0 8 linear oxbow:c 0"));
    // What only waits for a resume counts too.
    scene.create("d", "0 8 zero");
    scene.devices.load("d", "0 8 linear oxbow:c 0");
    assertRefused("lies on a itself", () -> scene.devices.load("a", "0 8 linear oxbow:d 0"));
    scene.devices.clear("d");
    scene.devices.load("a", "0 8 linear oxbow:d 0");
    assertRefused("lies on d itself", () -> scene.devices.load("d", "0 8 linear oxbow:c 0"));
  }

  @Test
  void aCycleOverATableThatIsNotLoadedYetIsFoundAtTheResume() throws Exception {
    scene.create("a", "0 8 zero");
    scene.create("b", "0 8 linear oxbow:a 0");
    scene.devices.find("a").loadWithoutResume(TableText.parse("0 8 linear oxbow:b 0"));
    assertRefused("lies on a itself", () -> scene.devices.resume("a", false));
    assertThat(scene.table("a")).isEqualTo("0 8 zero");
    assertThat(scene.devices.find("a").isSuspended()).isFalse();
  }

  @Test
  void aReadOnlyDeviceRefusesToBeWritten() throws Exception {
    scene.devices.create("d", linear(file, 2048), true, List.of());
    assertThat(scene.devices.find("d").isReadOnly()).isTrue();
    assertThat(scene.read("d", 0, 1)).containsExactly(0);
    assertThatThrownBy(() -> scene.write("d", 0, new byte[] {1}))
        .isInstanceOf(DeviceException.class);
    assertRefused(
        "Read-only file system", () -> scene.create("s", "0 2048 snapshot-origin oxbow:d"));
  }

  @Test
  void aReadOnlyMediumCanBeReadAndNotWritten() throws Exception {
    scene.create("d", "0 2048 linear mem:1MiB 0");
    String uri =
        scene.devices.export(
            "d",
            new ExportOrder(scene.socket("ro.nbd"), null, true, false, ExportLimits.UNLIMITED));
    scene.create("l", "0 2048 linear " + uri + " 0");
    assertThat(scene.devices.find("l").isReadOnly()).isTrue();
    assertRefused(
        "Read-only file system", () -> scene.create("o", "0 2048 snapshot-origin " + uri));
    scene.devices.remove("l", false);
  }

  @Test
  void whoReadsADeviceLetsOthersWriteItLater() throws Exception {
    Path store = scene.file("store.cow", MIB);
    scene.create("snap", "0 2048 snapshot " + file + " " + store + " P 8");
    scene.create("origin", "0 2048 snapshot-origin " + file);
    scene.write("origin", 0, new byte[] {1});
    scene.write("snap", 8192, new byte[] {2});
    assertThat(scene.read("snap", 0, 1)).as("as it was when it began").containsExactly(0);
    assertThat(scene.read("origin", 0, 1)).containsExactly(1);
    assertThat(scene.read("origin", 8192, 1)).containsExactly(0);
    // A header, an area, and two exceptions, of 8 sectors each.
    assertThat(scene.devices.find("snap").status(false).getFirst().text()).isEqualTo("32/2048 16");
    // Another name for the same file is the same device.
    scene.create("again", "0 2048 linear file:" + file.getParent() + "/./disk.img 0");
    assertThat(scene.read("again", 0, 1)).containsExactly(1);
  }

  @Test
  void whatATargetMustHaveForItselfNobodyElseGets() throws Exception {
    Path metadata = scene.file("c.meta", MIB);
    Path source = scene.file("source.img", MIB);
    Path other = scene.file("other.img", MIB);
    scene.create("c", clone(metadata, file, source));
    assertRefused("in use by c", () -> scene.create("d", clone(metadata, other, source)));
    assertRefused("in use by c", () -> scene.create("d", linear(file, 2048)));
    assertRefused(
        "two parts in the same table", () -> scene.create("d", clone(other, other, source)));
    assertThat(Scene.isFree(other)).isTrue();
    scene.create("reader", linear(source, 2048));
    assertRefused("in use by", () -> scene.create("d", clone(other, source, "zero:1MiB")));
    // Its own next table may lie over the destination.
    scene.devices.load("c", linear(file, 2048));
    scene.devices.resume("c", false);
    assertThat(scene.table("c")).isEqualTo(linear(file, 2048));
    assertThat(Scene.isFree(metadata)).isTrue();
    scene.create("d", linear(file, 2048));
  }

  @Test
  void aTableWithTheSameMetadataIsLoadedWhenItTakesOver() throws Exception {
    Path metadata = scene.file("c.meta", MIB);
    Path source = scene.file("source.img", MIB);
    scene.create("c", clone(metadata, file, source));
    scene.write("c", 0, new byte[4096]);
    scene.devices.load("c", clone(metadata, file, source) + " 2 hydration_batch_size 4");
    assertTables("c", "LIVE & INACTIVE");
    assertThat(scene.inactive("c")).endsWith("hydration_batch_size 4");
    scene.devices.resume("c", false);
    assertTables("c", "LIVE");
    assertThat(scene.table("c")).contains("hydration_batch_size 4");
    assertThat(scene.devices.find("c").status(false).getFirst().text())
        .as("what was hydrated is known")
        .contains(" 1/256 ");
    scene.devices.remove("c", false);
    assertThat(Scene.isFree(metadata)).isTrue();
  }

  @Test
  void aTableThatCannotTakeOverLeavesTheFormerOneRunning() throws Exception {
    Path metadata = scene.file("c.meta", MIB);
    Path source = scene.file("source.img", MIB);
    scene.create("c", clone(metadata, file, source));
    scene.write("c", 4096, new byte[] {9});
    // Other regions than those of the metadata: known only once that can be read.
    scene.devices.load("c", "0 2048 clone " + metadata + " " + file + " " + source + " 16");
    assertThatThrownBy(() -> scene.devices.resume("c", false)).isInstanceOf(ControlException.class);
    assertThat(scene.devices.find("c").isSuspended()).isFalse();
    assertThat(scene.table("c")).isEqualTo(clone(metadata, file, source));
    assertThat(scene.read("c", 4096, 1)).containsExactly(9);
    assertTables("c", "LIVE & INACTIVE");
    scene.devices.suspend("c", false);
    assertThatThrownBy(() -> scene.devices.resume("c", false)).isInstanceOf(ControlException.class);
    assertThat(scene.devices.find("c").isSuspended()).as("as it was").isTrue();
    scene.devices.clear("c");
    scene.devices.resume("c", false);
    assertThat(scene.read("c", 4096, 1)).containsExactly(9);
  }

  @Test
  void theSizeMayChangeOnlyWhileNobodyUsesIt() throws Exception {
    scene.create("d", linear(file, 1024));
    scene.create("above", "0 8 linear oxbow:d 0");
    scene.devices.load("d", linear(file, 2048));
    assertConflict("its size would change", () -> scene.devices.resume("d", false));
    assertThat(scene.table("d")).isEqualTo(linear(file, 1024));
    assertThat(scene.read("above", 0, 1)).containsExactly(0);
    scene.devices.remove("above", false);
    scene.devices.resume("d", false);
    assertThat(scene.table("d")).isEqualTo(linear(file, 2048));
  }

  @Test
  void byForceADeviceIsTakenFromItsClients() throws Exception {
    scene.create("d", linear(file, 2048));
    String uri = scene.devices.export("d", Scene.at(scene.socket("d.nbd")));
    try (NbdClient client = new NbdClient("ready " + uri)) {
      client.write(0, new byte[] {5});
      scene.devices.remove("d", true);
      assertNothingIsLeft();
      assertThat(scene.directory.resolve("d.nbd")).doesNotExist();
      client.holdNoLonger();
      assertThatThrownBy(() -> client.read(0, 1)).isInstanceOf(IOException.class);
    }
  }

  @Test
  void byForceADeviceThatOthersLieOnFails() throws Exception {
    scene.create("below", linear(file, 2048));
    scene.create("above", "0 2048 linear oxbow:below 0");
    scene.devices.export("below", Scene.at(scene.socket("d.nbd")));
    assertConflict(BUSY, () -> scene.devices.remove("below", true));
    assertThat(scene.table("below")).isEqualTo("0 2048 error");
    assertThatThrownBy(() -> scene.read("above", 0, 1)).isInstanceOf(DeviceException.class);
    assertThat(Scene.isFree(file)).isTrue();
    assertThat(scene.state.load())
        .filteredOn(entry -> entry.name().equals("below"))
        .singleElement()
        .satisfies(entry -> assertThat(entry.table()).hasToString("0 2048 error "))
        .satisfies(entry -> assertThat(entry.exports()).isEmpty());
    // A device on which everything fails keeps nobody's device, as in the kernel.
    scene.devices.remove("above", false);
    scene.devices.remove("below", false);
    assertNothingIsLeft();
  }

  @Test
  void byForceADeviceWithoutATableIsRemovedToo() throws Exception {
    scene.devices.create("d", null, false, List.of(Scene.at(scene.socket("d.nbd"))));
    scene.devices.load("d", linear(file, 8));
    scene.devices.remove("d", true);
    assertNothingIsLeft();
  }

  private void assertNothingIsLeft() throws Exception {
    assertThat(scene.devices.all()).isEmpty();
    assertThat(scene.state.load()).isEmpty();
    assertThat(scene.devices.open().bottoms()).isEmpty();
    assertThat(Scene.isFree(file)).isTrue();
  }

  private void assertTables(String device, String tables) throws Exception {
    assertThat(scene.devices.find(device).tablesPresent()).isEqualTo(tables);
  }

  private static void assertConflict(String why, ThrowingCallable action) {
    assertThatThrownBy(action)
        .isInstanceOfSatisfying(
            ControlException.class,
            refused -> assertThat(refused.kind()).isEqualTo(ControlException.Kind.CONFLICT))
        .hasMessageContaining(why);
  }

  private static void assertRefused(String why, ThrowingCallable action) {
    assertThatThrownBy(action).isInstanceOf(ControlException.class).hasMessageContaining(why);
  }

  private static String linear(Path path, long sectors) {
    return "0 " + sectors + " linear " + path + " 0";
  }

  private static String clone(Path metadata, Path destination, Object source) {
    return "0 2048 clone %s %s %s 8 1 no_hydration".formatted(metadata, destination, source);
  }
}
