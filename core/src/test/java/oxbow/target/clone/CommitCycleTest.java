package oxbow.target.clone;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import oxbow.block.Errno;
import oxbow.block.Flags;
import oxbow.block.Operation;
import oxbow.target.Piece;

/** Aim: turns of flush and commit, K1 to K3. Method: the cycle alone, its effects as words. */
class CommitCycleTest {
  private final RecordedEffects effects = new RecordedEffects();
  private final List<List<Integer>> committed = new ArrayList<>();
  private final CommitCycle cycle = new CommitCycle(64, this::commit);

  private int commit(RegionSet regions) {
    List<Integer> members = new ArrayList<>();
    for (int region = 0; region < 64; region++) {
      if (regions.contains(region)) {
        members.add(region);
      }
    }
    committed.add(members);
    return Errno.OK;
  }

  private static Piece piece(Operation operation, int number, int flags) {
    Piece piece = new Piece();
    piece.set(operation, number, 1, flags, MemorySegment.NULL, 0);
    return piece;
  }

  private int runTask() {
    return Objects.requireNonNull(effects.task).run();
  }

  @Test
  @DisplayName("K1 M1: a turn commits what was recorded before its freeze, the next one the rest")
  void aTurnCommitsWhatWasRecordedBeforeItsFreeze() {
    cycle.record(3, 2);
    cycle.commitIfChanged(effects);
    cycle.record(10, 1);
    runTask();
    cycle.succeeded(effects);
    assertThat(cycle.isClean()).isFalse();
    cycle.commitIfChanged(effects);
    runTask();
    cycle.succeeded(effects);
    assertThat(committed).containsExactly(List.of(3, 4), List.of(10));
    assertThat(cycle.isClean()).isTrue();
  }

  @Test
  @DisplayName(
      "K3: what is recorded during a turn does not reach its set, before or after the task")
  void whatIsRecordedDuringATurnDoesNotReachItsSet() {
    cycle.record(1, 1);
    cycle.commitIfChanged(effects);
    runTask();
    cycle.record(2, 1);
    cycle.succeeded(effects);
    cycle.commitIfChanged(effects);
    runTask();
    assertThat(committed).containsExactly(List.of(1), List.of(2));
  }

  @Test
  @DisplayName("K2 O4: who asks while a turn runs is answered by the next, and all together")
  void whoAsksWhileATurnRunsIsAnsweredByTheNext() {
    cycle.awaitTurn(piece(Operation.FLUSH, 1, 0), effects);
    assertThat(effects.take()).containsExactly("flush");
    cycle.awaitTurn(piece(Operation.FLUSH, 2, 0), effects);
    cycle.issueAfterTurn(piece(Operation.WRITE, 3, Flags.FUA), effects);
    assertThat(effects.take()).isEmpty();
    cycle.succeeded(effects);
    assertThat(effects.take()).containsExactly("complete FLUSH 1+1 0", "flush");
    assertThat(cycle.isIdle()).isFalse();
    cycle.succeeded(effects);
    assertThat(effects.take()).containsExactly("complete FLUSH 2+1 0", "issue WRITE 3+1 FUA to 0");
    assertThat(cycle.isIdle()).isTrue();
  }

  @Test
  @DisplayName("M4: with nothing recorded there is no turn; with a turn running no second one")
  void noTurnWithoutChangesAndNoTwoAtOnce() {
    cycle.commitIfChanged(effects);
    assertThat(effects.take()).isEmpty();
    cycle.record(1, 1);
    cycle.commitIfChanged(effects);
    cycle.record(2, 1);
    cycle.commitIfChanged(effects);
    assertThat(effects.take()).containsExactly("flush, then commit");
  }

  @Test
  @DisplayName("F1: a turn with nothing recorded is a flush without a task")
  void aTurnWithNothingRecordedHasNoTask() {
    cycle.awaitTurn(piece(Operation.FLUSH, 1, 0), effects);
    assertThat(effects.task).isNull();
    assertThat(cycle.isClean()).isTrue();
  }

  @Test
  @DisplayName("M6 F7 O3: after a failure everyone who waits gets an error, and it is never clean")
  void afterAFailureEveryoneWhoWaitsGetsAnError() {
    cycle.record(1, 1);
    cycle.awaitTurn(piece(Operation.FLUSH, 1, 0), effects);
    cycle.issueAfterTurn(piece(Operation.WRITE, 2, Flags.FUA), effects);
    effects.take();
    cycle.failed(effects);
    assertThat(effects.take()).containsExactly("complete FLUSH 1+1 5", "complete WRITE 2+1 FUA 5");
    assertThat(cycle.isClean()).isFalse();
    assertThat(cycle.isIdle()).isTrue();
  }
}
