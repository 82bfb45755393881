package oxbow.control;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import oxbow.console.Json;

/**
 * Events as HTTP carries them ({@code text/event-stream}): lines with {@code id}, {@code event} and
 * {@code data}, and an empty line behind each event. Lines that begin with a colon say nothing.
 */
final class EventStream {
  static final String CONTENT_TYPE = "text/event-stream";

  /** So often something is sent, that a peer which is gone may be noticed. */
  static final Duration HEARTBEAT = Duration.ofSeconds(15);

  private static final Duration SLICE = Duration.ofMillis(200);

  private EventStream() {}

  /**
   * Writes what a source tells, each event at once, until it ends or nobody listens. Blocks.
   *
   * @param heartbeat the longest time without a line
   */
  static void write(
      EventSource source, OutputStream to, BooleanSupplier isAbandoned, Duration heartbeat)
      throws IOException {
    // The peer learns that it is connected before anything happens.
    send(to, ": connected\n\n");
    long last = System.nanoTime();
    while (!isAbandoned.getAsBoolean()) {
      Event event = source.next(SLICE);
      if (event != null) {
        send(to, text(event));
        last = System.nanoTime();
      } else if (source.hasEnded()) {
        return;
      } else if (System.nanoTime() - last > heartbeat.toNanos()) {
        send(to, ":\n\n");
        last = System.nanoTime();
      }
    }
  }

  private static void send(OutputStream to, String text) throws IOException {
    to.write(text.getBytes(StandardCharsets.UTF_8));
    to.flush();
  }

  private static String text(Event event) {
    return "id: %d\nevent: %s\ndata: %s\n\n"
        .formatted(event.id(), event.kind(), Json.line(event.data()));
  }

  /** Reads events and hands them over, until the stream ends. Blocks. */
  static void read(InputStream from, Consumer<Event> to) throws IOException {
    BufferedReader lines = new BufferedReader(new InputStreamReader(from, StandardCharsets.UTF_8));
    long id = 0;
    String kind = "";
    Map<String, @Nullable Object> data = Map.of();
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      if (line.isEmpty() && !kind.isEmpty()) {
        to.accept(new Event(id, kind, data));
        kind = "";
      }
      String[] field = line.split(": ", 2);
      switch (field[0]) {
        case "id" -> id = Long.parseLong(field[1]);
        case "event" -> kind = field[1];
        case "data" -> data = Json.object(field[1]);
        default -> {
          // A heartbeat, or the end of an event.
        }
      }
    }
  }
}
