package oxbow.inspect;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.StringReader;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Aim: a list of free space says what was meant, or nothing. Method: literal texts. */
class FreeListTest {
  private static final long DEVICE_BYTES = 1 << 20;

  private static List<ByteRange> parse(String text) throws IOException {
    return FreeList.parse("free.txt", new BufferedReader(new StringReader(text)), DEVICE_BYTES);
  }

  @Test
  void rangesAreSortedAndNeighboursAreOne() throws IOException {
    String text =
        """
        # offset  length
        64KiB     32KiB

        8s\t8s    # sectors
        8192      512
        1020K     4K
        """;
    assertThat(parse(text))
        .containsExactly(
            new ByteRange(4096, 4608), new ByteRange(65536, 32768), new ByteRange(1044480, 4096));
    assertThat(parse("# nothing\n\n")).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "4096, an offset and a length",
    "4096 4096 4096, an offset and a length",
    "4096 all, is not a size",
    "-4096 4096, is not a size",
    "4096 1000, whole sectors",
    "1000 4096, whole sectors",
    "4096 0, the range is empty",
    "0 4096, the log will be there",
    "1M 512, goes past the end of a device of 1048576 bytes",
    "4096 1M, goes past the end",
    "9223372036854775296 512, goes past the end",
    "512 9223372036854775296, goes past the end"
  })
  void whatCannotBeMeantIsRefusedWithItsLine(String line, String why) {
    assertThatThrownBy(() -> parse("# one\n4K 4K\n" + line + "\n"))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith("free.txt, line 3: ")
        .hasMessageContaining(why);
  }

  @Test
  void rangesThatOverlapAreRefused() {
    assertThatThrownBy(() -> parse("8K 8K\n4K 4608\n"))
        .hasMessage("free.txt, line 1: the range overlaps that of line 2");
  }
}
