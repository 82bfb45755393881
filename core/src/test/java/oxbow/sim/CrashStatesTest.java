package oxbow.sim;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import oxbow.sim.CrashStates.Kind;
import oxbow.sim.CrashStates.Step;

/** Aim: every state that a crash may leave is among those that are made, and no other. */
class CrashStatesTest {
  private static final int SECTOR = 512;

  private static Step write(int device, int sector, String values, boolean isFua) {
    byte[] data = new byte[values.length() * SECTOR];
    for (int i = 0; i < values.length(); i++) {
      Arrays.fill(data, i * SECTOR, (i + 1) * SECTOR, (byte) values.charAt(i));
    }
    return new Step(Kind.WRITE, device, (long) sector * SECTOR, data, isFua, "");
  }

  private static Step flush(int device) {
    return new Step(Kind.FLUSH, device, 0, new byte[0], false, "");
  }

  private static final Step MARK = new Step(Kind.MARK, 0, 0, new byte[0], false, "here");

  private static final class Seen implements CrashStates.CutVisitor {
    final int cut;
    final Set<String> all = new HashSet<>();
    final Set<String> sampled = new HashSet<>();
    List<String> marks = List.of();

    Seen(int cut) {
      this.cut = cut;
    }

    @Override
    public void cut(CrashStates.Cut now) {
      if (now.number() != cut) {
        return;
      }
      marks = now.marks();
      now.allStates().forEach(state -> all.add(words(state)));
      Random random = new Random(1);
      for (int i = 0; i < 500; i++) {
        sampled.add(words(now.state(random)));
      }
    }

    /** A letter for each sector, a dot for zeros; a blank between devices. */
    private static String words(List<byte[]> state) {
      StringBuilder words = new StringBuilder();
      for (byte[] image : state) {
        words.append(words.isEmpty() ? "" : " ");
        for (int at = 0; at < image.length; at += SECTOR) {
          words.append(image[at] == 0 ? '.' : (char) image[at]);
        }
      }
      return words.toString();
    }
  }

  private static Seen at(int cut, Step... steps) throws IOException {
    Seen seen = new Seen(cut);
    byte[] empty = new byte[2 * SECTOR];
    new CrashStates(List.of(empty, empty), List.of(steps)).forEachCut(seen);
    assertThat(seen.sampled).as("samples are lawful, and find all").isEqualTo(seen.all);
    return seen;
  }

  @Test
  void beforeAFlushAnySectorMayBeLost() throws IOException {
    assertThat(at(1, write(0, 0, "ab", false)).all)
        .containsExactlyInAnyOrder(".. ..", "a. ..", ".b ..", "ab ..");
  }

  @Test
  void aLaterWriteMaySurviveAnEarlierOneAndLiesOnTop() throws IOException {
    assertThat(at(2, write(0, 0, "ab", false), write(0, 1, "c", false)).all)
        .containsExactlyInAnyOrder(".. ..", "a. ..", ".b ..", "ab ..", ".c ..", "ac ..");
  }

  @Test
  void afterAFlushOfItsDeviceNothingOfItIsLost() throws IOException {
    Step[] steps = {write(0, 0, "ab", false), write(1, 0, "c", false), flush(0)};
    assertThat(at(3, steps).all).containsExactlyInAnyOrder("ab ..", "ab c.");
  }

  @Test
  void aFuaWriteIsDurableAndNothingBeforeIt() throws IOException {
    Step[] steps = {write(0, 0, "ab", false), write(0, 0, "c", true)};
    assertThat(at(2, steps).all).containsExactlyInAnyOrder("c. ..", "cb ..");
  }

  @Test
  void aCutKnowsTheMarksBeforeIt() throws IOException {
    assertThat(at(0, MARK).marks).isEmpty();
    assertThat(at(1, MARK).marks).containsExactly("here");
  }
}
