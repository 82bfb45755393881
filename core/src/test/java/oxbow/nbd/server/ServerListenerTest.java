package oxbow.nbd.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import oxbow.block.BlockRequest;
import oxbow.block.Errno;
import oxbow.nbd.wire.Nbd;

/** The listener hears of clients and of each failed request, of the others nothing. */
class ServerListenerTest extends ServerFixture {
  private final LinkedBlockingQueue<String> told = new LinkedBlockingQueue<>();

  ServerListenerTest() {
    listener =
        new ServerListener() {
          @Override
          public void connected(Client client) {
            assertThat(client.peer()).isNotEmpty();
            told.add(client.connection() + " uses " + client.exportName());
          }

          @Override
          public void disconnected(Client client) {
            told.add(client.connection() + " leaves " + client.exportName());
          }

          @Override
          public void requestFailed(FailedRequest request) {
            told.add(
                "%d %s %s %d+%d: %d"
                    .formatted(
                        request.client().connection(),
                        request.cookieHex(),
                        request.command(),
                        request.offsetBytes(),
                        request.lengthBytes(),
                        request.errno()));
          }
        };
  }

  private String next() throws InterruptedException {
    return told.poll(10, TimeUnit.SECONDS);
  }

  @Test
  void clientsAreToldOfFromTheirChoiceToTheirEnd() throws Exception {
    try (RawClient first = client()) {
      assertThat(next()).isEqualTo("1 uses disk");
      try (RawClient undecided = RawClient.connect(address)) {
        undecided.greet();
        assertThat(undecided.optionGo("nope")).containsExactly(Nbd.REP_ERR_UNKNOWN);
      }
      try (RawClient third = client()) {
        assertThat(next()).isEqualTo("3 uses disk");
        assertThat(third.write(0, new byte[10])).isZero();
        server.rename("disk", "renamed");
      }
      assertThat(next()).isEqualTo("3 leaves renamed");
      assertThat(first.write(0, new byte[10])).isZero();
    }
    assertThat(next()).isEqualTo("1 leaves renamed");
    awaitNoConnections();
    assertThat(told).isEmpty();
  }

  @Test
  void failedRequestsAreToldOfHoweverTheyFail() throws Exception {
    try (RawClient client = client()) {
      assertThat(next()).isEqualTo("1 uses disk");
      client.request(Nbd.CMD_READ, 0, 0xabcL, SIZE_BYTES, 5);
      assertThat(client.answer(5).error()).isEqualTo(Errno.EINVAL);
      assertThat(next()).isEqualTo("1 0000000000000abc READ " + SIZE_BYTES + "+5: " + Errno.EINVAL);
      device.failWith(Errno.ETIMEDOUT);
      assertThat(client.write(7, new byte[9])).isEqualTo(Errno.EIO);
      assertThat(next()).isEqualTo("1 0000000000000003 WRITE 7+9: " + Errno.ETIMEDOUT);
      client.request(Nbd.CMD_FLUSH, 0, -1L, 0, 0);
      assertThat(client.answer(0).error()).isEqualTo(Errno.EIO);
      assertThat(next()).isEqualTo("1 ffffffffffffffff FLUSH 0+0: " + Errno.ETIMEDOUT);
      device.failWith(Errno.OK);
      assertThat(client.write(7, new byte[9])).isZero();
      assertThat(told).isEmpty();
    }
  }

  @Test
  void requestThatFailsAfterItsClientHasGoneIsToldOf() throws Exception {
    device.holding();
    BlockRequest read;
    try (RawClient client = client()) {
      assertThat(next()).isEqualTo("1 uses disk");
      client.request(Nbd.CMD_READ, 0, 1, 0, 512);
      read = device.takeHeld();
    }
    read.complete(Errno.EIO);
    assertThat(next()).isEqualTo("1 0000000000000001 READ 0+512: " + Errno.EIO);
    assertThat(next()).isEqualTo("1 leaves disk");
  }
}
