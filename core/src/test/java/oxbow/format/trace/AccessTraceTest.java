package oxbow.format.trace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Aim: traces are read as docs/format/trace.md says. Method: texts, right, wrong and cut short. */
class AccessTraceTest {
  private static AccessTrace read(String text) throws IOException {
    return AccessTrace.read(new ByteArrayInputStream(text.getBytes(StandardCharsets.ISO_8859_1)));
  }

  @Test
  void whatIsWrittenIsRead() throws IOException {
    StringBuilder text = new StringBuilder(AccessTrace.header(1L << 40));
    Random random = new Random(1);
    long[] numbers = random.longs(20_000, 1, 1L << 40).toArray();
    for (int i = 0; i < numbers.length; i += 2) {
      text.append(AccessTrace.line(numbers[i], numbers[i + 1]));
    }
    AccessTrace trace = read(text.toString());
    assertThat(trace.deviceSectors()).isEqualTo(1L << 40);
    assertThat(trace.rangeCount()).isEqualTo(10_000);
    for (int i = 0; i < trace.rangeCount(); i++) {
      assertThat(trace.firstSector(i)).isEqualTo(numbers[2 * i]);
      assertThat(trace.sectorCount(i)).isEqualTo(numbers[2 * i + 1]);
    }
    assertThat(trace.wholeBytes()).isEqualTo(text.length());
  }

  @Test
  void aLastLineThatWasCutShortIsLeftOut() throws IOException {
    AccessTrace trace = read("oxbow-trace 1 100\n8 16\n32 ");
    assertThat(trace.rangeCount()).isEqualTo(1);
    assertThat(trace.wholeBytes()).isEqualTo("oxbow-trace 1 100\n8 16\n".length());
    assertThat(read("oxbow-trace 1 100\n8 16\n3").rangeCount()).isEqualTo(1);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "''|line 1: not a trace",
        "oxbow-trace 1 100|line 1: not a trace",
        "QFI#|line 1: not a trace",
        "oxbow-trace 1#|line 1: not a trace",
        "oxbow-trace 2 100#|line 1: a trace of version 2",
        "oxbow-trace 1 x#|line 1: not a number of sectors",
        "oxbow-trace 1 100#8#|line 2: not a first sector",
        "oxbow-trace 1 100#8 0#|line 2: not a first sector",
        "oxbow-trace 1 100#8 -1#|line 2: not a first sector",
        "oxbow-trace 1 100#8 8 8#|line 2: not a first sector",
        "oxbow-trace 1 100#8  8#|line 2: not a first sector",
        "oxbow-trace 1 100#8 8##|line 3: not a first sector",
        "oxbow-trace 1 100#8 0x8#|line 2: not a first sector",
        "oxbow-trace 1 100#8 99999999999999999#|line 2: not a first sector",
      })
  void whatIsNoTraceIsRefusedWithTheLine(String text, String sentence) {
    assertThatThrownBy(() -> read(text.replace('#', '\n')))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith(sentence);
  }

  @Test
  void aLineWithoutEndIsNotReadToTheEnd() {
    assertThatThrownBy(() -> read("x".repeat(1000))).hasMessage("line 1: too long");
  }

  @Test
  void thereAreNoMoreRangesThanTheFormatAllows() throws IOException {
    String most = AccessTrace.header(8) + "0 8\n".repeat(AccessTrace.MAX_RANGES);
    assertThat(read(most).rangeCount()).isEqualTo(AccessTrace.MAX_RANGES);
    assertThatThrownBy(() -> read(most + "0 8\n"))
        .hasMessage("line 1048578: more than 1048576 ranges");
  }
}
