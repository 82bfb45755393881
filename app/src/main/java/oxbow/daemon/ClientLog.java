package oxbow.daemon;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import oxbow.block.Errno;
import oxbow.nbd.server.ServerListener;

/**
 * Tells of the clients of one address, and of their requests that failed: all of the first few of a
 * second, and how many more there were. Called on event loops.
 */
final class ClientLog implements ServerListener {
  private static final int SHOWN_PER_SECOND = 5;
  private static final long SECOND_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final Supplier<String> listen;
  private final UnaryOperator<String> deviceOf;
  private final EventLog events;
  private final DaemonLog log;
  private final LongSupplier nanoTime;

  /** Guarded by this, with what follows. */
  private long secondBegan;

  private int shown;
  private long hidden;

  /**
   * @param listen the address; asked when there are clients
   * @param deviceOf the name of the device that an export is
   */
  ClientLog(
      Supplier<String> listen, UnaryOperator<String> deviceOf, EventLog events, DaemonLog log) {
    this(listen, deviceOf, events, log, System::nanoTime);
  }

  ClientLog(
      Supplier<String> listen,
      UnaryOperator<String> deviceOf,
      EventLog events,
      DaemonLog log,
      LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
    this.secondBegan = nanoTime.getAsLong();
    this.listen = listen;
    this.deviceOf = deviceOf;
    this.events = events;
    this.log = log;
  }

  @Override
  public void connected(Client client) {
    events.add("connected", deviceOf.apply(client.exportName()), fields(client));
  }

  @Override
  public void disconnected(Client client) {
    events.add("disconnected", deviceOf.apply(client.exportName()), fields(client));
  }

  @Override
  public void requestFailed(FailedRequest failed) {
    // Whoever asks for zeros only if they come fast, and hears that they do not, has lost nothing.
    boolean isAnswer = failed.errno() == Errno.ENOTSUP;
    if (isAnswer || !mayShow()) {
      return;
    }
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("device", deviceOf.apply(failed.client().exportName()));
    fields.putAll(fields(failed.client()));
    fields.put("request", failed.cookieHex());
    fields.put("operation", failed.command());
    fields.put("offset", Long.toUnsignedString(failed.offsetBytes()));
    fields.put("bytes", failed.lengthBytes());
    fields.put("error", Errno.describe(failed.errno()));
    log.write("request_failed", fields);
  }

  private Map<String, Object> fields(Client client) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("listen", listen.get());
    fields.put("export", client.exportName());
    fields.put("connection", client.connection());
    fields.put("peer", client.peer());
    return fields;
  }

  private boolean mayShow() {
    long more = 0;
    boolean isShown;
    synchronized (this) {
      long now = nanoTime.getAsLong();
      if (now - secondBegan > SECOND_NANOS) {
        secondBegan = now;
        more = hidden;
        hidden = 0;
        shown = 0;
      }
      isShown = shown < SHOWN_PER_SECOND;
      shown++;
      hidden += isShown ? 0 : 1;
    }
    if (more > 0) {
      log.write("requests_failed", Map.of("listen", listen.get(), "notShown", more));
    }
    return isShown;
  }
}
