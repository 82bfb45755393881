package oxbow.target.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import oxbow.sim.Histories;

/**
 * Aim: a snapshot shows what the origin held when it began, and no crash takes back what was
 * flushed, whatever the order in which I/O ends, and whatever becomes of the store. Method: seeded
 * histories of requests over a small origin and up to three snapshots, each completion picked by
 * the seed, errors now and then, power failing before every event on a disk, against a model of
 * what each sector may hold. And the same with the orders that must hold broken on purpose: the
 * histories must notice.
 *
 * @see "docs/testing/crash.md"
 */
class SnapshotCrashTest {
  private static final int HISTORIES = 200;

  /** Far more than are needed to notice any of the defects. */
  private static final int HISTORIES_FOR_A_DEFECT = 3000;

  private static final String TEST = "SnapshotCrashTest#everyHistoryKeepsEveryPromise";

  private long crashes;

  @Test
  @DisplayName("R1-R3 W1-W6 O1-O7 E1-E5 F1-F5 H1-H6 M1-M11 N1-N6 O20-O24: any history, any crash")
  @Timeout(value = 365, unit = TimeUnit.DAYS) // For a soak; the build has its own limit.
  void everyHistoryKeepsEveryPromise() {
    Histories histories = new Histories(TEST, this::run).run(HISTORIES);
    System.out.println("snapshot: " + crashes + " crash states in " + histories);
    assertThat(crashes).isGreaterThan(Long.getLong("oxbow.seed") == null ? 100_000 : 0);
  }

  private void run(long seed) {
    crashes += new SnapshotHistory(seed, Defect.NONE).run();
  }

  @ParameterizedTest
  @EnumSource(names = "NONE", mode = EnumSource.Mode.EXCLUDE)
  @DisplayName("E1 E3 R2 O2 O4 F2 F5 H3 M3-M5 O3 O20 O22-O24: each broken order is noticed")
  void everyDefectIsNoticed(Defect defect) {
    int noticedAfter = -1;
    String how = "";
    for (int seed = 0; seed < HISTORIES_FOR_A_DEFECT && noticedAfter < 0; seed++) {
      try {
        new SnapshotHistory(seed, defect).run();
      } catch (AssertionError e) {
        noticedAfter = seed;
        how = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
      }
    }
    assertThat(noticedAfter).as("histories until %s is noticed", defect.rule).isNotNegative();
    // Noticed as what it is: lost or foreign data, not a stumble of the simulation itself.
    assertThat(how).containsAnyOf("leaves", "found", "two writes in");
  }
}
