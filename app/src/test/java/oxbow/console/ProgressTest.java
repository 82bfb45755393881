package oxbow.console;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Aim: people see how far, how fast and how long. Method: a clock of the test's own. */
class ProgressTest {
  private static final long GIB = 1L << 30;
  private static final long MIB = 1L << 20;

  @Test
  void theLineTellsShareAmountRateAndTimeLeft() {
    Progress progress = new Progress("clone", 10 * GIB, 0, 0);
    progress.update(seconds(1), 100 * MIB, 100 * MIB, 0, null);
    assertThat(progress.line())
        .isEqualTo("clone: 0 %, 100 MiB of 10 GiB, 100 MiB/s, 1 min 41 s left");
  }

  @Test
  void hundredPercentMeansAll() {
    assertThat(Progress.percent(9_999_999, 10_000_000)).isEqualTo(99);
    assertThat(Progress.percent(Long.MAX_VALUE - 1, Long.MAX_VALUE)).isEqualTo(99);
    assertThat(Progress.percent(10, 10)).isEqualTo(100);
    assertThat(Progress.percent(0, 0)).isEqualTo(100);
    assertThat(Progress.percent(0, 10)).isZero();
  }

  @Test
  void theBarNeverReachesTheEdgeOfTheTerminal() {
    Progress progress = new Progress("clone of a rather long name", 10 * GIB, 0, 0);
    progress.update(seconds(2), 5 * GIB, GIB, 3, "paused: too many failures");
    for (int columns = 1; columns < 200; columns++) {
      assertThat(progress.bar(columns).length()).isLessThan(columns);
    }
    assertThat(progress.bar(160)).contains(" 50 %", "[====", "3 failures", "paused");
  }

  @Test
  void holesCountAsDoneButNotAsMoved() {
    Progress progress = new Progress("clone", GIB, 0, 0);
    progress.update(seconds(1), GIB, MIB, 0, null);
    assertThat(progress.line()).isEqualTo("clone: 100 %, 1 GiB of 1 GiB, 1 MiB/s");
  }

  @Test
  void durationsAreShort() {
    assertThat(Progress.duration(59)).isEqualTo("59 s");
    assertThat(Progress.duration(200)).isEqualTo("3 min 20 s");
    assertThat(Progress.duration(7500)).isEqualTo("2 h 05 min");
    assertThat(Progress.duration(100 * 3600)).isEqualTo("4 d 4 h");
  }

  private static long seconds(long seconds) {
    return TimeUnit.SECONDS.toNanos(seconds);
  }
}
