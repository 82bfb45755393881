package oxbow.target;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

/** Aim: an answer about extents says what was told. Method: against one boolean per byte. */
class ExtentQueryTest {
  @Test
  void anyAnswerSaysOfEachByteWhatWasTold() {
    Random random = new Random(3);
    ExtentQuery query = new ExtentQuery();
    for (int round = 0; round < 200; round++) {
      int from = random.nextInt(1000);
      boolean[] isZero = new boolean[3000];
      query.begin(from);
      int at = from;
      for (int i = random.nextInt(40); i >= 0; i--) {
        int length = 1 + random.nextInt(30);
        boolean zero = random.nextBoolean();
        for (int k = 0; k < length; k++) {
          isZero[at++] = zero;
        }
        query.add(length, zero);
      }
      assertThat(query.offsetBytes()).isEqualTo(from);
      assertThat(query.endBytes()).isEqualTo(at);
      assertThat(query.isKnown(from - 1)).isFalse();
      assertThat(query.isKnown(at)).isFalse();
      check(query, isZero, from, at);
    }
  }

  private static void check(ExtentQuery query, boolean[] isZero, int from, int to) {
    int runEnd = to;
    for (int at = to - 1; at >= from; at--) {
      if (at + 1 < to && isZero[at] != isZero[at + 1]) {
        runEnd = at + 1;
      }
      assertThat(query.isKnown(at)).isTrue();
      assertThat(query.isZero(at)).isEqualTo(isZero[at]);
      // Equal neighbours are one extent.
      assertThat(query.extentEndBytes(at)).isEqualTo(runEnd);
    }
  }

  @Test
  void aNewQuestionForgetsTheLastAnswer() {
    ExtentQuery query = new ExtentQuery();
    query.begin(0);
    query.add(10, true);
    query.begin(100);
    assertThat(query.isKnown(5)).isFalse();
    assertThat(query.endBytes()).isEqualTo(100);
  }

  @Test
  void itHoldsAsManyExtentsAsItSays() {
    ExtentQuery query = new ExtentQuery();
    query.begin(0);
    for (int i = 0; i < ExtentQuery.MAX_EXTENTS; i++) {
      query.add(2, i % 2 == 0);
    }
    assertThat(query.endBytes()).isEqualTo(2 * ExtentQuery.MAX_EXTENTS);
    assertThat(query.isZero(2 * ExtentQuery.MAX_EXTENTS - 1)).isFalse();
  }
}
