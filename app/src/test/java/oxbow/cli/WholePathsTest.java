package oxbow.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** Aim: paths in a table mean what they mean where its user stands; all else is left as it is. */
class WholePathsTest {
  private static final Path HERE = Path.of("/here");

  @Test
  void relativePathsAreMadeWhole() {
    assertThat(whole("0 8 clone m.meta ./d ../s.img 8"))
        .isEqualTo("0 8 clone /here/m.meta /here/./d /here/../s.img 8");
    assertThat(whole("0 8 linear file:d 0")).isEqualTo("0 8 linear file:/here/d 0");
    assertThat(whole("0 8 linear file:/d 0")).isEqualTo("0 8 linear file:/d 0");
    assertThat(whole("0 8 linear /d.img 0")).isEqualTo("0 8 linear /d.img 0");
  }

  @Test
  void optionsAndOtherAddressesAreNot() {
    for (String line :
        new String[] {
          "0 8 clone oxbow:m.1 mem:1MiB nbd+unix:///d?socket=/s 8 1 no_hydration",
          "0 8 linear delay:5:/d.img 0",
          "0 8 linear nbd://host.net:10809/d 0",
          "# a comment ./with a path"
        }) {
      assertThat(whole(line)).isEqualTo(line);
    }
  }

  @Test
  void everyLineIsALineStill() {
    assertThat(whole("# two\n\n0 8 linear a.img 0\n8 8 zero\n"))
        .isEqualTo("# two\n\n0 8 linear /here/a.img 0\n8 8 zero");
  }

  @Test
  void spacesInPathsStayThere() {
    assertThat(whole("0 8 linear my\\ disk.img 0")).isEqualTo("0 8 linear /here/my\\ disk.img 0");
    assertThat(TableVerbCommand.wholePaths("0 8 linear d.img 0", Path.of("/my images")))
        .isEqualTo("0 8 linear /my\\ images/d.img 0");
  }

  private static String whole(String table) {
    return TableVerbCommand.wholePaths(table, HERE);
  }
}
