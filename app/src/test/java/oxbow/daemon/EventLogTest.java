package oxbow.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.OutputStream;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import oxbow.console.Console;
import oxbow.control.Event;
import oxbow.control.EventSource;

/** Aim: who follows hears of everything once and in order; who is too slow can see that. */
class EventLogTest {
  private static final Duration AT_ONCE = Duration.ZERO;
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int KEPT = 1024;

  private final PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream());
  private final EventLog events =
      new EventLog(new DaemonLog(new Console(nowhere, nowhere, false, false)));

  @Test
  void whoFollowsHearsOfWhatComes() {
    add(2);
    try (EventSource follower = events.follow()) {
      assertThat(follower.next(AT_ONCE)).isNull();
      assertThat(follower.hasEnded()).isFalse();
      events.add("created", "d", Map.of("size", 8L));
      Event event = Objects.requireNonNull(follower.next(PATIENCE));
      assertThat(event.id()).isEqualTo(3);
      assertThat(event.kind()).isEqualTo("created");
      assertThat(event.data()).isEqualTo(Map.of("device", "d", "size", 8L));
      assertThat(follower.next(AT_ONCE)).isNull();
    }
  }

  @Test
  void whoWaitsIsWokenByAnEventAndByTheEnd() throws Exception {
    EventSource follower = events.follow();
    CompletableFuture<Boolean> first = isNextAnEvent(follower);
    events.add("created", "d", Map.of());
    assertThat(first.get(60, TimeUnit.SECONDS)).isTrue();
    CompletableFuture<Boolean> second = isNextAnEvent(follower);
    events.close();
    assertThat(second.get(60, TimeUnit.SECONDS)).isFalse();
    assertThat(follower.hasEnded()).isTrue();
  }

  private static CompletableFuture<Boolean> isNextAnEvent(EventSource follower) {
    return CompletableFuture.supplyAsync(() -> follower.next(PATIENCE) != null);
  }

  @Test
  void beforeTheEndIsToldWhatCameBefore() {
    EventSource follower = events.follow();
    add(2);
    events.close();
    assertThat(follower.hasEnded()).isFalse();
    assertThat(ids(follower)).containsExactly(1L, 2L);
    assertThat(follower.hasEnded()).isTrue();
  }

  @Test
  void thePastEnds() {
    assertThat(events.past().hasEnded()).isTrue();
    add(3);
    EventSource past = events.past();
    assertThat(past.hasEnded()).isFalse();
    add(1);
    assertThat(ids(past)).containsExactly(1L, 2L, 3L);
    assertThat(past.hasEnded()).isTrue();
    assertThat(past.next(PATIENCE)).isNull();
  }

  @Test
  void whoIsTooSlowMissesTheOldest() {
    EventSource follower = events.follow();
    add(KEPT + 5);
    List<Long> ids = ids(follower);
    assertThat(ids).hasSize(KEPT).startsWith(6L).endsWith((long) KEPT + 5).isSorted();
  }

  @Test
  void aPastThatIsForgottenIsNoOtherPast() {
    add(3);
    EventSource past = events.past();
    add(KEPT + 1);
    assertThat(past.next(AT_ONCE)).isNull();
    assertThat(past.hasEnded()).isTrue();
  }

  private void add(int count) {
    for (int i = 0; i < count; i++) {
      events.add("event", "d", Map.of());
    }
  }

  private static List<Long> ids(EventSource source) {
    List<Long> ids = new ArrayList<>();
    for (Event next = source.next(AT_ONCE); next != null; next = source.next(AT_ONCE)) {
      ids.add(next.id());
    }
    return ids;
  }
}
