package oxbow.target.clone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * Aim: one owner per region (O1). Method: against a plain list that is searched from end to end.
 */
class RegionsInFlightTest {
  private static Hydration hydration(long first, long count) {
    return new Hydration().begin(Hydration.Cause.BACKGROUND, first, count, 0);
  }

  @Test
  @DisplayName("O1: an overlap is a fault of ours and is not taken in")
  void overlapsAreRefused() {
    RegionsInFlight inFlight = new RegionsInFlight();
    inFlight.add(hydration(10, 5));
    for (Hydration overlapping :
        List.of(hydration(10, 1), hydration(14, 1), hydration(9, 2), hydration(0, 100))) {
      assertThatThrownBy(() -> inFlight.add(overlapping)).hasMessageStartingWith("O1");
    }
    inFlight.add(hydration(9, 1));
    inFlight.add(hydration(15, 1));
    assertThat(inFlight.regionCount()).isEqualTo(7);
  }

  @Test
  void whatIsNotInFlightCannotEnd() {
    RegionsInFlight inFlight = new RegionsInFlight();
    inFlight.add(hydration(10, 5));
    assertThatThrownBy(() -> inFlight.remove(hydration(10, 5))).hasMessageStartingWith("not in");
    assertThatThrownBy(() -> inFlight.remove(hydration(99, 5))).hasMessageStartingWith("not in");
  }

  @Test
  @DisplayName("H3 T2: any history finds the same owners and counts as a plain list")
  void anyHistoryFindsTheSameOwnersAsAPlainList() {
    Random random = new Random(7);
    RegionsInFlight inFlight = new RegionsInFlight();
    List<Hydration> plain = new ArrayList<>();
    for (int step = 0; step < 20_000; step++) {
      long first = random.nextInt(1000);
      long end = first + 1 + random.nextInt(8);
      Hydration owner = firstOverlapping(plain, first, end);
      assertThat(inFlight.firstOverlapping(first, end)).isSameAs(owner);
      if (owner == null && random.nextInt(3) > 0) {
        Hydration hydration = hydration(first, end - first);
        inFlight.add(hydration);
        plain.add(hydration);
      } else if (!plain.isEmpty()) {
        inFlight.remove(plain.remove(random.nextInt(plain.size())));
      }
      assertThat(inFlight.regionCount())
          .isEqualTo(plain.stream().mapToLong(hydration -> hydration.count).sum());
      assertThat(inFlight.isEmpty()).isEqualTo(plain.isEmpty());
    }
  }

  private static @Nullable Hydration firstOverlapping(List<Hydration> plain, long first, long end) {
    Hydration found = null;
    for (Hydration hydration : plain) {
      if (hydration.overlaps(first, end) && (found == null || hydration.first < found.first)) {
        found = hydration;
      }
    }
    return found;
  }
}
