package oxbow.control;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Lines of UTF-8 over a socket, limited in length. Used by one thread at a time; blocks. */
final class ControlLines {
  /** Longest line either side accepts, without its end. */
  static final int MAX_LINE_BYTES = 64 * 1024;

  private final SocketChannel channel;
  private final ByteBuffer received = ByteBuffer.allocate(MAX_LINE_BYTES + 1);
  private int scanned;

  ControlLines(SocketChannel channel) {
    this.channel = channel;
  }

  /**
   * The next line, or null after the last one.
   *
   * @throws IOException when a line is too long, cut off or not UTF-8
   */
  @Nullable String read() throws IOException {
    while (true) {
      for (; scanned < received.position(); scanned++) {
        if (received.get(scanned) == '\n') {
          return take(scanned);
        }
      }
      if (!received.hasRemaining()) {
        throw new IOException("line longer than " + MAX_LINE_BYTES + " bytes");
      }
      if (channel.read(received) < 0) {
        if (received.position() > 0) {
          throw new IOException("line cut off");
        }
        return null;
      }
    }
  }

  private String take(int lengthBytes) throws IOException {
    received.flip();
    ByteBuffer line = received.slice(0, lengthBytes);
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(line).toString();
    } catch (CharacterCodingException bad) {
      throw new IOException("line is not UTF-8", bad);
    } finally {
      received.position(lengthBytes + 1);
      received.compact();
      scanned = 0;
    }
  }

  void write(String line) throws IOException {
    ByteBuffer bytes = StandardCharsets.UTF_8.encode(line + "\n");
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  /** Whether the other side has gone away; what it has sent meanwhile is kept. Does not block. */
  boolean isPeerGone() throws IOException {
    if (!received.hasRemaining()) {
      return false;
    }
    channel.configureBlocking(false);
    try {
      return channel.read(received) < 0;
    } finally {
      channel.configureBlocking(true);
    }
  }
}
