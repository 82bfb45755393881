package oxbow.imports;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Aim: what dmsetup prints of its tables becomes ours, the numbers of devices in it addresses.
 * Method: such texts, and directories in the place of /dev/block and /sys/dev/block.
 */
class DmsetupTablesTest {
  private static final ImportedDevice ZERO = new ImportedDevice("zero", List.of("0 8 zero"));

  @TempDir Path root;
  private final List<String> refused = new ArrayList<>();
  private Path disk;

  @BeforeEach
  void makeDevices() throws Exception {
    Files.createDirectory(root.resolve("dev"));
    disk = Files.createFile(root.resolve("disk")).toRealPath();
    Files.createSymbolicLink(root.resolve("dev/8:16"), disk);
    Files.createSymbolicLink(root.resolve("dev/254:0"), disk);
    Path mapped = Files.createDirectories(root.resolve("sys/254:0/dm"));
    Files.writeString(mapped.resolve("name"), "the base\n");
  }

  @Test
  void linesOfOneNameAreOneDevice() {
    assertThat(read("vol: 0 8 linear 8:16 0\nvol: 8 8 error \nzero: 0 8 zero \n"))
        .containsExactly(
            new ImportedDevice("vol", List.of("0 8 linear " + disk + " 0", "8 8 error")), ZERO);
    assertThat(refused).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"my disk", "a:b", "a: b", "a: 0 b", "vg-lv--0"})
  void namesMayHoldBlanksAndColons(String name) {
    assertThat(read(name + ": 0 8 zero")).containsExactly(new ImportedDevice(name, ZERO.table()));
  }

  @Test
  void aDeviceMayHaveNoTable() {
    assertThat(read("empty: \nzero: 0 8 zero"))
        .containsExactly(new ImportedDevice("empty", List.of()), ZERO);
  }

  @Test
  void theTableOfOneDeviceNeedsAName() {
    assertThat(read("0 8 zero")).isEmpty();
    assertThat(refused).containsExactly("line 1: the device has no name here; --name gives it one");
    assertThat(read("0 8 zero", Map.of(), "zero")).containsExactly(ZERO);
  }

  @Test
  void aDeviceMapperDeviceThatIsImportedIsOursAndComesFirst() {
    assertThat(read("a: 0 8 snapshot-origin 254:0\nthe base: 0 8 linear 8:16 0"))
        .containsExactly(
            new ImportedDevice("the base", List.of("0 8 linear " + disk + " 0")),
            new ImportedDevice("a", List.of("0 8 snapshot-origin oxbow:the_base")));
    assertThat(read("a: 0 8 snapshot-origin 254:0"))
        .containsExactly(new ImportedDevice("a", List.of("0 8 snapshot-origin " + disk)));
  }

  @Test
  void theUsersWordIsTakenBeforeTheMachines() {
    assertThat(
            read(
                "a: 0 8 linear 8:16 0\nb: 0 8 linear 9:9 0",
                Map.of("8:16", "oxbow:b", "9:9", "/with blank"),
                null))
        .containsExactly(
            new ImportedDevice("b", List.of("0 8 linear /with\\ blank 0")),
            new ImportedDevice("a", List.of("0 8 linear oxbow:b 0")));
  }

  @Test
  void numbersThatNobodyKnowsAreToldWithWhatHelps() {
    assertThat(read("a: 0 8 linear 9:9 0\nzero: 0 8 zero")).containsExactly(ZERO);
    assertThat(refused)
        .containsExactly(
            "a: 9:9: no device has these numbers here; --map 9:9=ADDR says which one is meant, as"
                + " in --map 9:9=oxbow:base");
  }

  @Test
  void aLineThatIsNoneSpoilsItsDeviceOnly() {
    assertThat(read("a: 0 8 zero\na: x y z\nzero: 0 8 zero\nwhatever")).containsExactly(ZERO);
    assertThat(refused)
        .containsExactly(
            "line 2: NAME: START LENGTH TARGET ARGS is expected",
            "line 4: NAME: START LENGTH TARGET ARGS is expected");
  }

  @Test
  void devicesThatLieOnEachOtherInARingAreLeftToTheDaemon() {
    assertThat(
            read(
                "a: 0 8 linear 1:1 0\nb: 0 8 linear 1:2 0",
                Map.of("1:1", "oxbow:b", "1:2", "oxbow:a"),
                null))
        .hasSize(2);
  }

  @Test
  void theFirstLineTellsTheTwoKindsOfTextApart() {
    for (String dmsetup :
        List.of("# x\n\nvol: 0 8 zero ", "0 8 zero", "my disk: ", "No devices found\n")) {
      assertThat(ImportFormat.of(dmsetup)).as(dmsetup).isEqualTo(ImportFormat.DMSETUP);
    }
    for (String clonetab : List.of("", "# vol: 0 8 zero", "vol /dev/sdb /dev/sdc /dev/sdd")) {
      assertThat(ImportFormat.of(clonetab)).as(clonetab).isEqualTo(ImportFormat.CLONETAB);
    }
    assertThat(read("No devices found")).isEmpty();
    assertThat(refused).isEmpty();
  }

  private List<ImportedDevice> read(String text) {
    return read(text, Map.of(), null);
  }

  private List<ImportedDevice> read(String text, Map<String, String> given, @Nullable String name) {
    DeviceNumbers numbers = new DeviceNumbers(given, root.resolve("dev"), root.resolve("sys"));
    return new DmsetupTables(numbers, name).read(text, refused::add);
  }
}
