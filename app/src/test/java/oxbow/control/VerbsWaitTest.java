package oxbow.control;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Aim: nobody waits for an event of a device that is gone. */
class VerbsWaitTest {
  private static final long PATIENCE_SECONDS = 60;

  @Test
  void whoWaitsForADeviceThatIsRemovedIsTold() throws Exception {
    DeviceRegistry registry = new DeviceRegistry();
    registry.add(new ScriptedDevice("d"));
    Verb wait = new Verbs(registry).routes().verb(Route.WAIT);
    CountDownLatch isWaiting = new CountDownLatch(1);
    Request request =
        new Request(
            Map.of("name", "d"),
            () -> {
              isWaiting.countDown();
              return false;
            });
    CompletableFuture<Answer> answer = new CompletableFuture<>();
    Thread.ofPlatform()
        .daemon()
        .start(
            () -> {
              try {
                answer.complete(wait.answer(request));
              } catch (ControlException told) {
                answer.completeExceptionally(told);
              }
            });
    if (!isWaiting.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
      throw new AssertionError("it does not wait");
    }
    registry.remove("d");
    assertThatThrownBy(() -> answer.get(PATIENCE_SECONDS, TimeUnit.SECONDS))
        .isInstanceOf(ExecutionException.class)
        .hasRootCauseMessage("The device was removed");
  }
}
