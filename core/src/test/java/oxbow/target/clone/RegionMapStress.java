package oxbow.target.clone;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;

/**
 * What was done to regions before they were set is seen by whoever sees them set, and what is said
 * to be complete is. Results: what the region's first reader found of its contents, 2 if it did not
 * see it set; the same by the search for the next region; and whether the count was wrong.
 */
@JCStressTest
@Outcome(
    id = {"1, 1, 0", "2, 1, 0", "2, 2, 0"},
    expect = Expect.ACCEPTABLE,
    desc = "old or new")
@Outcome(expect = Expect.FORBIDDEN, desc = "set before its contents, unset again, or miscounted")
@State
public class RegionMapStress {
  private final RegionMap map = new RegionMap(70);
  private int contents;

  @Actor
  public void own() {
    contents = 1;
    map.set(0, 70); // Over the end of a word.
  }

  @Actor
  public void ask(III_Result r) {
    boolean isComplete = map.isComplete();
    r.r3 = isComplete && !map.areAllHydrated(0, 70) ? 1 : 0;
    r.r1 = map.isHydrated(69) ? contents : 2;
    r.r2 = map.nextUnhydrated(64) == 70 ? contents : 2;
  }
}
