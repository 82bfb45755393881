package oxbow.device.watch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import oxbow.block.Operation;

/** Aim: whatever a request may change is marked, and nothing else. Method: requests and bits. */
class WriteMarksTest {
  private static final long BLOCK = 4096;
  private static final int BLOCKS = 1000;

  private static List<Integer> marked(WriteMarks marks) {
    List<Integer> blocks = new ArrayList<>();
    for (int block = 0; block < BLOCKS; block++) {
      if (marks.isMarked(block)) {
        blocks.add(block);
      }
    }
    return blocks;
  }

  @Test
  void changesMarkEveryBlockTheyTouch() {
    WriteMarks marks = new WriteMarks(BLOCKS * BLOCK, BLOCK);
    marks.accessed(Operation.WRITE, 5 * BLOCK + 100, 1);
    marks.accessed(Operation.WRITE_ZEROES, 63 * BLOCK + 4095, 2);
    marks.accessed(Operation.DISCARD, 999 * BLOCK, BLOCK);
    marks.accessed(Operation.WRITE, 7 * BLOCK, 0);
    assertThat(marked(marks)).containsExactly(5, 63, 64, 999);
  }

  @Test
  void whatChangesNothingMarksNothing() {
    WriteMarks marks = new WriteMarks(BLOCKS * BLOCK, BLOCK);
    for (Operation operation : List.of(Operation.READ, Operation.CACHE, Operation.FLUSH)) {
      marks.accessed(operation, 0, BLOCKS * BLOCK);
    }
    assertThat(marked(marks)).isEmpty();
  }

  @Test
  void manyRequestsMarkAsAPlainSetDoes() {
    Random random = new Random(5);
    WriteMarks marks = new WriteMarks(BLOCKS * BLOCK - 700, BLOCK);
    BitSet model = new BitSet();
    for (int i = 0; i < 60; i++) {
      int first = random.nextInt(BLOCKS);
      int count = Math.min(1 + random.nextInt(i % 10 == 0 ? 300 : 4), BLOCKS - first);
      marks.accessed(Operation.WRITE, first * BLOCK + 1, count * BLOCK - 701);
      model.set(first, first + count);
      assertThat(marked(marks)).hasSize(model.cardinality()).allMatch(model::get);
    }
  }

  @Test
  void afterTheReleaseNothingIsMarkedAndNobodyMayAsk() {
    WriteMarks marks = new WriteMarks(BLOCKS * BLOCK, BLOCK);
    marks.release();
    marks.accessed(Operation.WRITE, 0, BLOCK);
    assertThatThrownBy(() -> marks.isMarked(0)).isInstanceOf(IllegalStateException.class);
  }
}
