package oxbow.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Aim: a file system on a clone is used by a real kernel as on any disk, while the clone hydrates,
 * and survives a power cut. Method: a machine whose kernel is an NBD client mounts an ext4 of which
 * most is still behind a slow server.
 */
class CloneMountIT {
  /** Writes a file, and prints its checksum before anything was written back. */
  private static final String NEW_FILE =
      """
      new_file() {
        dd if=/dev/urandom of="$1" bs=64k count="$2" 2>/dev/null
        sha256sum <"$1" | cut -d ' ' -f 1
      }
      """;

  @TempDir Path directory;

  private Path source = Path.of("");
  private AutoCloseable slowServer = () -> {};
  private TestClone clone = new TestClone(Path.of(""), "");

  @BeforeEach
  void serveSlowlyAndClone() {
    source = Images.ext4(directory.resolve("source.img"), 48);
    Server slow =
        Server.nbdkit(
            directory.resolve("source.sock"), "-r", "--filter=delay", "file", source, "rdelay=2ms");
    slowServer = slow;
    clone = new TestClone(directory, slow.uri());
    clone.start("--rate", "64KiB");
  }

  @AfterEach
  void end() throws Exception {
    clone.close();
    slowServer.close();
  }

  @Test
  void aMountedFileSystemIsReadWrittenAndTrimmedWhileItHydrates() {
    String script =
        NEW_FILE
            + """
            set -e
            mount /dev/nbd0 /mnt
            sha256sum </mnt/large-1 | cut -d ' ' -f 1
            new_file /mnt/new 40
            rm /mnt/large-0
            sync
            fstrim /mnt
            echo 3 >/proc/sys/vm/drop_caches
            sha256sum </mnt/new | cut -d ' ' -f 1
            umount /mnt
            e2fsck -f -n /dev/nbd0 >&2
            """;

    List<String> sums = machine(script);
    clone.assertIsHydrating();
    clone.stop();
    clone.finish();

    Path large = Images.random(directory.resolve("large"), 0, 3 << 20, 1);
    assertThat(sums).hasSize(3);
    assertThat(sums.get(0)).isEqualTo(Images.sha256(large));
    assertThat(sums.get(2)).isEqualTo(sums.get(1));
    Images.assertExt4IsClean(clone.destination());
    assertThat(Images.sha256(fileOf(clone.destination(), "new"))).isEqualTo(sums.get(1));
  }

  @Test
  void aPowerCutOfMachineAndServerLosesNothingThatWasSynced() {
    String untilPowerCut =
        NEW_FILE
            + """
            set -e
            mount /dev/nbd0 /mnt
            mkdir /mnt/synced
            new_file /mnt/synced/file 30
            mv /mnt/small-3 /mnt/synced/moved
            sync
            new_file /mnt/lost 20 >/dev/null
            rm /mnt/large-2
            echo 0 >/ctl/status
            # What the script printed has to get out; nothing is written back meanwhile.
            sleep 1
            poweroff -n -f
            """;
    String afterwards =
        """
        set -e
        mount /dev/nbd0 /mnt
        dmesg | grep -o 'nbd0.*recovery complete'
        sha256sum </mnt/synced/file | cut -d ' ' -f 1
        sha256sum </mnt/synced/moved | cut -d ' ' -f 1
        umount /mnt
        e2fsck -f -n /dev/nbd0 >&2
        """;

    List<String> before = machine(untilPowerCut);
    clone.kill();
    clone.assertIsUnfinished();
    clone.start("--rate", "64KiB");
    List<String> after = machine(afterwards);
    clone.assertIsHydrating();
    clone.stop();
    clone.finish();

    Path small = Images.random(directory.resolve("small"), 0, 100 + 3 * 700, 3);
    assertThat(before).hasSize(1);
    assertThat(after)
        .containsExactly("nbd0): recovery complete", before.getFirst(), Images.sha256(small));
    Images.assertExt4IsClean(clone.destination());
  }

  /** What a script prints in a machine that has the clone as /dev/nbd0. */
  private List<String> machine(String script) {
    return Oracle.machine(List.of(clone.export()), script).ok().out().lines().toList();
  }

  /** A file of the file system in an image. */
  private Path fileOf(Path image, String name) {
    Path file = directory.resolve("dumped");
    Proc.of(Tool.require("debugfs", "e2fsprogs"), "-R", "dump /" + name + " " + file, image)
        .run()
        .ok();
    return file;
  }
}
