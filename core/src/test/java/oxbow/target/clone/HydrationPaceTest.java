package oxbow.target.clone;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import oxbow.target.Geometry;
import oxbow.target.Moment;
import oxbow.target.TargetException;

/** Aim: H1, H3, H4, H9 and O8. Method: the pace alone, over simulated disks of given speeds. */
class HydrationPaceTest {
  private static final long MIB = 1 << 20;
  private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

  private final Moment moment = new Moment();

  private static HydrationPace pace(String tail, CloneOptions options, long regionBytes)
      throws TargetException {
    CloneArgs args = CloneArgs.parse(List.of(("m d s 8 " + tail).split(" ")));
    return new HydrationPace(args, options, new Geometry(1L << 40, regionBytes));
  }

  private static CloneOptions adaptive(long rate, int share) {
    return new CloneOptions(true, rate, share, false, 64);
  }

  private Moment idle(long nanos) {
    return moment.set(nanos, false);
  }

  private Moment busy(long nanos) {
    return moment.set(nanos, true);
  }

  @Test
  @DisplayName("H1 H3: the table line allows what is left of the threshold, and nothing while busy")
  void theTableLineAllowsWhatIsLeftOfTheThreshold() throws TargetException {
    HydrationPace pace = pace("0 2 hydration_threshold 8", CloneOptions.TABLE, 4096);
    assertThat(pace.allowance(0, 0, idle(0))).isEqualTo(8);
    assertThat(pace.allowance(5, 1, idle(0))).isEqualTo(3);
    assertThat(pace.allowance(8, 1, idle(0))).isZero();
    assertThat(pace.allowance(900, 1, idle(0))).isZero();
    assertThat(pace.allowance(0, 0, busy(0))).isZero();
  }

  @Test
  @DisplayName("H3 H4: values of messages hold at once; 0 stops, a batch of 0 is 1")
  void valuesOfMessagesHoldAtOnce() throws TargetException {
    HydrationPace pace = pace("0", CloneOptions.TABLE, 4096);
    assertThat(pace.isStopped()).isFalse();
    pace.setThreshold(0);
    assertThat(pace.isStopped()).isTrue();
    pace.setThreshold(4294967295L);
    assertThat(pace.allowance(1, 1, idle(0))).isEqualTo(4294967294L);
    pace.setBatchSize(0);
    assertThat(pace.batchRegions()).isEqualTo(1);
    pace.setBatchSize(4294967295L);
    assertThat(pace.batchRegions()).isEqualTo(4294967295L);
  }

  @Test
  @DisplayName(
      "O8: adaptive batches are about 1 MiB, of at least one region; no threshold stops it")
  void adaptiveBatchesAreAboutAMebibyte() throws TargetException {
    assertThat(pace("0", adaptive(0, 10), 4096).batchRegions()).isEqualTo(256);
    assertThat(pace("0", adaptive(0, 10), 4 * MIB).batchRegions()).isEqualTo(1);
    assertThat(pace("0 2 hydration_threshold 0", adaptive(0, 10), 4096).isStopped()).isFalse();
  }

  @Test
  @DisplayName("O8: depth climbs while more in flight brings more bytes per second")
  void depthClimbsWhileItPays() throws TargetException {
    // A remote source: each copy takes 20 ms however many are in flight.
    HydrationPace pace = pace("0", adaptive(0, 10), 4096);
    run(pace, depth -> 20_000_000, 3 * SECOND);
    assertThat(pace.depth()).isEqualTo(32);
  }

  @Test
  @DisplayName("O8: depth stays low where one copy at a time is as fast as many")
  void depthStaysLowWhereItDoesNotPay() throws TargetException {
    // A single disk at 200 MiB/s: with more in flight each takes longer.
    HydrationPace pace = pace("0", adaptive(0, 10), 4096);
    run(pace, depth -> 5_000_000L * depth, 20 * SECOND);
    assertThat(pace.depth()).isLessThanOrEqualTo(8);
  }

  /** Copies of 1 MiB, so many at a time as are allowed, each as long as the disk says. */
  private void run(
      HydrationPace pace, java.util.function.IntToLongFunction copyNanos, long untilNanos) {
    long now = 0;
    while (now < untilNanos) {
      int depth = 0;
      while (pace.allowance(depth, depth, idle(now)) > 0) {
        pace.started(MIB, idle(now));
        depth++;
      }
      long began = now;
      now += copyNanos.applyAsLong(depth);
      for (int i = 0; i < depth; i++) {
        pace.ended(MIB, began, idle(now));
      }
    }
  }

  @Test
  @DisplayName("O8: under load it keeps about its share of the rate it would have alone")
  void underLoadItKeepsItsShare() throws TargetException {
    for (int share : new int[] {10, 25, 50}) {
      // A remote source that takes 20 ms for a copy, and a user who is busy from the beginning.
      HydrationPace pace = pace("0", adaptive(0, share), 4096);
      ArrayDeque<Long> began = new ArrayDeque<>();
      long copies = 0;
      for (long now = 0; now < 10 * SECOND; now += 100_000) {
        while (!began.isEmpty() && now - began.peek() >= 20_000_000) {
          pace.ended(MIB, began.remove(), busy(now));
          copies++;
        }
        while (pace.allowance(256L * began.size(), began.size(), busy(now)) > 0) {
          pace.started(MIB, busy(now));
          began.add(now);
        }
      }
      double alone = 10 * SECOND / 20e6 * pace.depth();
      assertThat(copies / alone * 100).isBetween(share * 0.9, share * 1.05);
    }
  }

  @Test
  @DisplayName("O8: before anything is known of the copies, one at a time goes beside a busy user")
  void theFirstCopyBesideABusyUserIsAlone() throws TargetException {
    HydrationPace pace = pace("0", adaptive(0, 10), 4096);
    assertThat(pace.allowance(0, 0, busy(0))).isPositive();
    assertThat(pace.allowance(256, 1, busy(0))).isZero();
    assertThat(pace.allowance(256, 1, idle(0))).isPositive();
  }

  @Test
  @DisplayName("O8: however slow copies are, one starts every second at the latest")
  void aCopyStartsEverySecondAtTheLatest() throws TargetException {
    HydrationPace pace = pace("0", adaptive(0, 1), 4096);
    pace.started(MIB, busy(0));
    pace.ended(MIB, 0, busy(30 * SECOND));
    pace.started(MIB, busy(30 * SECOND));
    assertThat(pace.startNanos(busy(30 * SECOND))).isEqualTo(31 * SECOND);
  }

  @Test
  @DisplayName("H9: the rate holds over time, adaptive or not, and does not save up idle time")
  void theRateHolds() throws TargetException {
    for (CloneOptions options :
        List.of(adaptive(10 * MIB, 10), new CloneOptions(false, 10 * MIB, 10, false, 64))) {
      HydrationPace pace = pace("0 2 hydration_threshold 1000000", options, 4096);
      long now = 100 * SECOND;
      int started = 0;
      while (now < 110 * SECOND) {
        if (pace.allowance(0, 0, idle(now)) > 0) {
          pace.started(MIB, idle(now));
          pace.ended(MIB, now, idle(now));
          started++;
        }
        now = Math.max(now + 1, pace.startNanos(idle(now)));
      }
      assertThat(started).isBetween(99, 101);
    }
  }
}
