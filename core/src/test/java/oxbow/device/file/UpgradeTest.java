package oxbow.device.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import oxbow.block.DeviceException;
import oxbow.block.Errno;
import oxbow.block.Limits;
import oxbow.device.Requests;
import oxbow.device.file.FileOpener.OddTail;
import oxbow.engine.WorkerDiskPool;
import oxbow.linux.DiskCalls;
import oxbow.linux.DiskFile;

/**
 * Aim: a file that is read may come to be written if nobody else reads it, and not otherwise.
 * Method: several openings, here and in another process, and files that nobody may write.
 */
class UpgradeTest {
  @TempDir Path directory;

  private final WorkerDiskPool pool = new WorkerDiskPool(1);
  private Path path;

  @BeforeEach
  void makeFile() throws IOException {
    path = Files.write(directory.resolve("image"), new byte[4096]);
  }

  @AfterEach
  void endPool() {
    pool.close();
  }

  private FileOpener opener(String calls) {
    return new FileOpener(calls.equals("native") ? DiskCalls.best() : DiskCalls.portable(), pool);
  }

  private static void assertIsInUse(ThrowingCallable call) {
    assertThatThrownBy(call).isInstanceOf(DeviceInUseException.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"native", "portable"})
  void theOnlyReaderBecomesTheWriter(String calls) throws IOException {
    FileOpener opener = opener(calls);
    try (FileDevice device = opener.openUpgradable(path, OddTail.DROP)) {
      assertThat(device.limits()).isEqualTo(Limits.READ_ONLY_FILE);
      assertThat(Requests.write(device, 0, new byte[] {1}, 0)).isEqualTo(Errno.EPERM);
      opener.openReadOnly(path, OddTail.DROP).close();
      device.becomeWritable();
      assertThat(device.limits().isReadOnly()).isFalse();
      Requests.write(device, 0, new byte[] {1});
      assertIsInUse(() -> opener.openReadOnly(path, OddTail.DROP));
      assertIsInUse(() -> opener.openUpgradable(path, OddTail.DROP));
      device.becomeWritable();
      assertIsInUse(() -> opener.openReadOnly(path, OddTail.DROP));
    }
    assertThat(Files.readAllBytes(path)).startsWith(1, 0);
    opener.openWritable(path, OddTail.DROP).close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"native", "portable"})
  void oneOfSeveralReadersStaysOne(String calls) throws IOException {
    FileOpener opener = opener(calls);
    try (FileDevice device = opener.openUpgradable(path, OddTail.DROP)) {
      try (FileDevice other = opener.openReadOnly(path, OddTail.DROP)) {
        assertIsInUse(device::becomeWritable);
        assertThat(device.limits()).isEqualTo(Limits.READ_ONLY_FILE);
        assertThat(Requests.write(device, 0, new byte[] {1}, 0)).isEqualTo(Errno.EPERM);
        assertThat(other.limits()).isEqualTo(Limits.READ_ONLY_FILE);
      }
      assertIsInUse(() -> opener.openWritable(path, OddTail.DROP));
      device.becomeWritable();
      Requests.write(device, 0, new byte[] {1});
    }
    opener.openWritable(path, OddTail.DROP).close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"native", "portable"})
  void whoCameSecondAndIsLeftBecomesTheWriter(String calls) throws IOException {
    FileOpener opener = opener(calls);
    FileDevice first = opener.openUpgradable(path, OddTail.DROP);
    try (FileDevice device = opener.openUpgradable(path, OddTail.DROP)) {
      assertIsInUse(device::becomeWritable);
      first.close();
      device.becomeWritable();
      assertIsInUse(() -> opener.openReadOnly(path, OddTail.DROP));
    }
    opener.openWritable(path, OddTail.DROP).close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"native", "portable"})
  void aReaderOfAnotherProcessCountsToo(String calls) throws Exception {
    FileOpener opener = opener(calls);
    Process reader =
        new ProcessBuilder(FileProgram.command("hold", calls, "read", path.toString()))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (FileDevice device = opener.openUpgradable(path, OddTail.DROP);
        BufferedReader said = reader.inputReader()) {
      assertThat(said.readLine()).isEqualTo("open " + path);
      assertIsInUse(device::becomeWritable);
      reader.outputWriter().close();
      assertThat(reader.waitFor(30, TimeUnit.SECONDS)).isTrue();
      assertIsInUse(() -> opener.openWritable(path, OddTail.DROP));
      device.becomeWritable();
    } finally {
      reader.destroy();
    }
  }

  /** A disk whose files can be read, and opened for writing only with an error. */
  private static final class Unwritable extends DiskCalls {
    private final int errno;

    Unwritable(int errno) {
      this.errno = errno;
    }

    @Override
    public DiskFile open(Path path, DiskFile.Mode mode) throws IOException {
      if (mode != DiskFile.Mode.READ_ONLY) {
        throw new DeviceException(errno, path.toString());
      }
      return DiskCalls.best().open(path, mode);
    }

    @Override
    public void syncDirectory(Path directory) throws IOException {
      DiskCalls.best().syncDirectory(directory);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {Errno.EROFS, Errno.EACCES, Errno.EPERM, Errno.EBUSY, Errno.ETXTBSY})
  void whatNobodyMayWriteIsReadAndStaysSo(int errno) throws IOException {
    FileOpener opener = new FileOpener(new Unwritable(errno), pool);
    try (FileDevice device = opener.openUpgradable(path, OddTail.DROP)) {
      assertThat(Requests.read(device, 0, 4096)).containsOnly(0);
      assertThatThrownBy(device::becomeWritable)
          .isInstanceOfSatisfying(
              DeviceException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EROFS));
      assertThat(device.limits()).isEqualTo(Limits.READ_ONLY_FILE);
      opener.openReadOnly(path, OddTail.DROP).close();
    }
  }

  @Test
  void otherErrorsAreNotPassedOver() {
    FileOpener opener = new FileOpener(new Unwritable(Errno.EIO), pool);
    assertThatThrownBy(() -> opener.openUpgradable(path, OddTail.DROP))
        .isInstanceOfSatisfying(
            DeviceException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EIO));
    assertThatThrownBy(
            () -> opener("native").openUpgradable(directory.resolve("none"), OddTail.DROP))
        .isInstanceOf(IOException.class);
  }

  @Test
  void whoOpenedForReadingOnlyCannotWrite() throws IOException {
    try (FileDevice device = opener("native").openReadOnly(path, OddTail.DROP)) {
      assertThatThrownBy(device::becomeWritable).isInstanceOf(DeviceException.class);
    }
    try (FileDevice device = opener("native").openWritable(path, OddTail.DROP)) {
      device.becomeWritable();
      assertThat(device.limits().isReadOnly()).isFalse();
    }
  }
}
