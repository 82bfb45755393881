package oxbow.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import oxbow.block.Errno;
import oxbow.console.Console;
import oxbow.control.Event;
import oxbow.nbd.server.ServerListener.Client;
import oxbow.nbd.server.ServerListener.FailedRequest;

/** Aim: clients and their failed requests are told of, and a flood of these is not one of lines. */
class ClientLogTest {
  private static final Client CLIENT = new Client(7, "pid 12", "vol1");

  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  private final PrintStream stream = new PrintStream(err, true, StandardCharsets.UTF_8);
  private final DaemonLog log = new DaemonLog(new Console(stream, stream, false, false));
  private final EventLog events = new EventLog(log);
  private long nanos = Long.MAX_VALUE - 5;
  private final ClientLog clients =
      new ClientLog(() -> "unix:/l", export -> "device-of-" + export, events, log, () -> nanos);

  @Test
  void clientsAreEvents() {
    clients.connected(CLIENT);
    clients.disconnected(CLIENT);
    assertThat(lines())
        .hasSize(2)
        .allSatisfy(
            line ->
                assertThat(line)
                    .endsWith(
                        "device=device-of-vol1 listen=unix:/l export=vol1 connection=7"
                            + " peer=\"pid 12\""));
    Event first = Objects.requireNonNull(events.past().next(Duration.ZERO));
    assertThat(first.kind()).isEqualTo("connected");
  }

  @Test
  void aFailedRequestIsOneLine() {
    fail(1);
    assertThat(lines().getFirst())
        .contains("request_failed device=device-of-vol1 ")
        .endsWith(
            "request=00000000000000ff operation=write offset=18446744073709551615 bytes=512"
                + " error=\"Input/output error\"");
    assertThat(events.past().hasEnded()).as("it is no event of the device").isTrue();
  }

  @Test
  void ofManyAtOnceTheFirstAreShownAndTheOthersCounted() {
    fail(100);
    assertThat(lines()).hasSize(5);
    nanos += TimeUnit.SECONDS.toNanos(1) + 1;
    err.reset();
    fail(1);
    assertThat(lines()).hasSize(2);
    assertThat(lines().getFirst()).endsWith(" requests_failed listen=unix:/l notShown=95");
    nanos += TimeUnit.SECONDS.toNanos(1) + 1;
    err.reset();
    fail(3);
    assertThat(lines()).as("nothing was left out").hasSize(3);
  }

  private void fail(int count) {
    for (int i = 0; i < count; i++) {
      clients.requestFailed(new FailedRequest(CLIENT, "write", 255, -1, 512, Errno.EIO));
    }
  }

  private List<String> lines() {
    return err.toString(StandardCharsets.UTF_8).lines().toList();
  }
}
