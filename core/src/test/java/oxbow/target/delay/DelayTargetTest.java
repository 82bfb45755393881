package oxbow.target.delay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import oxbow.block.Errno;
import oxbow.block.Operation;
import oxbow.device.Requests;
import oxbow.device.mem.MemDevice;
import oxbow.target.Mapping;
import oxbow.target.Target;
import oxbow.target.TargetDevices;
import oxbow.target.TargetException;
import oxbow.target.TestFrame;

/** Aim: requests come through whole, as late as the table says and no later. */
class DelayTargetTest {
  private static final int SECTOR = 512;

  private final MemDevice a = new MemDevice(1 << 20);
  private final MemDevice b = new MemDevice(1 << 20);
  private final TargetDevices devices = TestFrame.devices(Map.of("a", a, "b", b));

  private Target target(String words) throws TargetException {
    return new DelayTargetType().construct(1024, List.of(words.split(" ")), devices);
  }

  private static byte[] bytes(int value) {
    byte[] bytes = new byte[SECTOR];
    Arrays.fill(bytes, (byte) value);
    return bytes;
  }

  @ParameterizedTest
  @ValueSource(strings = {"a 0 100", "a 8 100 b 0 200", "a 0 100 b 8 200 a 16 5"})
  void theTableLineIsWhatWasGiven(String words) throws TargetException {
    assertThat(target(words).table()).isEqualTo(words);
    assertThat(target(words).status()).isEqualTo("0 0 0");
  }

  @ParameterizedTest
  @CsvSource({
    "a 0, 'Requires exactly 3, 6 or 9 arguments'",
    "a 0 100 b, 'Requires exactly 3, 6 or 9 arguments'",
    "a 0 1 b 0 1 a 0 1 x, 'Requires exactly 3, 6 or 9 arguments'",
    "a x 100, Invalid device sector",
    "a 0 x, Invalid delay",
    "a 0 -1, Invalid delay",
    "a 0 1 b 0 y, Invalid delay",
    "a 0 4294967296, Invalid delay",
    "c 0 1, Device lookup failed",
    "'a 1025 1', 'a too small for target: start=1025, len=1024, dev_size=2048'"
  })
  void wrongWordsAreRefusedInTheKernelsWords(String words, String sentence) {
    assertThatThrownBy(() -> target(words))
        .isInstanceOf(TargetException.class)
        .hasMessageStartingWith(sentence);
  }

  @Test
  void eachKindOfRequestWaitsItsOwnTimeAndGoesToItsOwnDevice() throws TargetException {
    Target target = target("a 0 100 b 8 20 b 0 50");
    TestFrame frame = new TestFrame(target);
    TestFrame.Asked read = frame.read(0, SECTOR);
    TestFrame.Asked write = frame.write(SECTOR, bytes(7));
    TestFrame.Asked flush = frame.flush();
    assertThat(target.status()).isEqualTo("1 1 1");
    assertThat(frame.sent).isEmpty();

    frame.passMillis(19);
    assertThat(write.isAnswered()).isFalse();
    frame.passMillis(1);
    assertThat(write.errno()).isEqualTo(Errno.OK);
    assertThat(Requests.read(b, 9 * SECTOR, SECTOR)).isEqualTo(bytes(7));
    frame.passMillis(30);
    assertThat(flush.isAnswered()).isTrue();
    assertThat(target.status()).isEqualTo("1 0 0");
    frame.passMillis(49);
    assertThat(read.isAnswered()).isFalse();
    frame.passMillis(1);
    assertThat(read.errno()).isEqualTo(Errno.OK);
    assertThat(frame.sent).containsExactly("1 WRITE 4608+512", "2 FLUSH 0+0", "0 READ 0+512");
  }

  @Test
  void whatIsNotGivenIsAsTheOneBefore() throws TargetException {
    TestFrame frame = new TestFrame(target("a 0 10"));
    List<TestFrame.Asked> all =
        List.of(
            frame.read(0, SECTOR),
            frame.write(0, bytes(1)),
            frame.ask(Operation.DISCARD, 0, SECTOR),
            frame.ask(Operation.WRITE_ZEROES, 0, SECTOR),
            frame.flush());
    frame.passMillis(9);
    assertThat(all).noneMatch(TestFrame.Asked::isAnswered);
    frame.passMillis(1);
    assertThat(all).allMatch(TestFrame.Asked::isAnswered);
  }

  @Test
  void requestsWithoutDelayGoStraightThrough() throws TargetException {
    Target target = target("a 8 0 b 0 10");
    Mapping answer = new Mapping();
    target.map(Operation.READ, 0, SECTOR, 0, answer);
    assertThat(answer.isRemap()).isTrue();
    assertThat(answer.offsetBytes()).isEqualTo(8 * SECTOR);
    target.map(Operation.WRITE, 0, SECTOR, 0, answer);
    assertThat(answer.isQueue()).isTrue();
  }

  @Test
  void questionsAboutTheDataAreNotDelayed() throws TargetException {
    Mapping answer = new Mapping();
    target("a 8 100").locate(SECTOR, SECTOR, answer);
    assertThat(answer.isRemap()).isTrue();
    assertThat(answer.offsetBytes()).isEqualTo(9 * SECTOR);
  }

  @Test
  void aSuspendLetsAllOutAndAResumeDelaysAgain() throws TargetException {
    TestFrame frame = new TestFrame(target("a 0 1000"));
    TestFrame.Asked before = frame.write(0, bytes(1));
    frame.presuspend();
    assertThat(before.errno()).isEqualTo(Errno.OK);
    assertThat(frame.read(0, SECTOR).bytes()).isEqualTo(bytes(1));
    frame.resume();
    TestFrame.Asked after = frame.read(0, SECTOR);
    assertThat(after.isAnswered()).isFalse();
    frame.passMillis(1000);
    assertThat(after.isAnswered()).isTrue();
  }
}
