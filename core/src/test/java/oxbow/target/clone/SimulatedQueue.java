package oxbow.target.clone;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;

/**
 * I/O in flight, which ends when the test, or a seed, says so, and a clock that goes on with it.
 */
abstract class SimulatedQueue {
  /** I/O in flight: {@code run} makes its effect, then tells the core or the user. */
  record InFlight(String what, Runnable run) {
    @Override
    public String toString() {
      return what;
    }
  }

  final List<InFlight> inFlight = new ArrayList<>();

  /** What has ended, and what was warned of, in that order. */
  final List<String> log = new ArrayList<>();

  long nowNanos = 1_000_000_000L;

  final void start(String what, Runnable run) {
    inFlight.add(new InFlight(what, run));
  }

  /** Ends everything in flight, and what follows from it, oldest first. */
  final void finishAll() {
    for (int i = 0; !inFlight.isEmpty(); i++) {
      if (i > 100_000) {
        throw new IllegalStateException("does not come to rest: " + inFlight);
      }
      finish(0);
    }
  }

  final void finish(int index) {
    InFlight io = inFlight.remove(index);
    log.add(io.what);
    nowNanos += 1000;
    io.run.run();
  }

  /** Ends the first I/O in flight whose description begins so. */
  final void finish(String what) {
    for (int i = 0; i < inFlight.size(); i++) {
      if (inFlight.get(i).what.startsWith(what)) {
        finish(i);
        return;
      }
    }
    throw new IllegalStateException("not in flight: " + what + " but " + inFlight);
  }

  final boolean isInFlight(String what) {
    return inFlight.stream().anyMatch(io -> io.what.startsWith(what));
  }

  /** Asserts what is in flight, in the order in which it began. */
  final void expectInFlight(String... expected) {
    assertThat(inFlight).extracting(InFlight::what).containsExactly(expected);
  }
}
