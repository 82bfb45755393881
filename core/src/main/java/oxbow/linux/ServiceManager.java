package oxbow.linux;

import java.io.IOException;
import java.nio.channels.Channel;
import java.nio.channels.ServerSocketChannel;
import java.util.Map;
import java.util.Optional;
import oxbow.block.DeviceException;

/**
 * Who has started this process as a service, as systemd does: it is told how the service is, and it
 * may have opened the socket that the service is to listen on. Without one there is nobody to tell
 * and nothing to inherit.
 *
 * @see "systemd: sd_notify(3), sd_listen_fds(3)"
 */
public final class ServiceManager {
  /** The first of the descriptors that are passed. */
  private static final int PASSED = 3;

  /** The only one that the JDK makes a channel of. */
  private static final int ADOPTED = 0;

  private final Map<String, String> environment;

  /**
   * @param environment of this process
   */
  public ServiceManager(Map<String, String> environment) {
    this.environment = Map.copyOf(environment);
  }

  /**
   * Sends a message, if there is somebody who wants any. Blocks while the manager has no room for
   * it.
   *
   * @param state lines like {@code READY=1} and {@code STATUS=a sentence}
   * @throws IOException when it cannot be sent: a manager that waits for it will wait in vain
   */
  public void tell(String state) throws IOException {
    String address = environment.get("NOTIFY_SOCKET");
    if (address != null) {
      DatagramSocket.send(abi("NOTIFY_SOCKET"), address, state);
    }
  }

  /**
   * The socket that was opened for this process, if one was. To be called once, before anything
   * reads standard input, whose place the socket takes.
   *
   * <p>Closing the channel puts the null device in the place of standard input, output and error:
   * that is how the JDK leaves an inherited channel. So it stays open as long as anything is to be
   * said.
   *
   * @throws IOException if there are several, or it is none that connections come from
   */
  public Optional<ServerSocketChannel> inheritedSocket() throws IOException {
    String pid = environment.get("LISTEN_PID");
    if (pid == null || !pid.equals(Long.toString(ProcessHandle.current().pid()))) {
      return Optional.empty(); // Meant for nobody, or for a process that started this one.
    }
    String count = environment.getOrDefault("LISTEN_FDS", "0");
    return switch (count) {
      case "0" -> Optional.empty();
      case "1" -> Optional.of(adopt(abi("LISTEN_FDS")));
      default -> throw new IOException("LISTEN_FDS=" + count + ": one socket is expected");
    };
  }

  private static ServerSocketChannel adopt(Syscalls.Abi abi) throws IOException {
    check(Syscalls.call(abi.dup3(), PASSED, ADOPTED, 0));
    check(Syscalls.call(abi.close(), PASSED));
    Channel channel = System.inheritedChannel();
    if (channel instanceof ServerSocketChannel listening) {
      return listening;
    }
    throw new IOException("file descriptor " + PASSED + ": not a socket that listens");
  }

  private static void check(long result) throws DeviceException {
    if (result < 0) {
      throw new DeviceException((int) -result, "file descriptor " + PASSED);
    }
  }

  private static Syscalls.Abi abi(String variable) throws IOException {
    Syscalls.Abi abi = Syscalls.Abi.usable();
    if (abi == null) {
      throw new IOException(variable + ": needs native access, on Linux on x86-64 or arm64");
    }
    return abi;
  }
}
