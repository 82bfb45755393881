package oxbow.imports;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Aim: a clonetab becomes tables. Method: its text, and sources of a size that is made up. */
class ClonetabTest {
  private final List<String> refused = new ArrayList<>();

  @Test
  void aLineIsACloneAsLongAsItsSource() {
    assertThat(
            read(
                """
                # name source destination metadata options

                  # an indented remark
                vol\t/dev/sdb   /dev/sdc /dev/sdd
                vol2 /dev/sdb /dev/sdc /dev/sdd -
                """))
        .containsExactly(
            new ImportedDevice("vol", List.of("0 2097152 clone /dev/sdd /dev/sdc /dev/sdb 8")),
            new ImportedDevice("vol2", List.of("0 2097152 clone /dev/sdd /dev/sdc /dev/sdb 8")));
    assertThat(refused).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"65536,128", "8K,16", "1M,2048", "1G,2097152"})
  void aRegionSizeIsInBytes(String size, String sectors) {
    assertThat(read("vol /dev/sdb /dev/sdc /dev/sdd region-size=" + size).getFirst().table())
        .containsExactly("0 2097152 clone /dev/sdd /dev/sdc /dev/sdb " + sectors);
  }

  @Test
  void pathsAreMadeWholeAndOtherAddressesStay() {
    String here = Path.of("").toAbsolutePath().toString();
    assertThat(read("vol nbd://far/x dst.img back\\slash").getFirst().table())
        .containsExactly(
            "0 2097152 clone "
                + here.replace("\\", "\\\\")
                + "/back\\\\slash "
                + here
                + "/dst.img nbd://far/x 8");
  }

  @Test
  void whatCannotBeMeantIsToldAndTheOthersGoOn() {
    List<ImportedDevice> devices =
        read(
            """
            a /dev/sdb /dev/sdc
            b /dev/sdb /dev/sdc /dev/sdd region-size=8K more
            c /dev/none /dev/sdc /dev/sdd
            d /dev/sdb /dev/sdc /dev/sdd region-size=8K,readonly
            e /dev/sdb /dev/sdc /dev/sdd region_size=16
            f /dev/sdb /dev/sdc /dev/sdd region-size=8Q
            g /dev/sdb /dev/sdc /dev/sdd region-size=5000
            h /dev/sdb mem:x /dev/sdd
            i /dev/sdb /dev/sdc /dev/sdd
            """);
    assertThat(devices).extracting(ImportedDevice::name).containsExactly("i");
    assertThat(refused)
        .satisfiesExactly(
            line -> assertThat(line).isEqualTo("line 1: a: " + fields(3)),
            line -> assertThat(line).isEqualTo("line 2: b: " + fields(6)),
            line -> assertThat(line).isEqualTo("line 3: c: /dev/none: No such file or directory"),
            line -> assertThat(line).isEqualTo("line 4: d: Unknown option readonly"),
            line -> assertThat(line).startsWith("line 5: e: region_size=16: whether sectors or"),
            line -> assertThat(line).startsWith("line 6: f: \"8Q\" is not a size"),
            line ->
                assertThat(line)
                    .isEqualTo("line 7: g: region-size=5000: is no whole number of sectors"),
            line -> assertThat(line).startsWith("line 8: h: mem:x: "));
  }

  private static String fields(int count) {
    return "NAME SOURCE DESTINATION METADATA [OPTIONS] is expected, not " + count + " fields";
  }

  private List<ImportedDevice> read(String text) {
    return new Clonetab(
            address -> {
              if (address.equals("/dev/none")) {
                throw new IOException(address + ": No such file or directory");
              }
              return (1L << 30) + 511; // The last partial sector counts for nothing.
            })
        .read(text, refused::add);
  }
}
