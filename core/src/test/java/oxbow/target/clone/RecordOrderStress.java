package oxbow.target.clone;

import java.util.List;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;
import oxbow.block.Errno;
import oxbow.block.Flags;
import oxbow.block.Operation;
import oxbow.target.Geometry;
import oxbow.target.Mapping;
import oxbow.target.Moment;
import oxbow.target.TargetException;

/**
 * F3: whoever sees a region hydrated sees that FUA needs a commit. The core records a region that
 * nobody commits, while a FUA write to it is mapped. Results: whether the write goes straight to
 * the destination; whether the region was seen hydrated afterwards.
 */
@JCStressTest
@Outcome(
    id = {"0, 0", "0, 1"},
    expect = Expect.ACCEPTABLE,
    desc = "the core decides")
@Outcome(expect = Expect.FORBIDDEN, desc = "FUA would be acknowledged without a commit")
@State
public class RecordOrderStress {
  private static final long REGION_BYTES = 4096;
  private static final long REGIONS = 3;
  private static final CloneOptions ZERO_DESTINATION = new CloneOptions(false, 0, 10, true, 64);
  private static final CloneArgs ARGS = args();

  private final Geometry geometry = new Geometry(REGIONS * REGION_BYTES, REGION_BYTES);
  private final RegionMap map = new RegionMap(REGIONS);
  private final CloneCore core =
      new CloneCore(ARGS, ZERO_DESTINATION, geometry, map, true, recorded -> Errno.OK, () -> false);
  private final CloneMapper mapper = new CloneMapper(geometry, map, core);
  private final Moment now = new Moment();
  private final RecordedEffects effects = new RecordedEffects();
  private final Mapping mapping = new Mapping();

  private static CloneArgs args() {
    try {
      return CloneArgs.parse(List.of("m", "d", "s", "8", "1", "no_hydration"));
    } catch (TargetException impossible) {
      throw new ExceptionInInitializerError(impossible);
    }
  }

  @Actor
  public void record() {
    core.beginHole(1, 1, now, effects); // Known zeros: recorded at once.
  }

  @Actor
  public void map(II_Result r) {
    mapper.map(Operation.WRITE, REGION_BYTES, REGION_BYTES, Flags.FUA, mapping);
    r.r1 = mapping.isRemap() ? 1 : 0;
    r.r2 = map.isHydrated(1) ? 1 : 0;
  }
}
