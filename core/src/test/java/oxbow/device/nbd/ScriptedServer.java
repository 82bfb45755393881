package oxbow.device.nbd;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import oxbow.nbd.client.NbdAddress;
import oxbow.nbd.wire.Nbd;

/**
 * A server that does as it is told: shakes hands like a good one, then follows the test's script
 * for that connection. Blocking, a thread for each connection.
 */
final class ScriptedServer implements AutoCloseable {
  /** What happens on one connection after the handshake; the connection is closed when it ends. */
  interface Script {
    /**
     * @param number counts connections from 0
     */
    void run(int number, Peer peer) throws IOException;
  }

  /** A request as it arrived. */
  record Request(int flags, int type, long cookie, long offset, int length, byte[] payload) {}

  /** The export's allocation context. */
  static final int CONTEXT = 9;

  private final Path socket;
  private final ServerSocketChannel listener;
  private final Script script;
  private final List<SocketChannel> accepted = new CopyOnWriteArrayList<>();
  private final Thread acceptor;
  private volatile long sizeBytes = 1 << 20;
  private volatile int flags = Nbd.FLAG_HAS_FLAGS;
  private volatile int handshakeLimit = Integer.MAX_VALUE;

  ScriptedServer(Path socket, Script script) throws IOException {
    this.socket = socket;
    this.script = script;
    Files.deleteIfExists(socket);
    listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    listener.bind(UnixDomainSocketAddress.of(socket));
    acceptor = Thread.ofVirtual().start(this::accept);
  }

  NbdAddress address() {
    return NbdAddress.unix(socket.toString(), "disk");
  }

  ScriptedServer sizeBytes(long bytes) {
    sizeBytes = bytes;
    return this;
  }

  ScriptedServer flags(int transmissionFlags) {
    flags = Nbd.FLAG_HAS_FLAGS | transmissionFlags;
    return this;
  }

  /** Closes later connections once so many bytes of the handshake have been said. */
  void handshakeLimit(int bytes) {
    handshakeLimit = bytes;
  }

  int connectionCount() {
    return accepted.size();
  }

  private void accept() {
    try {
      while (true) {
        SocketChannel channel = listener.accept();
        int number = accepted.size();
        accepted.add(channel);
        Thread.ofVirtual().start(() -> serve(number, channel));
      }
    } catch (IOException closed) {
      assert !listener.isOpen() : closed;
    }
  }

  private void serve(int number, SocketChannel channel) {
    try (channel) {
      Peer peer = new Peer(channel);
      if (peer.shakeHands()) {
        script.run(number, peer);
      }
    } catch (IOException e) {
      // The client may go at any time; what it makes of that is what tests look at.
      assert e.getMessage() != null || !channel.isOpen() || e instanceof EOFException : e;
    }
  }

  /** Each byte of the export follows from its offset. */
  static byte patternAt(long at) {
    return (byte) (at * 7 + (at >> 8) * 13);
  }

