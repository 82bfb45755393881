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

/** Aim: no request for bytes succeeds, of any kind. */
class ErrorTargetTest {
  private final Target target =
      new ErrorTargetType().construct(8, List.of("surplus", "0"), TestFrame.devices(Map.of()));

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "FLUSH")
  void everyRequestForBytesFailsWithAnInputOutputError(Operation operation) {
    assertThat(new TestFrame(target).ask(operation, 0, 512).errno()).isEqualTo(Errno.EIO);
  }

  @Test
  void aFlushHasNothingToMakeDurable() {
    assertThat(new TestFrame(target).ask(Operation.FLUSH, 0, 0).errno()).isEqualTo(Errno.OK);
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
