package oxbow.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;
import oxbow.block.Errno;

/**
 * System calls by number, through libc's {@code syscall}. One native signature serves all of them:
 * linking each further one costs milliseconds of start-up. Arguments and results are longs,
 * addresses included, so that a call allocates nothing.
 */
final class Syscalls {
  /** Numbers of the calls we use on one processor architecture, and the flags that differ. */
  record Abi(
      int openat,
      int close,
      int pread64,
      int pwrite64,
      int preadv2,
      int pwritev2,
      int fdatasync,
      int fsync,
      int fallocate,
      int lseek,
      int ftruncate,
      int statx,
      int ioctl,
      int fadvise64,
      int fcntl,
      int socket,
      int sendto,
      int dup3,
      int directFlag,
      int directoryFlag) {
    private static final Abi X86_64 =
        new Abi(
            257, 3, 17, 18, 327, 328, 75, 74, 285, 8, 77, 332, 16, 221, 72, 41, 44, 292, 0x4000,
            0x10000);
    private static final Abi AARCH64 =
        new Abi(
            56, 57, 67, 68, 286, 287, 83, 82, 47, 62, 46, 291, 29, 223, 25, 198, 206, 24, 0x10000,
            0x4000);

    /** The one of this machine; null where we know no numbers. */
    private static @Nullable Abi ofThisMachine() {
      if (!System.getProperty("os.name").equals("Linux")) {
        return null;
      }
      return switch (System.getProperty("os.arch")) {
        case "amd64", "x86_64" -> X86_64;
        case "aarch64" -> AARCH64;
        default -> null;
      };
    }

    /** The same; null also where native access is denied. The first call waits for linking. */
    static @Nullable Abi usable() {
      Abi abi = ofThisMachine();
      try {
        return abi != null && SYSCALL.type().parameterCount() > 0 ? abi : null;
      } catch (LinkageError | RuntimeException nativeAccessIsDenied) {
        return null;
      }
    }
  }

  /**
   * One thread's native scratch memory: where errno is captured, and the small structures that
   * calls take by address. It is passed to every call as a segment, which keeps it alive meanwhile.
   */
  static final class Scratch {
    /** The largest is struct statx. */
    private static final long STRUCTURE_BYTES = 256;

    private static final StructLayout STATE = Linker.Option.captureStateLayout();
    private static final long ERRNO_OFFSET =
        STATE.byteOffset(MemoryLayout.PathElement.groupElement("errno"));
    private static final long STRUCTURE_OFFSET = 64;
    private static final ThreadLocal<Scratch> OF_THREAD = ThreadLocal.withInitial(Scratch::new);

    private final MemorySegment memory =
        Arena.ofAuto().allocate(STRUCTURE_OFFSET + STRUCTURE_BYTES, 64);
    private final MemorySegment structure = memory.asSlice(STRUCTURE_OFFSET, STRUCTURE_BYTES);

    static Scratch ofThisThread() {
      return OF_THREAD.get();
    }

    /** Room for one structure; the next user of this thread's scratch overwrites it. */
    MemorySegment structure() {
      return structure;
    }

    /** Fills {@link #structure} with a struct iovec of one buffer. */
    MemorySegment iovec(long address, long lengthBytes) {
      structure.set(JAVA_LONG, 0, address);
      structure.set(JAVA_LONG, 8, lengthBytes);
      return structure;
    }
  }

  private static final MethodHandle SYSCALL = link();

  private Syscalls() {}

  private static MethodHandle link() {
    Linker linker = Linker.nativeLinker();
    MemorySegment symbol =
        linker
            .defaultLookup()
            .find("syscall")
            .orElseThrow(() -> new NoSuchElementException("libc has no syscall function"));
    FunctionDescriptor signature =
        FunctionDescriptor.of(
            JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    return linker.downcallHandle(
        symbol,
        signature,
        Linker.Option.captureCallState("errno"),
        Linker.Option.firstVariadicArg(1));
  }

  /**
   * Makes a call, again when a signal interrupted it before it did anything.
   *
   * @return at least 0, or the error number, negated
   */
  static long call(int number, long a, long b, long c, long d, long e, long f) {
    MemorySegment memory = Scratch.ofThisThread().memory;
    while (true) {
      long result;
      try {
        result = (long) SYSCALL.invokeExact(memory, (long) number, a, b, c, d, e, f);
      } catch (Throwable impossible) {
        throw new AssertionError(impossible);
      }
      if (result >= 0) {
        return result;
      }
      int errno = memory.get(JAVA_INT, Scratch.ERRNO_OFFSET);
      if (errno != Errno.EINTR) {
        return -errno;
      }
    }
  }

  static long call(int number, long a, long b, long c, long d) {
    return call(number, a, b, c, d, 0, 0);
  }

  static long call(int number, long a, long b, long c) {
    return call(number, a, b, c, 0, 0, 0);
  }

  static long call(int number, long a) {
    return call(number, a, 0, 0, 0, 0, 0);
  }
}
