package oxbow.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import oxbow.block.DeviceException;

/** Datagrams to Unix sockets, which the JDK lacks. Constants: the kernel's user-space headers. */
final class DatagramSocket {
  private static final int AF_UNIX = 1;
  private static final int SOCK_DGRAM = 2;
  private static final int SOCK_CLOEXEC = 0x80000;

  /** A receiver that has gone is an error, not a signal. */
  private static final int MSG_NOSIGNAL = 0x4000;

  private static final int PATH_OFFSET = 2;
  private static final int MAX_PATH_BYTES = 107;

  private DatagramSocket() {}

  /**
   * Sends one datagram. Blocks while the receiver has no room for it.
   *
   * @param address a path, or the name of an abstract socket behind an at sign
   */
  static void send(Syscalls.Abi abi, String address, String text) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment to = toNative(address, arena);
      MemorySegment data = arena.allocateFrom(JAVA_BYTE, text.getBytes(StandardCharsets.UTF_8));
      long descriptor = Syscalls.call(abi.socket(), AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
      check(descriptor, address);
      long sent =
          Syscalls.call(
              abi.sendto(),
              descriptor,
              data.address(),
              data.byteSize(),
              MSG_NOSIGNAL,
              to.address(),
              to.byteSize());
      Syscalls.call(abi.close(), descriptor);
      check(sent, address);
    }
  }

  /** A struct sockaddr_un; a zero byte stands for the at sign. */
  private static MemorySegment toNative(String address, Arena arena) throws IOException {
    byte[] path = address.getBytes(StandardCharsets.UTF_8);
    boolean isAbstract = address.startsWith("@");
    if (!isAbstract && !address.startsWith("/")) {
      throw new IOException(address + ": neither a path nor an abstract socket");
    }
    if (path.length > MAX_PATH_BYTES) {
      throw new IOException(address + ": longer than " + MAX_PATH_BYTES + " bytes");
    }
    if (isAbstract) {
      path[0] = 0;
    }
    MemorySegment socket = arena.allocate(PATH_OFFSET + path.length, JAVA_SHORT.byteAlignment());
    socket.set(JAVA_SHORT, 0, (short) AF_UNIX);
    MemorySegment.copy(path, 0, socket, JAVA_BYTE, PATH_OFFSET, path.length);
    return socket;
  }

  private static void check(long result, String address) throws DeviceException {
    if (result < 0) {
      throw new DeviceException((int) -result, address);
    }
  }
}
