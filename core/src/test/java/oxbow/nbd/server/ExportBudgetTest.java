package oxbow.nbd.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import oxbow.nbd.server.ExportBudget.Place;

/**
 * The line before an export at its limits is served in order, and nothing is ever left waiting
 * beside free room. Method: places that note when they are woken, on one thread.
 */
class ExportBudgetTest {
  private final List<String> woken = new ArrayList<>();
  private final Place a = new Place(() -> woken.add("a"));
  private final Place b = new Place(() -> woken.add("b"));
  private final Place c = new Place(() -> woken.add("c"));

  private static ExportBudget budget(int requests, long bytes) {
    return new ExportBudget(ExportLimits.UNLIMITED.withInFlight(requests, bytes));
  }

  @Test
  void whoComesIsServedInTheOrderOfTheLine() {
    ExportBudget budget = budget(1, Long.MAX_VALUE);
    assertThat(budget.take(a, 1)).isTrue();
    assertThat(budget.take(b, 1)).isFalse();
    assertThat(budget.take(c, 1)).isFalse();
    assertThat(budget.take(b, 1)).isFalse(); // Asking twice changes nothing.
    budget.give(1);
    assertThat(woken).containsExactly("b");
    assertThat(budget.take(a, 1)).isFalse(); // Nobody passes the line.
    assertThat(budget.take(c, 1)).isFalse();
    assertThat(budget.take(b, 1)).isTrue();
    budget.give(1);
    assertThat(woken).containsExactly("b", "c");
    assertThat(budget.take(c, 1)).isTrue();
    budget.give(1);
    assertThat(woken).containsExactly("b", "c", "a");
    assertThat(budget.take(a, 1)).isTrue();
  }

  @Test
  void whoGetsInWakesTheNextWhileThereIsRoom() {
    ExportBudget budget = budget(3, 100);
    assertThat(budget.take(a, 100)).isTrue();
    assertThat(budget.take(b, 50)).isFalse();
    assertThat(budget.take(c, 50)).isFalse();
    assertThat(budget.take(a, 0)).isFalse();
    budget.give(100);
    assertThat(woken).containsExactly("b");
    assertThat(budget.take(b, 50)).isTrue();
    assertThat(woken).containsExactly("b", "c");
    assertThat(budget.take(c, 50)).isTrue();
    assertThat(woken).containsExactly("b", "c", "a");
    assertThat(budget.take(a, 0)).isTrue();
    assertThat(budget.take(b, 0)).isFalse(); // Three are in.
  }

  @Test
  void largestRequestPassesTheSmallestLimitAlone() {
    ExportBudget budget = budget(9, 10);
    assertThat(budget.take(a, 1000)).isTrue();
    assertThat(budget.take(b, 1000)).isFalse();
    assertThat(budget.take(c, 1)).isFalse();
    budget.give(1000);
    assertThat(budget.take(b, 1000)).isTrue();
    assertThat(woken).containsExactly("b");
    budget.give(1000);
    assertThat(woken).containsExactly("b", "c");
    assertThat(budget.take(c, 1)).isTrue();
  }

  @Test
  void smallRequestsDoNotPassALargeOneForever() {
    ExportBudget budget = budget(9, 10);
    assertThat(budget.take(a, 5)).isTrue();
    assertThat(budget.take(a, 5)).isTrue();
    assertThat(budget.take(b, 10)).isFalse();
    budget.give(5);
    assertThat(woken).isEmpty(); // It does not fit yet.
    assertThat(budget.take(a, 5)).isFalse();
    budget.give(5);
    assertThat(woken).containsExactly("b");
    assertThat(budget.take(b, 10)).isTrue();
  }

  @Test
  void whoLeavesMakesWayForTheNext() {
    ExportBudget budget = budget(2, 10);
    assertThat(budget.take(a, 5)).isTrue();
    assertThat(budget.take(b, 10)).isFalse();
    assertThat(budget.take(c, 5)).isFalse();
    budget.leave(b);
    assertThat(woken).containsExactly("c");
    budget.leave(b);
    assertThat(woken).containsExactly("c");
    assertThat(budget.take(c, 5)).isTrue();
    budget.give(5);
    budget.give(5);
    assertThat(woken).containsExactly("c");
  }

  @Test
  void withoutLimitsEverythingIsLetIn() {
    ExportBudget budget = new ExportBudget(ExportLimits.UNLIMITED);
    for (int i = 0; i < 1000; i++) {
      assertThat(budget.take(a, Long.MAX_VALUE)).isTrue();
    }
  }
}
