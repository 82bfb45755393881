package oxbow.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Aim: sockets lie where their owner finds them and where nobody else can put or move them. Method:
 * environments made up over a temporary directory.
 */
class ControlDirectoryTest {
  @TempDir Path root;

  @Test
  void theRuntimeDirectoryOfTheSessionComesFirst() throws Exception {
    Path runtime = Files.createDirectory(root.resolve("user"));
    ControlDirectory directory =
        ControlDirectory.of(Map.of("XDG_RUNTIME_DIR", runtime.toString()), root);
    assertThat(directory.path()).isEqualTo(runtime.resolve("oxbow")).doesNotExist();
    directory.prepare();
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(directory.path())))
        .isEqualTo("rwx------");
  }

  @Test
  void aRuntimeDirectoryThatIsGoneIsPassedOver() {
    ControlDirectory directory =
        ControlDirectory.of(Map.of("XDG_RUNTIME_DIR", root.resolve("gone").toString()), root);
    assertThat(directory.path()).isEqualTo(root.resolve("oxbow"));
  }

  @Test
  void whereRunCannotBeUsedThereIsAnOwnDirectory() {
    ControlDirectory directory =
        ControlDirectory.of(Map.of("TMPDIR", root.toString()), root.resolve("no-run"));
    assertThat(directory.path()).isEqualTo(root.resolve("oxbow-" + ControlDirectory.userId()));
  }

  @Test
  void aDirectoryThatOthersMayEnterIsRefused() throws Exception {
    Path own = Files.createDirectory(root.resolve("oxbow-" + ControlDirectory.userId()));
    Files.setPosixFilePermissions(own, PosixFilePermissions.fromString("rwxr-xr-x"));
    ControlDirectory directory =
        ControlDirectory.of(Map.of("TMPDIR", root.toString()), root.resolve("no-run"));
    assertThatThrownBy(directory::prepare)
        .isInstanceOf(IOException.class)
        .hasMessageContaining("--control");
  }

  @Test
  void aLinkInPlaceOfTheDirectoryIsRefused() throws Exception {
    Path elsewhere = Files.createDirectory(root.resolve("elsewhere"));
    Files.setPosixFilePermissions(elsewhere, PosixFilePermissions.fromString("rwx------"));
    Files.createSymbolicLink(root.resolve("oxbow-" + ControlDirectory.userId()), elsewhere);
    ControlDirectory directory =
        ControlDirectory.of(Map.of("TMPDIR", root.toString()), root.resolve("no-run"));
    assertThatThrownBy(directory::prepare).isInstanceOf(IOException.class);
  }

  @Test
  void namesAreMadeFromTheLastPartOfAnAddress() {
    assertThat(ControlDirectory.nameFrom("/srv/disk.img")).isEqualTo("disk.img");
    assertThat(ControlDirectory.nameFrom("file:a b?.img")).isEqualTo("file:a_b_.img");
    assertThat(ControlDirectory.nameFrom("/srv/.hidden")).isEqualTo("hidden");
    assertThat(ControlDirectory.nameFrom("/srv/")).isEqualTo("device");
    assertThat(ControlDirectory.isName("../c")).isFalse();
    assertThat(ControlDirectory.isName("c")).isTrue();
  }
}
