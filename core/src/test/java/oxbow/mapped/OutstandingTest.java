package oxbow.mapped;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import oxbow.device.Requests;

/** Aim: no request waits unseen, and none is seen that has ended. Method: a clock of our own. */
class OutstandingTest {
  private static final long SECOND = 1_000_000_000L;

  private final Outstanding outstanding = new Outstanding();
  private final long start = System.nanoTime();

  @Test
  void theOldestRequestCountsHoweverManyEndMeanwhile() {
    outstanding.tick(start);
    final Outstanding.Interval stuck = outstanding.enter();
    for (int second = 1; second <= 100; second++) {
      outstanding.enter().ended();
      Outstanding.Interval last = outstanding.enter();
      outstanding.tick(start + second * SECOND);
      assertThat(outstanding.oldestNanos(start + second * SECOND)).isEqualTo(second * SECOND);
      assertThat(outstanding.earlierCount()).isEqualTo(2);
      last.ended();
      assertThat(outstanding.count()).isEqualTo(1);
    }
    stuck.ended();
    assertThat(outstanding.oldestNanos(start + 101 * SECOND)).isZero();
    assertThat(outstanding.count()).isZero();
  }

  @Test
  void requestsOfThisSecondAreNoneThatWait() {
    outstanding.tick(start);
    Outstanding.Interval first = outstanding.enter();
    assertThat(outstanding.enter()).isSameAs(first);
    assertThat(outstanding.count()).isEqualTo(2);
    assertThat(outstanding.earlierCount()).isZero();
    assertThat(outstanding.oldestNanos(start + SECOND)).isZero();
  }

  @Test
  void ofManyThreadsNoRequestIsLostOrCountedTwice() {
    List<CompletableFuture<Void>> threads = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      Random random = new Random(i);
      threads.add(
          CompletableFuture.runAsync(
              () -> {
                List<Outstanding.Interval> mine = new ArrayList<>();
                for (int turn = 0; turn < 20_000; turn++) {
                  mine.add(outstanding.enter());
                  if (random.nextInt(3) > 0) {
                    mine.remove(random.nextInt(mine.size())).ended();
                  }
                  if (turn % 1000 == 0) {
                    mine.forEach(Outstanding.Interval::ended);
                    mine.clear();
                  }
                }
                // Ten of each stay.
                while (mine.size() > 10) {
                  mine.removeLast().ended();
                }
              }));
    }
    long ticks = 0;
    while (!threads.stream().allMatch(CompletableFuture::isDone)) {
      outstanding.tick(start + ++ticks * SECOND);
    }
    threads.forEach(Requests::await);
    assertThat(outstanding.count()).isEqualTo(40);
    outstanding.tick(start + ++ticks * SECOND);
    assertThat(outstanding.earlierCount()).isEqualTo(40);
  }
}
