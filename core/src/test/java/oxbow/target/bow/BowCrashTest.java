package oxbow.target.bow;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import oxbow.sim.Histories;

/**
 * Aim: whatever a power cut leaves, in any phase, goes back to the checkpoint and forward to what
 * was written last, by the tools that users have for it. Method: random lives, crash states before
 * every event; and the same with one thing done in the wrong order, which must be noticed.
 */
class BowCrashTest {
  private static final int SAMPLES = 5;
  private static final int USUAL_HISTORIES = 120;

  @Test
  @DisplayName("B1 to B7: both ways from every crash state")
  @Timeout(value = 365, unit = TimeUnit.DAYS) // For a soak; the build has its own limit.
  void everyCrashStateGoesBackAndForward() {
    long[] sums = new long[5];
    Histories histories =
        new Histories(
                "BowCrashTest#everyCrash*",
                seed -> {
                  BowHistory history = new BowHistory(seed, SAMPLES, target -> target).run();
                  sums[0] += history.world.crashStates;
                  sums[1] += history.world.rolledBack;
                  sums[2] = Math.max(sums[2], history.world.longestChain);
                  sums[3] += history.world.movesOfBlock0;
                  sums[4] += history.world.state() == BowState.COMMITTED ? 1 : 0;
                })
            .run(USUAL_HISTORIES);
    System.out.printf(
        "BowCrashTest: %s, %d crash states, %d of them with a log; up to %d logs; block 0 moved in"
            + " %d, committed %d%n",
        histories, sums[0], sums[1], sums[2], sums[3], sums[4]);
    if (Long.getLong("oxbow.seed") == null) {
      assertThat(sums[0]).as("crash states").isGreaterThan(100_000);
      assertThat(sums[2]).as("logs of a chain").isGreaterThan(2);
      assertThat(sums[3]).as("moves of block 0").isPositive();
      assertThat(sums[4]).as("commits").isPositive();
    }
  }

  @ParameterizedTest
  @EnumSource(BowDefect.class)
  void whatIsDoneWrongIsFound(BowDefect defect) {
    int seed = firstFailure(defect, 200);
    assertThat(seed).as(defect + " stays unnoticed").isNotNegative();
  }

  private static int firstFailure(BowDefect defect, int seeds) {
    for (int seed = 0; seed < seeds; seed++) {
      try {
        new BowHistory(seed, SAMPLES, defect::around).run();
      } catch (AssertionError found) {
        return seed;
      }
    }
    return -1;
  }
}
