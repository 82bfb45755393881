package oxbow.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import oxbow.nbd.server.RawClient;
import oxbow.nbd.wire.Nbd;

/**
 * A connection with one request at a time, by consecutive cookies; it notes what it asks for in the
 * promises.
 */
final class PromisingClient implements AutoCloseable {
  private final RawClient raw;
  private final Promises promises;
  private final AtomicInteger nextStamp;
  private long nextCookie;

  private PromisingClient(RawClient raw, Promises promises, int number, AtomicInteger nextStamp) {
    this.raw = raw;
    this.promises = promises;
    this.nextStamp = nextStamp;
    this.nextCookie = Promises.firstCookie(number);
  }

  /**
   * @param number of the connection among all to the server
   * @param nextStamp shared by all, whatever they write to
   */
  static PromisingClient connect(
      Path socket, String export, Promises promises, int number, AtomicInteger nextStamp)
      throws IOException {
    RawClient raw = RawClient.go(UnixDomainSocketAddress.of(socket), export);
    return new PromisingClient(raw, promises, number, nextStamp);
  }

  void write(int first, int count, int flags) throws IOException {
    int stamp = nextStamp.getAndIncrement();
    byte[] data = new byte[count * VolatileModel.GRANULE_BYTES];
    for (int i = 0; i < count; i++) {
      long offset = (long) i * VolatileModel.GRANULE_BYTES;
      StampedContent.fill(MemorySegment.ofArray(data), offset, first + i, stamp);
    }
    change(Nbd.CMD_WRITE, flags, first, count, stamp, data);
  }

  void zero(int command, int flags, int first, int count) throws IOException {
    change(command, flags, first, count, VolatileModel.ZERO, new byte[0]);
  }

  private void change(int command, int flags, int first, int count, int stamp, byte[] data)
      throws IOException {
    long cookie = nextCookie++;
    boolean isFua = (flags & Nbd.CMD_FLAG_FUA) != 0;
    Promises.Change change = promises.begin(cookie, first, count, stamp, isFua);
    long granuleBytes = VolatileModel.GRANULE_BYTES;
    raw.request(command, flags, cookie, first * granuleBytes, count * granuleBytes);
    raw.send(ByteBuffer.wrap(data));
    expectOk(cookie);
    promises.acknowledged(change);
  }

  void flush() throws IOException {
    long cookie = nextCookie++;
    promises.flushBegins(cookie);
    raw.request(Nbd.CMD_FLUSH, 0, cookie, 0, 0);
    expectOk(cookie);
  }

  private void expectOk(long cookie) throws IOException {
    RawClient.Answer answer = raw.answer(0);
    assertThat(answer.error()).isZero();
    assertThat(answer.cookie()).isEqualTo(cookie);
  }

  @Override
  public void close() throws IOException {
    raw.close();
  }
}
