package oxbow.target.clone;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;

/** Recording in the wrong order: the region first, that a commit is needed afterwards. */
@JCStressTest
@Outcome(id = "0", expect = Expect.ACCEPTABLE, desc = "the core decides")
@Outcome(id = "1", expect = Expect.FORBIDDEN, desc = "FUA would be acknowledged without a commit")
@State
public class BrokenRecordOrderStress {
  private static final long REGIONS = 1 << 12;

  private final RegionMap map = new RegionMap(REGIONS);
  private final RegionSet recorded = new RegionSet(REGIONS);
  private volatile boolean isClean = true;

  @Actor
  public void record() {
    map.set(1, 1);
    recorded.add(1, REGIONS - 1);
    isClean = false;
  }

  @Actor
  public void map(I_Result r) {
    r.r1 = map.isHydrated(1) && isClean ? 1 : 0;
  }
}
