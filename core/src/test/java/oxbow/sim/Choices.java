package oxbow.sim;

import java.util.Arrays;

/**
 * Every way through a scenario. Where the scenario may go on in several ways it asks which to take;
 * run after run it is led through all of them:
 *
 * <pre>{@code
 * Choices choices = new Choices();
 * do {
 *   runScenario(choices);          // asks choices.next(ways) wherever there is more than one way
 * } while (choices.advance());
 * }</pre>
 *
 * <p>A scenario must ask the same questions as long as it gets the same answers. Not thread-safe.
 */
public final class Choices {
  private static final int MOST = 256;

  private final int[] path = new int[MOST];
  private final int[] ways = new int[MOST];
  private int length;
  private int asked;

  /**
   * Which of several ways to take.
   *
   * @param count of the ways, at least 1
   * @return 0 to count - 1
   */
  public int next(int count) {
    if (asked == length) {
      path[length] = 0;
      ways[length++] = count;
    } else if (ways[asked] != count) {
      throw new IllegalStateException(this + ": question " + asked + " now has " + count + " ways");
    }
    return path[asked++];
  }

  /** Prepares the next run: the last choice that has an untried way takes it. */
  public boolean advance() {
    asked = 0;
    while (length > 0 && path[length - 1] + 1 == ways[length - 1]) {
      length--;
    }
    if (length == 0) {
      return false;
    }
    path[length - 1]++;
    return true;
  }

  @Override
  public String toString() {
    return Arrays.toString(Arrays.copyOf(path, length));
  }
}
