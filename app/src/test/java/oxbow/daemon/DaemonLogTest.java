package oxbow.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import oxbow.console.Console;
import oxbow.console.Json;

/** Aim: whatever is logged is one line that people and programs can take apart. */
class DaemonLogTest {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  @Test
  void aLineHasTheTimeAndTheFieldsInTheirOrder() {
    Map<String, @Nullable Object> fields = new LinkedHashMap<>();
    fields.put("device", "vol1");
    fields.put("listen", null);
    fields.put("request", 17);
    log(false).write("control", fields);
    String line = text(err);
    assertThat(line).matches("\\S+ control device=vol1 request=17\n");
    Instant time = Instant.parse(line.substring(0, line.indexOf(' ')));
    assertThat(Duration.between(time, Instant.now())).isBetween(Duration.ZERO, Duration.ofHours(1));
    assertThat(out.size()).isZero();
  }

  @Test
  void whatIsNoPlainWordStandsInQuotesOnOneLine() {
    log(false).write("x", Map.of("why", "a \"b\" \\c\nd=\u001b[31m\u0085"));
    assertThat(text(err)).endsWith(" x why=\"a \\\"b\\\" \\\\c d= [31m \"\n").hasLineCount(1);
    err.reset();
    log(false).write("x", Map.of("why", ""));
    assertThat(text(err)).endsWith(" x why=\"\"\n");
  }

  @Test
  void aSingleControlCharacterIsNoPlainWord() {
    for (String character : new String[] {"\u001b", "\u0000", "\u007f", "\u2028", "\u00a0"}) {
      err.reset();
      log(false).write("x", Map.of("why", "a" + character + "b"));
      assertThat(text(err)).endsWith(" x why=\"a b\"\n");
    }
  }

  @Test
  void forProgramsItIsAnObjectAsWell() throws Exception {
    Map<String, @Nullable Object> fields = new LinkedHashMap<>();
    fields.put("device", "a\nb");
    fields.put("listen", null);
    log(true).write("created", fields);
    assertThat(text(out)).hasLineCount(1);
    assertThat(Json.object(text(out)))
        .containsEntry("event", "created")
        .containsEntry("device", "a\nb")
        .containsEntry("listen", null)
        .containsKey("time");
    assertThat(text(err)).hasLineCount(1);
  }

  private DaemonLog log(boolean isJson) {
    return new DaemonLog(
        new Console(
            new PrintStream(out, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8),
            false,
            isJson));
  }

  private static String text(ByteArrayOutputStream stream) {
    return stream.toString(StandardCharsets.UTF_8);
  }
}
