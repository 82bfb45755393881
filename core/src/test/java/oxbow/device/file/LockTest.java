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
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import oxbow.device.file.FileOpener.OddTail;
import oxbow.engine.WorkerDiskPool;
import oxbow.linux.DiskCalls;

/** Aim (O11, F3): one writer or many readers. Method: several openings, here and in a process. */
@DisplayName("O11, F3: a file has one writer or many readers")
class LockTest {
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

  @ParameterizedTest
  @ValueSource(strings = {"native", "portable"})
  void withinOneProcessReadersShareAndAWriterIsAlone(String calls) throws IOException {
    FileOpener opener = opener(calls);
    try (FileDevice first = opener.openReadOnly(path, OddTail.DROP);
        FileDevice second = opener.openReadOnly(path, OddTail.DROP)) {
      assertThat(first.sizeBytes()).isEqualTo(second.sizeBytes());
      assertIsInUse(() -> opener.openWritable(path, OddTail.DROP));
    }
    try (FileDevice writer = opener.openWritable(path, OddTail.DROP)) {
      assertThat(writer.sizeBytes()).isEqualTo(4096);
      assertIsInUse(() -> opener.openReadOnly(path, OddTail.DROP));
      assertIsInUse(() -> opener.openWritable(path, OddTail.DROP));
    }
    opener.openWritable(path, OddTail.DROP).close();
  }

  private void assertIsInUse(ThrowingCallable open) {
    assertThatThrownBy(open)
        .isInstanceOf(DeviceInUseException.class)
        .hasMessage(path + ": in use by another process");
  }

  @ParameterizedTest
  @ValueSource(strings = {"native", "portable"})
  void betweenProcessesReadersShareAndAWriterIsAlone(String calls) throws Exception {
    FileOpener opener = opener(calls);
    Process reader = start("hold", calls, "read", path.toString());
    try (BufferedReader said = reader.inputReader()) {
      assertThat(said.readLine()).isEqualTo("open " + path);
      opener.openReadOnly(path, OddTail.DROP).close();
      assertIsInUse(() -> opener.openWritable(path, OddTail.DROP));
    } finally {
      end(reader);
    }
    Process writer = start("hold", calls, "write", path.toString());
    try (BufferedReader said = writer.inputReader()) {
      assertThat(said.readLine()).isEqualTo("open " + path);
      assertIsInUse(() -> opener.openReadOnly(path, OddTail.DROP));
      assertIsInUse(() -> opener.openWritable(path, OddTail.DROP));
    } finally {
      end(writer);
    }
    opener.openWritable(path, OddTail.DROP).close();
  }

  @Test
  void portableAndNativeOpeningsRespectEachOther() throws Exception {
    Process writer = start("hold", "portable", "write", path.toString());
    try (BufferedReader said = writer.inputReader()) {
      assertThat(said.readLine()).isEqualTo("open " + path);
      assertIsInUse(() -> opener("native").openReadOnly(path, OddTail.DROP));
    } finally {
      end(writer);
    }
  }

  @Test
  void aRefusedOpeningChangesNothingAndLeavesTheLockWhereItWas() throws Exception {
    try (FileDevice writer = opener("native").openWritable(path, OddTail.DROP)) {
      assertThat(writer.address()).isEqualTo(path.toString());
      for (int i = 0; i < 2; i++) {
        Process second = start("hold", "native", "write", path.toString());
        try (BufferedReader said = second.inputReader()) {
          assertThat(said.readLine()).isEqualTo("refused " + path + ": in use by another process");
        } finally {
          end(second);
        }
      }
    }
    assertThat(Files.readAllBytes(path)).hasSize(4096).containsOnly(0);
  }

  private static Process start(String... arguments) throws IOException {
    return new ProcessBuilder(FileProgram.command(arguments))
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
  }

  private static void end(Process process) throws Exception {
    process.outputWriter().close();
    assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
  }
}
