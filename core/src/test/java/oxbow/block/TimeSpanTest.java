package oxbow.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Aim: users' times mean what they look like, and what is none is refused. */
class TimeSpanTest {
  @ParameterizedTest
  @CsvSource({
    "0, 0",
    "30, 30000",
    "30s, 30000",
    "250ms, 250",
    "5m, 300000",
    "2h, 7200000",
    "1d, 86400000"
  })
  void aTimeIsANumberWithAUnitOrOfSeconds(String text, long millis) {
    assertThat(TimeSpan.parse(text)).isEqualTo(TimeUnit.MILLISECONDS.toNanos(millis));
    assertThat(TimeSpan.parseHold(text)).isEqualTo(TimeUnit.MILLISECONDS.toNanos(millis));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "s", "-1", "1.5", "1 s", "30x", "9999999999", "Forever"})
  void whatIsNoTimeIsRefusedWithWhatIsAllowed(String text) {
    assertThatThrownBy(() -> TimeSpan.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("\"" + text + "\" is not a time");
    assertThatThrownBy(() -> TimeSpan.parseHold(text)).hasMessageContaining("nor forever or fail");
  }

  @Test
  void aHoldMayHaveNoLimitOrNotBe() {
    assertThat(TimeSpan.parseHold("forever")).isEqualTo(Remote.FOREVER);
    assertThat(TimeSpan.parseHold("fail")).isZero();
    assertThatThrownBy(() -> TimeSpan.parse("forever")).hasMessageContaining("is not a time");
  }
}
