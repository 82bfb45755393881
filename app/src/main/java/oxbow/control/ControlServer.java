package oxbow.control;

import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.UserPrincipal;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import jdk.net.ExtendedSocketOptions;
import org.jspecify.annotations.Nullable;
import oxbow.console.Json;

/**
 * The control socket of a process: accepts connections of its own user and of root, reads a request
 * a line, lets {@link Verbs} answer it. A connection that misbehaves is told why and closed; the
 * others do not notice.
 */
public final class ControlServer implements AutoCloseable {
  /** The one version of the protocol there is so far. */
  static final int VERSION = 1;

  static final String VERSION_FIELD = "oxbow";
  static final String ERROR_FIELD = "error";
  private static final int MAX_CONNECTIONS = 64;
  private static final String ROOT = "root";

  private final Path path;
  private final Verbs verbs;
  private final ServerSocketChannel server;
  private final UserPrincipal owner;
  private final Set<SocketChannel> connections = ConcurrentHashMap.newKeySet();
  private final Thread acceptor = thread("control", this::acceptAll);
  private volatile boolean isClosed;

  private ControlServer(Path path, Verbs verbs, ServerSocketChannel server) throws IOException {
    this.path = path;
    this.verbs = verbs;
    this.server = server;
    this.owner = Files.getOwner(path);
  }

  /**
   * Listens at a path that only the owner may use, and answers until it is closed.
   *
   * @throws java.net.BindException when another process answers there
   */
  public static ControlServer listen(Path path, Verbs verbs) throws IOException {
    ControlServer control = new ControlServer(path, verbs, ControlSocket.listen(path));
    control.acceptor.start();
    return control;
  }

  public Path path() {
    return path;
  }

  /**
   * Few and short-lived, so threads of the platform serve as well. Virtual ones would cost every
   * process 300 ms at its end: the JVM then waits for the thread that polls sockets for them.
   */
  private static Thread thread(String name, Runnable task) {
    return Thread.ofPlatform().daemon().name(name).unstarted(task);
  }

  private void acceptAll() {
    while (!isClosed) {
      try {
        SocketChannel channel = server.accept();
        if (connections.size() >= MAX_CONNECTIONS || !isWelcome(channel)) {
          channel.close();
          continue;
        }
        connections.add(channel);
        thread("control connection", () -> serve(channel)).start();
      } catch (ClosedChannelException closed) {
        return;
      } catch (IOException failedConnection) {
        // One that broke while it was being accepted; the next may be good.
      }
    }
  }

  /** The socket's mode says the same, but only after it has existed for a moment without it. */
  private boolean isWelcome(SocketChannel channel) throws IOException {
    UserPrincipal peer = channel.getOption(ExtendedSocketOptions.SO_PEERCRED).user();
    return peer.equals(owner) || ROOT.equals(peer.getName());
  }

  private void serve(SocketChannel channel) {
    try (channel) {
      answerAll(new ControlLines(channel));
    } catch (IOException broken) {
      // The peer is gone; nobody else is concerned.
    } finally {
      connections.remove(channel);
    }
  }

  private void answerAll(ControlLines lines) throws IOException {
    try {
      for (String line = lines.read(); line != null; line = lines.read()) {
        lines.write(Json.line(answer(line, lines)));
      }
    } catch (ClosedChannelException closed) {
      throw closed;
    } catch (IOException bad) {
      lines.write(Json.line(error(String.valueOf(bad.getMessage()))));
    }
  }

  private Map<String, @Nullable Object> answer(String line, ControlLines lines) throws IOException {
    Map<String, @Nullable Object> request = Json.object(line);
    Object version = request.get(VERSION_FIELD);
    if (!Long.valueOf(VERSION).equals(version)) {
      return error("protocol version " + version + " is not spoken here, only " + VERSION);
    }
    try {
      Map<String, @Nullable Object> answer = new LinkedHashMap<>();
      answer.put(VERSION_FIELD, VERSION);
      answer.putAll(verbs.answer(request, () -> isClosed || isGone(lines)));
      return answer;
    } catch (ControlException refused) {
      return error(String.valueOf(refused.getMessage()));
    }
  }

  private static boolean isGone(ControlLines lines) {
    try {
      return lines.isPeerGone();
    } catch (IOException broken) {
      return true;
    }
  }

  private static Map<String, @Nullable Object> error(String why) {
    Map<String, @Nullable Object> answer = new LinkedHashMap<>();
    answer.put(VERSION_FIELD, VERSION);
    answer.put(ERROR_FIELD, why);
    return answer;
  }

  /** Stops answering and removes the socket. Requests that wait are dropped. */
  @Override
  public void close() throws IOException {
    isClosed = true;
    // The name goes first: a newcomer then finds no socket rather than a dead one.
    Files.deleteIfExists(path);
    server.close();
    for (SocketChannel connection : connections) {
      connection.close();
    }
  }
}
