package oxbow.target.error;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import oxbow.block.Errno;
import oxbow.block.Operation;
import oxbow.target.MessageException;
import oxbow.target.Target;
import oxbow.target.TestFrame;

/** Aim: no request of any kind succeeds. */
class ErrorTargetTest {
  private final Target target =
      new ErrorTargetType().construct(8, List.of("surplus", "0"), TestFrame.devices(Map.of()));

  @ParameterizedTest
  @EnumSource
  void everyRequestFailsWithAnInputOutputError(Operation operation) {
    long length = operation == Operation.FLUSH ? 0 : 512;
    assertThat(new TestFrame(target).ask(operation, 0, length).errno()).isEqualTo(Errno.EIO);
  }

  @Test
  void thereIsNothingToTellAndNothingToSayToIt() {
    assertThat(target.lengthBytes()).isEqualTo(4096);
    assertThat(target.status()).isEmpty();
    assertThat(target.table()).isEmpty();
    assertThatThrownBy(() -> new TestFrame(target).message("heal"))
        .isInstanceOf(MessageException.class)
        .hasMessage("Target type does not support messages");
  }
}
