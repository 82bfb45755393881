package oxbow.target.snapshot;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;

/**
 * A run is taken apart and made again, and slots and hash grow, while somebody looks. Results: what
 * the reader of a new exception found of what was done before it was put, 2 if it did not find it,
 * 3 if it found a wrong chunk; whether an exception that was there all the time was missed, alone
 * or as part of a run or behind a gap.
 */
@JCStressTest
@Outcome(
    id = {"1, 0, 0", "2, 0, 0"},
    expect = Expect.ACCEPTABLE,
    desc = "old or new")
@Outcome(expect = Expect.FORBIDDEN, desc = "put before its contents, a wrong chunk, or missed")
@State
public class ExceptionTableStress {
  private static final long FAR = 1L << 40;

  private final ExceptionTable table = new ExceptionTable(1);
  private int contents;

  /** Eight groups at most half fill the first hash: one more and it is doubled. */
  public ExceptionTableStress() {
    table.put(0, 1000, 256);
    for (int group = 1; group < 4; group++) {
      table.put(FAR + (long) group * ExceptionGroup.CHUNKS, group, 1);
    }
  }

  @Actor
  public void own() {
    contents = 1;
    table.remove(0, 1);
    table.put(0, 1000, 1);
    table.put(300, 2000, 1);
    table.put(FAR, 7, 1);
    table.remove(255, 1);
  }

  @Actor
  public void ask(III_Result r) {
    long put = table.get(300);
    r.r1 = put == 2000 ? contents : put == ExceptionTable.NONE ? 2 : 3;
    r.r2 = table.get(100) == 1100 ? 0 : 1;
    r.r3 = table.runLength(1, 254) == 254 && table.gapLength(1, 10) == 0 ? 0 : 1;
  }
}
