package oxbow.device.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import oxbow.block.Errno;
import oxbow.block.Flags;
import oxbow.block.Operation;
import oxbow.device.Requests;
import oxbow.engine.WorkerDiskPool;

/** Aim: a full disk is told as such. Method: a small tmpfs, which takes root; skipped elsewhere. */
class FullDiskTest {
  @TempDir Path directory;

  @Test
  void aFullDiskFailsTheWriteWithItsOwnErrorAndDiscardsMakeRoomAgain() throws IOException {
    assumeTrue(Commands.isRoot(), "mounting takes root");
    Commands.Result mounted =
        Commands.run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", directory.toString());
    assumeTrue(mounted.isSuccess(), "cannot mount here: " + mounted.output());
    try (WorkerDiskPool pool = new WorkerDiskPool(1)) {
      try (FileDevice device = new FileOpener(pool).create(directory.resolve("image"), 4 << 20)) {
        byte[] half = new byte[1 << 19];
        assertThat(Requests.write(device, 0, half, 0)).isEqualTo(Errno.OK);
        assertThat(Requests.write(device, 1 << 20, new byte[2 << 20], 0)).isEqualTo(Errno.ENOSPC);
        assertThat(Requests.write(device, 3 << 20, half, Flags.FUA)).isEqualTo(Errno.ENOSPC);
        assertThat(Requests.run(device, Operation.DISCARD, 1 << 20, 2 << 20, 0))
            .isEqualTo(Errno.OK);
        assertThat(Requests.write(device, 3 << 20, new byte[1 << 18], Flags.FUA))
            .isEqualTo(Errno.OK);
      }
    } finally {
      Commands.run("umount", directory.toString());
    }
  }
}
