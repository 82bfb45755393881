package oxbow.target;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * Aim: one owner per region or chunk (O1). Method: against a plain list that is searched from end
 * to end.
 */
class OwnedRangesTest {
  private static OwnedRange range(long first, long count) {
    OwnedRange range = new OwnedRange();
    range.set(first, count);
    return range;
  }

  @Test
  @DisplayName("O1: an overlap is a fault of ours and is not taken in")
  void overlapsAreRefused() {
    OwnedRanges<OwnedRange> inFlight = new OwnedRanges<>();
    inFlight.add(range(10, 5));
    for (OwnedRange overlapping : List.of(range(10, 1), range(14, 1), range(9, 2), range(0, 100))) {
      assertThatThrownBy(() -> inFlight.add(overlapping)).hasMessageStartingWith("O1");
    }
    inFlight.add(range(9, 1));
    inFlight.add(range(15, 1));
    assertThat(inFlight.partCount()).isEqualTo(7);
  }

  @Test
  void whatIsNotInFlightCannotEnd() {
    OwnedRanges<OwnedRange> inFlight = new OwnedRanges<>();
    inFlight.add(range(10, 5));
    assertThatThrownBy(() -> inFlight.remove(range(10, 5))).hasMessageStartingWith("not in");
    assertThatThrownBy(() -> inFlight.remove(range(99, 5))).hasMessageStartingWith("not in");
  }

  @Test
  @DisplayName("H3 T2: any history finds the same owners and counts as a plain list")
  void anyHistoryFindsTheSameOwnersAsAPlainList() {
    Random random = new Random(7);
    OwnedRanges<OwnedRange> inFlight = new OwnedRanges<>();
    List<OwnedRange> plain = new ArrayList<>();
    for (int step = 0; step < 20_000; step++) {
      long first = random.nextInt(1000);
      long end = first + 1 + random.nextInt(8);
      OwnedRange owner = firstOverlapping(plain, first, end);
      assertThat(inFlight.firstOverlapping(first, end)).isSameAs(owner);
      if (owner == null && random.nextInt(3) > 0) {
        OwnedRange range = range(first, end - first);
        inFlight.add(range);
        plain.add(range);
      } else if (!plain.isEmpty()) {
        inFlight.remove(plain.remove(random.nextInt(plain.size())));
      }
      assertThat(inFlight.partCount())
          .isEqualTo(plain.stream().mapToLong(range -> range.count()).sum());
      assertThat(inFlight.isEmpty()).isEqualTo(plain.isEmpty());
    }
  }

  private static @Nullable OwnedRange firstOverlapping(
      List<OwnedRange> plain, long first, long end) {
    OwnedRange found = null;
    for (OwnedRange range : plain) {
      if (range.overlaps(first, end) && (found == null || range.first() < found.first())) {
        found = range;
      }
    }
    return found;
  }
}
