package oxbow.mapped;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import oxbow.mapped.SuspendGate.Visitor;

/** Aim: nobody is inside a closed gate of which it says so. Method: threads that come and go. */
class SuspendGateTest {
  private final SuspendGate gate = new SuspendGate();

  @Test
  void itBeginsClosedAndLetsThreadsInWhileItIsOpen() {
    assertThat(gate.enter()).isNull();
    gate.open();
    Visitor visitor = Objects.requireNonNull(gate.enter());
    visitor.leave();
    gate.close();
    assertThat(gate.enter()).isNull();
  }

  @Test
  void aThreadInsideMayComeInAgainThoughTheGateHasClosed() {
    gate.open();
    Visitor outer = Objects.requireNonNull(gate.enter());
    gate.close();
    Visitor inner = Objects.requireNonNull(gate.enter());
    assertThat(inner).isSameAs(outer);
    inner.leave();
    outer.leave();
    assertThat(gate.enter()).isNull();
  }

  @Test
  void visitorsOfOtherThreadsAreSeenUntilTheyLeave() throws Exception {
    gate.open();
    CountDownLatch isInside = new CountDownLatch(1);
    CountDownLatch mayLeave = new CountDownLatch(1);
    Thread thread =
        new Thread(
            () -> {
              Visitor self = Objects.requireNonNull(gate.enter());
              isInside.countDown();
              await(mayLeave);
              self.leave();
            });
    thread.start();
    await(isInside);
    gate.close();
    assertThat(gate.hasVisitors()).isTrue();
    mayLeave.countDown();
    thread.join();
    assertThat(gate.hasVisitors()).isFalse();
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(60, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void visitsTellWhetherAnyoneHasComeIn() {
    gate.open();
    long before = gate.visits();
    Objects.requireNonNull(gate.enter()).leave();
    assertThat(gate.visits()).isNotEqualTo(before);
    long after = gate.visits();
    gate.close();
    assertThat(gate.enter()).isNull();
    assertThat(gate.visits()).isEqualTo(after);
  }

  @Test
  void threadsThatAreGoneAreForgotten() throws Exception {
    gate.open();
    for (int round = 0; round < 20; round++) {
      List<Thread> threads = new ArrayList<>();
      for (int i = 0; i < 50; i++) {
        threads.add(Thread.ofVirtual().start(() -> Objects.requireNonNull(gate.enter()).leave()));
      }
      for (Thread thread : threads) {
        thread.join();
      }
      System.gc();
    }
    Thread last = Thread.ofPlatform().start(gate::self);
    last.join();
    assertThat(gate.visitorCount()).isLessThan(500);
  }

  @Test
  void onceClosedAndEmptyNobodyIsInside() throws Exception {
    AtomicInteger inside = new AtomicInteger();
    AtomicBoolean isOver = new AtomicBoolean();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      threads.add(
          Thread.ofPlatform()
              .start(
                  () -> {
                    while (!isOver.get()) {
                      Visitor self = gate.enter();
                      if (self != null) {
                        inside.incrementAndGet();
                        inside.decrementAndGet();
                        self.leave();
                      }
                    }
                  }));
    }
    for (int i = 0; i < 20_000; i++) {
      gate.open();
      gate.close();
      while (gate.hasVisitors()) {
        Thread.onSpinWait();
      }
      assertThat(inside.get()).isZero();
    }
    isOver.set(true);
    for (Thread thread : threads) {
      thread.join();
    }
  }
}
