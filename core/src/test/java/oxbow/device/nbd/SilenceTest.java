package oxbow.device.nbd;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Aim: a dead server is told from a slow one and from one that nobody asks. Method: a connection is
 * looked at with a clock of the test's own; the limit is 100.
 */
class SilenceTest {
  private static final long LIMIT = 100;

  private final Silence silence = new Silence();

  @BeforeEach
  void begin() {
    silence.begin(1000);
    silence.look(0, false, 1000);
  }

  @Test
  void silenceEndsAtTheLimitAndNotBefore() {
    silence.look(0, true, 1010);
    assertThat(silence.isOver(LIMIT, 1099)).isFalse();
    assertThat(silence.isOver(LIMIT, 1100)).isTrue();
    assertThat(silence.sinceNanos()).isEqualTo(1000);
  }

  @Test
  void anyByteBeginsTheTimeAnew() {
    for (int i = 0; i < 100; i++) {
      silence.look(i, true, 1000 + i * 90L);
      assertThat(silence.isOver(LIMIT, 1000 + i * 90L)).isFalse();
    }
  }

  @Test
  void whoIsNotAskedIsNotSilent() {
    silence.look(0, false, 5000);
    silence.look(0, true, 5050);
    assertThat(silence.isOver(LIMIT, 5099)).isFalse();
    assertThat(silence.isOver(LIMIT, 5100)).isTrue();
  }

  @Test
  void aCommandThatCostAConnectionIsGrantedTwiceTheTimeOnTheNext() {
    silence.sent(1);
    assertThat(silence.isOver(LIMIT, 1199)).isFalse();
    assertThat(silence.isOver(LIMIT, 1200)).isTrue();
    silence.sent(2);
    silence.sent(0);
    assertThat(silence.isOver(LIMIT, 1399)).isFalse();
    silence.sent(1000);
    assertThat(silence.isOver(LIMIT, 1000 + 32 * LIMIT)).as("but not endlessly").isTrue();
    silence.look(0, false, 9000);
    assertThat(silence.isOver(LIMIT, 9100)).as("until all is answered").isTrue();
  }

  @Test
  void noLimitIsNone() {
    silence.sent(3);
    assertThat(silence.isOver(Long.MAX_VALUE, Long.MAX_VALUE)).isFalse();
  }

  @Test
  void aConnectionIsNoBetterThanAnotherUnlessItShowedLifeSince() {
    Silence other = new Silence();
    other.begin(900);
    other.look(0, false, 950);
    assertThat(other.isNoBetterThan(silence)).isTrue();
    other.look(1, true, 1001);
    assertThat(other.isNoBetterThan(silence)).isFalse();
  }
}
