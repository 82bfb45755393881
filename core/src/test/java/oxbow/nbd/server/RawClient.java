package oxbow.nbd.server;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import oxbow.nbd.wire.Nbd;
import oxbow.nbd.wire.OptionHeader;
import oxbow.nbd.wire.OptionReply;
import oxbow.nbd.wire.ReplyChunk;
import oxbow.nbd.wire.RequestHeader;
import oxbow.nbd.wire.SimpleReply;

/** A client that sends what it is told, right or wrong, and reads what comes, on blocking calls. */
public final class RawClient implements Closeable {
  private final SocketChannel channel;

  /** An answer, simple or of one chunk. */
  public record Answer(
      boolean isStructured, int type, int error, long cookie, ByteBuffer payload) {}

  private RawClient(SocketChannel channel) {
    this.channel = channel;
  }

  /** Connected, nothing said yet. */
  public static RawClient connect(SocketAddress to) throws IOException {
    SocketChannel channel =
        to instanceof UnixDomainSocketAddress
            ? SocketChannel.open(StandardProtocolFamily.UNIX)
            : SocketChannel.open();
    try {
      channel.connect(to);
      return new RawClient(channel);
    } catch (IOException e) {
      channel.close();
      throw e;
    }
  }

  /** In transmission, with simple replies. */
  public static RawClient go(SocketAddress to, String export) throws IOException {
    RawClient client = connect(to);
    client.greet();
    client.optionGo(export);
    return client;
  }

  /** In transmission, with structured replies and base:allocation. */
  public static RawClient goStructured(SocketAddress to, String export) throws IOException {
    RawClient client = connect(to);
    client.greet();
    client.option(Nbd.OPT_STRUCTURED_REPLY, ByteBuffer.allocate(0));
    byte[] name = export.getBytes(UTF_8);
    byte[] query = Nbd.BASE_ALLOCATION.getBytes(UTF_8);
    ByteBuffer data = ByteBuffer.allocate(12 + name.length + query.length);
    data.putInt(name.length).put(name).putInt(1).putInt(query.length).put(query).flip();
    client.option(Nbd.OPT_SET_META_CONTEXT, data);
    client.optionGo(export);
    return client;
  }

  public void greet() throws IOException {
    receive(Nbd.GREETING_BYTES);
    int flags = Nbd.FLAG_C_FIXED_NEWSTYLE | Nbd.FLAG_C_NO_ZEROES;
    send(ByteBuffer.allocate(4).putInt(flags).flip());
  }

  public List<Integer> optionGo(String export) throws IOException {
    byte[] name = export.getBytes(UTF_8);
    ByteBuffer data = ByteBuffer.allocate(6 + name.length);
    return option(Nbd.OPT_GO, data.putInt(name.length).put(name).putShort((short) 0).flip());
  }

  /** Sends an option and returns the types of the replies up to the last. */
  public List<Integer> option(int option, ByteBuffer data) throws IOException {
    ByteBuffer header = ByteBuffer.allocate(OptionHeader.SIZE_BYTES);
    OptionHeader.put(header, 0, option, data.remaining());
    send(header);
    send(data);
    List<Integer> types = new ArrayList<>();
    int type;
    do {
      ByteBuffer reply = receive(OptionReply.HEADER_BYTES);
      type = OptionReply.type(reply, 0);
      receive((int) OptionReply.dataBytes(reply, 0));
      types.add(type);
    } while (type > 0 && type != Nbd.REP_ACK);
    return types;
  }

  public void request(int command, int flags, long cookie, long offset, long length)
      throws IOException {
    send(header(command, flags, cookie, offset, length));
  }

  public static ByteBuffer header(int command, int flags, long cookie, long offset, long length) {
    ByteBuffer header = ByteBuffer.allocate(RequestHeader.SIZE_BYTES);
    RequestHeader.put(header, 0, flags, command, cookie, offset, length);
    return header;
  }

  public void send(ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  public ByteBuffer receive(int lengthBytes) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(lengthBytes);
    while (bytes.hasRemaining()) {
      if (channel.read(bytes) < 0) {
        throw new EOFException("after " + bytes.position() + " of " + lengthBytes + " bytes");
      }
    }
    return bytes.flip();
  }

  /** The next answer; a simple one is taken to have so many bytes of payload if it has no error. */
  public Answer answer(int payloadBytes) throws IOException {
    ByteBuffer header = receive(SimpleReply.SIZE_BYTES);
    if (SimpleReply.magic(header, 0) == Nbd.SIMPLE_REPLY_MAGIC) {
      int error = SimpleReply.error(header, 0);
      ByteBuffer payload = receive(error == 0 ? payloadBytes : 0);
      return new Answer(false, 0, error, SimpleReply.cookie(header, 0), payload);
    }
    ByteBuffer whole = ByteBuffer.allocate(ReplyChunk.HEADER_BYTES);
    whole.put(header).put(receive(ReplyChunk.HEADER_BYTES - SimpleReply.SIZE_BYTES));
    if (ReplyChunk.magic(whole, 0) != Nbd.STRUCTURED_REPLY_MAGIC || !ReplyChunk.isDone(whole, 0)) {
      throw new IOException("not a reply of one chunk");
    }
    ByteBuffer payload = receive((int) ReplyChunk.payloadBytes(whole, 0));
    int type = ReplyChunk.type(whole, 0);
    int error = (type & Nbd.REPLY_TYPE_ERROR_BIT) != 0 ? payload.getInt(0) : 0;
    return new Answer(true, type, error, ReplyChunk.cookie(whole, 0), payload);
  }

  /** The error of a request without payload in its answer. */
  public int error(int command, int flags, long offset, long length) throws IOException {
    request(command, flags, 1, offset, length);
    return answer(0).error();
  }

  public ByteBuffer read(long offset, int length) throws IOException {
    request(Nbd.CMD_READ, 0, 2, offset, length);
    return answer(length).payload();
  }

  public int write(long offset, byte[] data) throws IOException {
    return write(0, offset, data);
  }

  public int write(int flags, long offset, byte[] data) throws IOException {
    request(Nbd.CMD_WRITE, flags, 3, offset, data.length);
    send(ByteBuffer.wrap(data));
    return answer(0).error();
  }

  /** Whether the server has hung up; waits for it. */
  public boolean isHungUp() throws IOException {
    try {
      ByteBuffer rest = ByteBuffer.allocate(1 << 16);
      while (channel.read(rest.clear()) >= 0) {}
      return true;
    } catch (IOException reset) {
      return channel.isOpen();
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
