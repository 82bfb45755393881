package oxbow.target.zero;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import oxbow.block.BlockDevice;
import oxbow.block.Errno;
import oxbow.block.Operation;
import oxbow.target.Mapping;
import oxbow.target.Target;
import oxbow.target.TargetException;
import oxbow.target.TestFrame;

/** Aim: every request succeeds, and there is never anything but zeros. */
class ZeroTargetTest {
  private static final int SECTOR = 512;

  private static Target target(String... words) throws TargetException {
    return new ZeroTargetType().construct(8, List.of(words), TestFrame.devices(Map.of()));
  }

  @ParameterizedTest
  @EnumSource
  void everyRequestSucceeds(Operation operation) throws TargetException {
    TestFrame frame = new TestFrame(target());
    TestFrame.Asked asked =
        switch (operation) {
          case READ -> frame.read(0, SECTOR);
          case WRITE -> frame.write(0, new byte[SECTOR]);
          case FLUSH -> frame.flush();
          case DISCARD, WRITE_ZEROES, CACHE -> frame.ask(operation, 0, SECTOR);
        };
    assertThat(asked.errno()).isEqualTo(Errno.OK);
  }

  @Test
  void readsAreZerosWhateverWasWritten() throws TargetException {
    Target target = target();
    byte[] ones = new byte[7 * SECTOR];
    Arrays.fill(ones, (byte) 1);
    new TestFrame(target).write(SECTOR, ones);

    MemorySegment data = Arena.ofAuto().allocate(7 * SECTOR).copyFrom(MemorySegment.ofArray(ones));
    Mapping answer = new Mapping();
    target.map(Operation.READ, SECTOR, 7 * SECTOR, 0, answer);
    BlockDevice device = target.devices().get(answer.slot());
    assertThat(device.readNow(answer.offsetBytes(), data, 0, 7 * SECTOR)).isEqualTo(Errno.OK);
    assertThat(data.toArray(ValueLayout.JAVA_BYTE)).containsOnly(0);
  }

  @Test
  void itsLinesAreEmpty() throws TargetException {
    Target target = target();
    assertThat(target.lengthBytes()).isEqualTo(8 * SECTOR);
    assertThat(target.status()).isEmpty();
    assertThat(target.table()).isEmpty();
  }

  @Test
  void wordsAreRefusedInTheKernelsWords() {
    assertThatThrownBy(() -> target("a"))
        .isInstanceOf(TargetException.class)
        .hasMessage("No arguments required");
  }
}
