package oxbow.target.clone;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import oxbow.sim.Histories;

/**
 * Aim: no user ever reads what nobody wrote, and no crash takes back what was flushed, whatever the
 * order in which I/O ends. Method: seeded histories of requests over a whole small clone, each
 * completion picked by the seed, errors now and then, power failing before every event on a disk,
 * against a model of what each sector may hold. And the same with the orders that must hold broken
 * on purpose: the histories must notice.
 *
 * @see "docs/testing/crash.md"
 */
class CloneCrashTest {
  private static final int HISTORIES = 600;

  /** Far more than are needed to notice any of the defects. */
  private static final int HISTORIES_FOR_A_DEFECT = 3000;

  private static final String TEST = "CloneCrashTest#everyHistoryKeepsEveryPromise";

  private long crashes;

  @Test
  @DisplayName("R1-R4 W1-W8 D1-D6 F1-F7 M1-M7 Z5 O1-O7: any history, any crash")
  @Timeout(value = 365, unit = TimeUnit.DAYS) // For a soak; the build has its own limit.
  void everyHistoryKeepsEveryPromise() {
    Histories histories = new Histories(TEST, this::run).run(HISTORIES);
    System.out.println("clone: " + crashes + " crash states in " + histories);
    assertThat(crashes).isGreaterThan(Long.getLong("oxbow.seed") == null ? 100_000 : 0);
  }

  private void run(long seed) {
    crashes += new CloneHistory(seed, Defect.NONE).run();
  }

  @ParameterizedTest
  @EnumSource(names = "NONE", mode = EnumSource.Mode.EXCLUDE)
  @DisplayName("M1 M2 F1-F6 D6 O1-O7, metadata 7: each broken order is noticed")
  void everyDefectIsNoticed(Defect defect) {
    int noticedAfter = -1;
    String how = "";
    for (int seed = 0; seed < HISTORIES_FOR_A_DEFECT && noticedAfter < 0; seed++) {
      try {
        new CloneHistory(seed, defect).run();
      } catch (AssertionError e) {
        noticedAfter = seed;
        how = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
      }
    }
    assertThat(noticedAfter).as("histories until %s is noticed", defect.rule).isNotNegative();
    // Noticed as what it is: lost or foreign data, not a stumble of the simulation itself.
    assertThat(how)
        .containsAnyOf("a crash leaves", "found", "old destination contents", "two writes in");
  }
}