  /** Stops listening and hangs up on everybody. */
  @Override
  public void close() throws IOException {
    listener.close();
    try {
      acceptor.join();
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
    for (SocketChannel channel : accepted) {
      channel.close();
    }
    Files.deleteIfExists(socket);
  }

  /** The client at the other end of one connection. */
  final class Peer {
    private final DataInputStream in;
    private final SocketChannel channel;

    Peer(SocketChannel channel) {
      this.channel = channel;
      this.in = new DataInputStream(Channels.newInputStream(channel));
    }

    private int handshakeBytes;

    /** False when the limit was reached. */
    private boolean shakeHands() throws IOException {
      ByteArrayOutputStream greeting = new ByteArrayOutputStream();
      DataOutputStream out = new DataOutputStream(greeting);
      out.writeLong(Nbd.INIT_MAGIC);
      out.writeLong(Nbd.OPTION_MAGIC);
      out.writeShort(Nbd.FLAG_FIXED_NEWSTYLE | Nbd.FLAG_NO_ZEROES);
      if (!say(greeting.toByteArray())) {
        return false;
      }
      in.readInt();
      while (true) {
        in.readLong();
        int option = in.readInt();
        in.skipNBytes(in.readInt());
        if (!say(answer(option))) {
          return false;
        }
        if (option == Nbd.OPT_GO) {
          return true;
        }
      }
    }

    private byte[] answer(int option) throws IOException {
      ByteArrayOutputStream answer = new ByteArrayOutputStream();
      DataOutputStream out = new DataOutputStream(answer);
      if (option == Nbd.OPT_SET_META_CONTEXT) {
        byte[] name = Nbd.BASE_ALLOCATION.getBytes(StandardCharsets.UTF_8);
        header(out, option, Nbd.REP_META_CONTEXT, 4 + name.length);
        out.writeInt(CONTEXT);
        out.write(name);
      } else if (option == Nbd.OPT_GO) {
        header(out, option, Nbd.REP_INFO, 12);
        out.writeShort(Nbd.INFO_EXPORT);
        out.writeLong(sizeBytes);
        out.writeShort(flags);
      }
      header(out, option, Nbd.REP_ACK, 0);
      return answer.toByteArray();
    }

    private static void header(DataOutputStream out, int option, int type, int length)
        throws IOException {
      out.writeLong(0x0003e889045565a9L);
      out.writeInt(option);
      out.writeInt(type);
      out.writeInt(length);
    }

    private boolean say(byte[] bytes) throws IOException {
      int length = Math.min(bytes.length, handshakeLimit - handshakeBytes);
      handshakeBytes += length;
      send(bytes, length);
      return length == bytes.length;
    }

    /** The next request; an EOFException when the client has gone. */
    Request next() throws IOException {
      int magic = in.readInt();
      if (magic != Nbd.REQUEST_MAGIC) {
        throw new AssertionError("the client sent 0x" + Integer.toHexString(magic));
      }
      int requestFlags = in.readUnsignedShort();
      int type = in.readUnsignedShort();
      long cookie = in.readLong();
      long offset = in.readLong();
      int length = in.readInt();
      byte[] payload = type == Nbd.CMD_WRITE ? in.readNBytes(length) : new byte[0];
      return new Request(requestFlags, type, cookie, offset, length, payload);
    }

    /** Answers all there is until the client goes. */
    void answerAll() throws IOException {
      while (true) {
        Request request = next();
        if (request.type() == Nbd.CMD_DISC) {
          return;
        }
        send(wellAnswered(request));
      }
    }

    void answer(Request request) throws IOException {
      send(wellAnswered(request));
    }

    /** The right answer: data by pattern, everything allocated, success. */
    byte[] wellAnswered(Request request) {
      return switch (request.type()) {
        case Nbd.CMD_READ -> {
          ByteBuffer bytes = ByteBuffer.allocate(28 + request.length());
          chunk(bytes, request, Nbd.REPLY_FLAG_DONE, Nbd.REPLY_TYPE_OFFSET_DATA);
          bytes.putInt(8 + request.length()).putLong(request.offset());
          for (int i = 0; i < request.length(); i++) {
            bytes.put(patternAt(request.offset() + i));
          }
          yield bytes.array();
        }
        case Nbd.CMD_BLOCK_STATUS -> {
          ByteBuffer bytes = ByteBuffer.allocate(32);
          chunk(bytes, request, Nbd.REPLY_FLAG_DONE, Nbd.REPLY_TYPE_BLOCK_STATUS);
          yield bytes.putInt(12).putInt(CONTEXT).putInt(request.length()).putInt(0).array();
        }
        default -> {
          ByteBuffer bytes = ByteBuffer.allocate(20);
          chunk(bytes, request, Nbd.REPLY_FLAG_DONE, Nbd.REPLY_TYPE_NONE);
          yield bytes.putInt(0).array();
        }
      };
    }

    private static void chunk(ByteBuffer bytes, Request request, int chunkFlags, int type) {
      bytes.putInt(Nbd.STRUCTURED_REPLY_MAGIC).putShort((short) chunkFlags);
      bytes.putShort((short) type).putLong(request.cookie());
    }

    void send(byte[] bytes) throws IOException {
      send(bytes, bytes.length);
    }

    void send(byte[] bytes, int length) throws IOException {
      ByteBuffer buffer = ByteBuffer.wrap(bytes, 0, length);
      while (buffer.hasRemaining()) {
        channel.write(buffer);
      }
    }
  }
}
