package oxbow.control;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;

/** A peer that sends what it is told, be it HTTP or not. */
public final class RawHttp implements AutoCloseable {
  private final SocketChannel channel;
  private final Selector selector;
  private final ByteArrayOutputStream received = new ByteArrayOutputStream();

  public RawHttp(SocketAddress address) throws IOException {
    channel = SocketChannel.open(address);
    channel.configureBlocking(false);
    selector = Selector.open();
    channel.register(selector, SelectionKey.OP_READ);
  }

  /** Sends a request as curl would, and more headers. */
  public RawHttp request(String line, String body, String... headers) throws IOException {
    StringBuilder text = new StringBuilder(line + " HTTP/1.1\r\nHost: oxbow\r\n");
    for (String header : headers) {
      text.append(header).append("\r\n");
    }
    if (!body.isEmpty()) {
      text.append("Content-Length: ").append(body.length()).append("\r\n");
    }
    return send(text + "\r\n" + body);
  }

  RawHttp send(String text) throws IOException {
    ByteBuffer bytes = StandardCharsets.ISO_8859_1.encode(text);
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
    return this;
  }

  /** Reads until all that was received contains this; what was received. */
  String awaitText(String wanted) throws IOException {
    while (!text().contains(wanted)) {
      if (!readMore()) {
        throw new AssertionError("no \"" + wanted + "\" but the end after " + text());
      }
    }
    return text();
  }

  /** Reads until the server hangs up; all that was received. */
  public String awaitEnd() throws IOException {
    while (readMore()) {
      // There is more.
    }
    return text();
  }

  private boolean readMore() throws IOException {
    long patience = TimeUnit.SECONDS.toMillis(ScriptedDevice.PATIENCE_SECONDS);
    if (selector.select(ready -> {}, patience) == 0) {
      throw new AssertionError("nothing came after " + text());
    }
    ByteBuffer bytes = ByteBuffer.allocate(8192);
    int count = channel.read(bytes);
    received.write(bytes.array(), 0, Math.max(0, count));
    return count >= 0;
  }

  private String text() {
    return received.toString(StandardCharsets.ISO_8859_1);
  }

  @Override
  public void close() throws IOException {
    selector.close();
    channel.close();
  }
}
