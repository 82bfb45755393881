package oxbow.target.clone;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Aim: no user ever reads what nobody wrote, and nothing that was flushed is lost, whatever the
 * order in which I/O ends. Method: seeded histories of requests over a small world, each completion
 * picked by the seed, against a model of what each sector may hold; errors and crashes now and
 * then. And the same with the orders that must hold broken on purpose: the histories must notice.
 */
class CloneCoreRandomTest {
  private static final int HISTORIES = Integer.getInteger("oxbow.histories", 3000);

  /** Far more than are needed to notice any of the defects. */
  private static final int HISTORIES_FOR_A_DEFECT = 3000;

  @Test
  @DisplayName("R1-R4 W1-W8 D1-D6 F1-F7 M1-M7 Z5 O1-O7: any history, any order of completion")
  void everyHistoryKeepsEveryPromise() {
    Long only = Long.getLong("oxbow.seed");
    for (long seed = only == null ? 0 : only; ; seed++) {
      try {
        new CloneHistory(seed, Defect.NONE).run();
      } catch (RuntimeException | AssertionError e) {
        throw new AssertionError(
            "reproduce with: ./mvnw test -pl core -Dtest=CloneCoreRandomTest -Doxbow.seed=" + seed,
            e);
      }
      if (only != null || seed == HISTORIES) {
        return;
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = "NONE", mode = EnumSource.Mode.EXCLUDE)
  @DisplayName("M1 M2 F4 F5 O1 C1 O4 O6: a broken order is noticed")
  void historiesNoticeEveryDefect(Defect defect) {
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
    assertThat(noticedAfter).as("histories until %s is noticed", defect).isNotNegative();
    // Noticed as what it is: lost or foreign data, not a stumble of the simulation itself.
    assertThat(how).containsAnyOf("a crash leaves", "found", "old destination contents");
  }
}
