package oxbow.target;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import oxbow.sim.Histories;

/**
 * Aim: a wait is over when all that entered before has left, not earlier, and in time. Method: by
 * hand; then seeded histories beside a list of what is in flight, in which the core looks only when
 * it is told to.
 */
class InFlightEpochsTest {
  private final InFlightEpochs epochs = new InFlightEpochs();

  @Test
  void withNothingInFlightAWaitIsOverAtOnce() {
    for (int round = 0; round < 3; round++) {
      assertThat(epochs.isOver(epochs.await())).isTrue();
    }
    assertThat(epochs.isEmpty()).isTrue();
  }

  @Test
  void nobodyIsToldWhoDoesNotWait() {
    assertThat(epochs.leave(epochs.enter())).isFalse();
    int ticket = epochs.enter();
    long wait = epochs.await();
    assertThat(epochs.isOver(wait)).isFalse();
    assertThat(epochs.leave(ticket)).isTrue();
    assertThat(epochs.isOver(wait)).isTrue();
    assertThat(epochs.leave(epochs.enter())).isFalse();
  }

  @Test
  void whatEntersAfterwardsIsNotWaitedFor() {
    int before = epochs.enter();
    long wait = epochs.await();
    int after = epochs.enter();
    assertThat(epochs.isEmpty()).isFalse();
    assertThat(epochs.leave(before)).isTrue();
    assertThat(epochs.isOver(wait)).isTrue();
    epochs.leave(after);
    assertThat(epochs.isEmpty()).isTrue();
  }

  @Test
  void aSecondWaitIsForWhatEnteredSinceTheFirst() {
    int before = epochs.enter();
    long first = epochs.await();
    int between = epochs.enter();
    long second = epochs.await();
    assertThat(epochs.leave(before)).isTrue();
    assertThat(epochs.isOver(first)).isTrue();
    assertThat(epochs.isOver(second)).isFalse();
    assertThat(epochs.leave(between)).isTrue();
    assertThat(epochs.isOver(second)).isTrue();
  }

  @Test
  void aWaitEndsAlthoughThereIsAlwaysSomethingInFlight() {
    ArrayDeque<Integer> inFlight = new ArrayDeque<>();
    for (int i = 0; i < 10; i++) {
      inFlight.add(epochs.enter());
    }
    for (int round = 0; round < 20; round++) {
      long wait = epochs.await();
      int steps = 0;
      while (!epochs.isOver(wait)) {
        inFlight.add(epochs.enter());
        epochs.leave(inFlight.remove());
        assertThat(++steps).isLessThanOrEqualTo(20);
      }
    }
  }

  @Test
  void histories() {
    new Histories("InFlightEpochsTest#histories", seed -> new History(seed).run()).run(2000);
  }

  /** What entered, with the number of the last wait that had begun by then. */
  private record Entered(int ticket, long after) {}

  private static final class History {
    private final Random random;
    private final InFlightEpochs epochs = new InFlightEpochs();
    private final List<Entered> inFlight = new ArrayList<>();
    private final ArrayDeque<Long> waits = new ArrayDeque<>();
    private long lastWait;

    History(long seed) {
      this.random = new Random(seed);
    }

    void run() {
      for (int step = 0; step < 200; step++) {
        switch (random.nextInt(5)) {
          case 0, 1 -> inFlight.add(new Entered(epochs.enter(), lastWait));
          case 2, 3 -> leave();
          default -> await();
        }
        assertThat(epochs.isEmpty()).isEqualTo(inFlight.isEmpty());
      }
      while (!inFlight.isEmpty()) {
        leave();
      }
      assertThat(waits).as("nobody woke the core").isEmpty();
    }

    private void leave() {
      if (!inFlight.isEmpty()) {
        Entered entered = inFlight.remove(random.nextInt(inFlight.size()));
        if (epochs.leave(entered.ticket)) {
          look();
        }
      }
    }

    private void await() {
      lastWait = epochs.await();
      waits.add(lastWait);
      look();
    }

    /** Waits end in the order in which they began, each after all that entered before it. */
    private void look() {
      while (!waits.isEmpty() && epochs.isOver(waits.element())) {
        long over = waits.remove();
        assertThat(inFlight).noneMatch(entered -> entered.after < over);
      }
      assertThat(waits).noneMatch(epochs::isOver);
    }
  }
}
