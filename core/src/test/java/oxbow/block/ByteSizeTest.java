package oxbow.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Aim: sizes mean what the manual says, and nothing else is taken for one. */
class ByteSizeTest {
  @ParameterizedTest
  @CsvSource({
    "0, 0",
    "1, 1",
    "4096, 4096",
    "4KiB, 4096",
    "4K, 4096",
    "3MiB, 3145728",
    "3M, 3145728",
    "1GiB, 1073741824",
    "1G, 1073741824",
    "2TiB, 2199023255552",
    "2T, 2199023255552",
    "8s, 4096",
    "9223372036854775807, 9223372036854775807"
  })
  void everyUnitIsUnderstood(String text, long bytes) {
    assertThat(ByteSize.parse(text)).isEqualTo(bytes);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "", "K", "s", "4k", "4kib", "4KB", "4 KiB", " 4", "-1", "+1", "1.5G", "0x10", "4Ks"
      })
  void whatIsNoSizeIsRefusedWithTheWordsThatAreAllowed(String text) {
    assertThatThrownBy(() -> ByteSize.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("\"" + text + "\" is not a size")
        .hasMessageContaining("KiB, MiB, GiB, TiB, K, M, G, T or s");
  }

  @ParameterizedTest
  @ValueSource(strings = {"9223372036854775808", "8388608T", "99999999999999999999s"})
  void whatDoesNotFitIsRefusedAsTooLarge(String text) {
    assertThatThrownBy(() -> ByteSize.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("is too large");
  }

  @Test
  void formattingIsExactAndParsesBack() {
    assertThat(ByteSize.format(0)).isEqualTo("0");
    assertThat(ByteSize.format(1000)).isEqualTo("1000");
    assertThat(ByteSize.format(4096)).isEqualTo("4KiB");
    assertThat(ByteSize.format(1536L << 20)).isEqualTo("1536MiB");
    assertThat(ByteSize.format(64L << 40)).isEqualTo("64TiB");
    for (long bytes : new long[] {1, 512, 1023, 1 << 20, (1 << 20) + 512, Long.MAX_VALUE}) {
      assertThat(ByteSize.parse(ByteSize.format(bytes))).isEqualTo(bytes);
    }
  }
}
