package oxbow.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import oxbow.block.Errno;

/** Aim: the verbs do what they say, or say that they cannot. Method: both implementations. */
class DiskFileTest {
  @TempDir Path directory;

  private static DiskCalls calls(String name) {
    return name.equals("native") ? DiskCalls.best() : DiskCalls.portable();
  }

  @ParameterizedTest
  @ValueSource(strings = {"native", "portable"})
  void whatIsWrittenIsReadAndTheEndReadsAsNothing(String name) throws IOException {
    Path path = directory.resolve("file");
    try (DiskFile file = calls(name).open(path, DiskFile.Mode.CREATE_NEW);
        Arena arena = Arena.ofConfined()) {
      MemorySegment data = arena.allocate(100).fill((byte) 5);
      assertThat(file.write(10, data, 20, 30)).isEqualTo(30);
      assertThat(file.sizeBytes()).isEqualTo(40);
      data.fill((byte) 0);
      assertThat(file.read(0, data, 50, 50)).isEqualTo(40);
      assertThat(data.asSlice(60, 30).toArray(ValueLayout.JAVA_BYTE)).containsOnly(5);
      assertThat(data.asSlice(0, 60).toArray(ValueLayout.JAVA_BYTE)).containsOnly(0);
      assertThat(file.read(40, data, 0, 10)).isZero();
      assertThat(file.resize(5000)).isZero();
      assertThat(file.sizeBytes()).isEqualTo(5000);
      assertThat(file.resize(20)).isZero();
      assertThat(file.sizeBytes()).isEqualTo(20);
      assertThat(file.flush()).isZero();
      assertThat(file.flushAll()).isZero();
      assertThat(file.facts().kind()).isEqualTo(FileFacts.Kind.REGULAR_FILE);
    }
    assertThat(Files.size(path)).isEqualTo(20);
  }

  @ParameterizedTest
  @ValueSource(strings = {"native", "portable"})
  void openingSaysWhyItFails(String name) throws IOException {
    DiskCalls calls = calls(name);
    Path missing = directory.resolve("missing");
    assertThatThrownBy(() -> calls.open(missing, DiskFile.Mode.READ_ONLY))
        .hasMessage(missing + ": No such file or directory");
    Path existing = Files.createFile(directory.resolve("existing"));
    assertThatThrownBy(() -> calls.open(existing, DiskFile.Mode.CREATE_NEW))
        .hasMessage(existing + ": File exists");
    assertThatThrownBy(() -> calls.open(directory, DiskFile.Mode.READ_ONLY))
        .hasMessage(directory + ": neither a regular file nor a block device");
    calls.syncDirectory(directory);
    assertThatThrownBy(() -> calls.syncDirectory(missing)).isInstanceOf(IOException.class);
  }

  @Test
  void thePortableOneAdmitsWhatItCannotDo() throws IOException {
    Path path = Files.write(directory.resolve("file"), new byte[4096]);
    try (DiskFile file = DiskCalls.portable().open(path, DiskFile.Mode.READ_WRITE);
        Arena arena = Arena.ofConfined()) {
      assertThat(file.readNow(0, arena.allocate(1), 0, 1)).isEqualTo(-Errno.ENOTSUP);
      assertThat(file.punchHole(0, 512)).isEqualTo(-Errno.ENOTSUP);
      assertThat(file.zeroRange(0, 512)).isEqualTo(-Errno.ENOTSUP);
      assertThat(file.allocate(0, 512)).isEqualTo(-Errno.ENOTSUP);
      assertThat(file.discard(0, 512)).isEqualTo(-Errno.ENOTSUP);
      assertThat(file.seekData(0)).isEqualTo(-Errno.ENOTSUP);
      assertThat(file.seekHole(0)).isEqualTo(-Errno.ENOTSUP);
      assertThat(file.prefetch(0, 512)).isEqualTo(-Errno.ENOTSUP);
      assertThatThrownBy(file::openDirect).hasMessageContaining("no direct I/O");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"native", "portable"})
  void memoryThatIsTooSmallOrFreedNeverReachesTheKernel(String name) throws IOException {
    Path path = Files.write(directory.resolve("file"), new byte[4096]);
    MemorySegment freed;
    try (Arena arena = Arena.ofConfined()) {
      freed = arena.allocate(512);
    }
    try (DiskFile file = calls(name).open(path, DiskFile.Mode.READ_WRITE);
        Arena arena = Arena.ofConfined()) {
      MemorySegment data = arena.allocate(100);
      assertThatThrownBy(() -> file.read(0, data, 50, 51))
          .isInstanceOf(IndexOutOfBoundsException.class);
      assertThatThrownBy(() -> file.write(0, data, -1, 2))
          .isInstanceOf(IndexOutOfBoundsException.class);
      assertThatThrownBy(() -> file.read(0, freed, 0, 512)).isInstanceOf(RuntimeException.class);
    }
  }

  @Test
  void whatWasWrittenIsInMemoryAndAHoleIsNot() throws IOException {
    assumeIsNative();
    Path path = Files.write(directory.resolve("file"), new byte[64 << 10]);
    try (DiskFile file = DiskCalls.best().open(path, DiskFile.Mode.READ_WRITE)) {
      long cached = file.cachedBytes(0, 64 << 10);
      assumeTrue(cached >= 0, "Linux before 6.5 cannot tell");
      assertThat(cached).isEqualTo(64 << 10);
      assertThat(file.resize(1 << 20)).isZero();
      assertThat(file.cachedBytes(512 << 10, 64 << 10)).isZero();
    }
  }

  @Test
  void aClosedFileAnswersWithAnErrorAndDoesNotReachAnotherOne() throws IOException {
    Path path = Files.write(directory.resolve("file"), new byte[4096]);
    assumeIsNative();
    DiskFile file = DiskCalls.best().open(path, DiskFile.Mode.READ_ONLY);
    file.close();
    file.close();
    int ebadf = 9;
    try (DiskFile other = DiskCalls.best().open(path, DiskFile.Mode.READ_ONLY);
        Arena arena = Arena.ofConfined()) {
      assertThat(other.sizeBytes()).isEqualTo(4096);
      assertThat(file.read(0, arena.allocate(1), 0, 1)).isEqualTo(-ebadf);
    }
  }

  @Test
  void callsAllocateNothing() throws IOException {
    assumeIsNative();
    Path path = Files.write(directory.resolve("file"), new byte[4096]);
    ThreadMXBean threads = ManagementFactory.getPlatformMXBean(ThreadMXBean.class);
    int calls = 10_000;
    try (DiskFile file = DiskCalls.best().open(path, DiskFile.Mode.READ_WRITE);
        Arena arena = Arena.ofConfined()) {
      MemorySegment data = arena.allocate(4096);
      long allocated = Long.MAX_VALUE;
      // The first rounds pay for linking and interpreting.
      for (int round = 0; round < 20 && allocated > calls; round++) {
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < calls; i++) {
          file.readNow(0, data, 0, 4096);
          file.read(0, data, 0, 4096);
          file.write(0, data, 0, 4096);
        }
        allocated = threads.getCurrentThreadAllocatedBytes() - before;
      }
      assertThat(allocated).as("bytes in %d calls", 3 * calls).isLessThan(calls);
    }
  }

  private static void assumeIsNative() {
    assumeTrue(DiskCalls.best() instanceof LinuxCalls, "no native calls here");
  }
}
