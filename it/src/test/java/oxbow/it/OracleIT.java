package oxbow.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Aim: whoever compares with the kernel can trust the tools that start it. Method: one small guest
 * of each kind, whose answers are known.
 */
class OracleIT {
  @TempDir Path directory;

  @Test
  void theKernelHasTheCloneTargetAndSeesTheImages() throws IOException {
    Path image = directory.resolve("three.img");
    try (var file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(3 << 20);
    }
    String script =
        """
        dmsetup targets | grep -o '^clone'
        blockdev --getsize64 /dev/disk/three
        echo "$1" >&2
        exit 3
        """;

    Proc.Result result = Oracle.run(List.of(Oracle.Disk.of("three", image)), script, "one word");

    assertThat(result.status(3).out()).isEqualTo("clone\n" + (3 << 20) + "\n");
    assertThat(result.err()).isEqualTo("one word\n");
  }

  @Test
  void theKernelOfTheMachineReadsAndWritesAnNbdExport() {
    Path socket = directory.resolve("s");
    String script =
        """
        set -e
        blockdev --getsize64 /dev/nbd0
        echo written | dd of=/dev/nbd0 bs=512 seek=7 conv=sync,fsync 2>/dev/null
        dd if=/dev/nbd0 bs=512 skip=7 count=1 2>/dev/null | head -n 1
        """;

    try (Server server = Server.nbdkit(socket, "memory", "size=5M")) {
      Proc.Result result = Oracle.machine(List.of(new Oracle.Export(socket, "")), script);

      assertThat(result.ok().out()).isEqualTo((5 << 20) + "\nwritten\n");
      assertThat(server.stop()).isZero();
    }
  }
}
