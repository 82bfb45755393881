package oxbow.target.flakey;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import oxbow.block.Errno;
import oxbow.block.Flags;
import oxbow.block.Operation;
import oxbow.device.Requests;
import oxbow.device.mem.MemDevice;
import oxbow.target.MessageException;
import oxbow.target.Target;
import oxbow.target.TargetException;
import oxbow.target.TestFrame;

/** Aim: what is ordered goes wrong, when and where it is ordered, and nothing else does. */
class FlakeyTargetTest {
  private static final int SECTOR = 512;

  private final MemDevice device = new MemDevice(1 << 20);

  private Target target(String words) throws TargetException {
    return new FlakeyTargetType()
        .construct(1024, List.of(words.split(" ")), TestFrame.devices(Map.of("a", device)));
  }

  private TestFrame frame(String words) throws TargetException {
    return new TestFrame(target(words));
  }

  private static byte[] bytes(int value) {
    byte[] bytes = new byte[SECTOR];
    Arrays.fill(bytes, (byte) value);
    return bytes;
  }

  private byte[] below(long sector) {
    return Requests.read(device, sector * SECTOR, SECTOR);
  }

  // The line.

  @ParameterizedTest
  @ValueSource(
      strings = {
        "0 ",
        "1 drop_writes ",
        "1 error_writes ",
        "5 corrupt_bio_byte 32 r 1 0 ",
        "6 error_writes corrupt_bio_byte 224 r 0 32 ",
        "1 error_reads ",
        "3 hang operations flush ",
        "2 operations read+flush ",
        "3 range 8 16 ",
        "4 short_reads range 0 8 ",
        "5 errno ENOSPC probability 12.5 7 ",
        "3 probability 100 1 "
      })
  void theTableLineIsTheKernelsWithItsLastBlank(String features) throws TargetException {
    assertThat(target("a 0 1 2 " + features).table()).isEqualTo("a 0 1 2 " + features);
  }

  @Test
  void surplusWordsAndCapitalsAreForgotten() throws TargetException {
    assertThat(target("a 0 1 1").table()).isEqualTo("a 0 1 1 0 ");
    assertThat(target("a 0 1 1 1 DROP_WRITES more").table()).isEqualTo("a 0 1 1 1 drop_writes ");
  }

  @ParameterizedTest
  @CsvSource({
    "a 0 1, Invalid argument count",
    "a x 1 1, Invalid device sector",
    "a 0 x 1, Invalid up interval",
    "a 0 1 x, Invalid up interval",
    "a 0 0 0, Total (up + down) interval is zero",
    "a 0 1 1 1, Invalid number of feature args",
    "a 0 1 1 x, Invalid number of feature args",
    "a 0 1 1 6 corrupt_bio_byte 1 r 1 0, Invalid number of feature args",
    "a 0 1 1 1 whatever, Unrecognised flakey feature requested",
    "a 0 1 1 2 drop_writes drop_writes, Feature drop_writes duplicated",
    "a 0 1 1 2 error_writes error_writes, Feature error_writes duplicated",
    "a 0 1 1 2 drop_writes error_writes,"
        + " Feature error_writes conflicts with feature drop_writes",
    "a 0 1 1 2 error_writes drop_writes,"
        + " Feature drop_writes conflicts with feature error_writes",
    "a 0 1 1 6 drop_writes corrupt_bio_byte 224 w 0 32,"
        + " drop_writes is incompatible with corrupt_bio_byte with the WRITE flag set",
    "a 0 1 1 6 corrupt_bio_byte 224 w 0 32 error_writes,"
        + " error_writes is incompatible with corrupt_bio_byte with the WRITE flag set",
    "a 0 1 1 1 corrupt_bio_byte, Feature corrupt_bio_byte requires parameters",
    "a 0 1 1 5 corrupt_bio_byte 0 r 1 0, Invalid corrupt bio byte",
    "a 0 1 1 5 corrupt_bio_byte 1 x 1 0, Invalid corrupt bio direction (r or w)",
    "a 0 1 1 5 corrupt_bio_byte 1 r 256 0,"
        + " Invalid corrupt value to write into bio byte (0-255)",
    "a 0 1 1 3 corrupt_bio_byte 1 r, Invalid corrupt value to write into bio byte (0-255)",
    "a 0 1 1 5 corrupt_bio_byte 1 r 1 x, Invalid corrupt bio flags mask",
    "a 0 1 1 2 operations trim, Invalid operations",
    "a 0 1 1 3 range 0 x, Invalid range length",
    "a 0 1 1 2 errno EWHAT, Invalid error name",
    "a 0 1 1 3 probability 0 1, Invalid probability",
    "a 0 1 1 3 probability 101 1, Invalid probability",
    "a 0 1 1 2 probability 50, Invalid seed",
    "b 0 1 1, Device lookup failed"
  })
  void wrongWordsAreRefusedInTheKernelsWords(String words, String sentence) {
    assertThatThrownBy(() -> target(words))
        .isInstanceOf(TargetException.class)
        .hasMessageStartingWith(sentence);
  }

  // What the kernel's does.

  @Test
  void itWorksForAWhileAndThenForAWhileDoesNot() throws TargetException {
    TestFrame frame = frame("a 0 3 2");
    StringBuilder seen = new StringBuilder();
    for (int second = 0; second < 12; second++) {
      seen.append(frame.read(0, SECTOR).errno() == Errno.OK ? 'u' : 'd');
      frame.passMillis(1000);
    }
    assertThat(seen).hasToString("uuudduuudduu");
  }

  @Test
  void withoutFeaturesEverythingFailsWhileDown() throws TargetException {
    TestFrame frame = frame("a 0 0 1");
    assertThat(frame.read(0, SECTOR).errno()).isEqualTo(Errno.EIO);
    assertThat(frame.write(0, bytes(1)).errno()).isEqualTo(Errno.EIO);
    for (Operation each : List.of(Operation.FLUSH, Operation.DISCARD, Operation.WRITE_ZEROES)) {
      long length = each == Operation.FLUSH ? 0 : SECTOR;
      assertThat(frame.ask(each, 0, length).errno()).as("%s", each).isEqualTo(Errno.EIO);
    }
    assertThat(frame.sent).isEmpty();
  }

  @Test
  void droppedWritesAreAnsweredAndNotDone() throws TargetException {
    TestFrame frame = frame("a 0 0 1 1 drop_writes");
    Requests.write(device, 0, bytes(5));
    assertThat(frame.write(0, bytes(1)).errno()).isEqualTo(Errno.OK);
    assertThat(frame.ask(Operation.DISCARD, 0, SECTOR).errno()).isEqualTo(Errno.OK);
    assertThat(frame.flush().errno()).isEqualTo(Errno.OK);
    assertThat(frame.sent).isEmpty();
    assertThat(frame.read(0, SECTOR).bytes()).isEqualTo(bytes(5));
  }

  @Test
  void aFlushIsDroppedOnlyWhileDown() throws TargetException {
    TestFrame frame = frame("a 0 1 1 1 drop_writes");
    frame.flush();
    assertThat(frame.sent).containsExactly("0 FLUSH 0+0");
    frame.passMillis(1000);
    frame.flush();
    assertThat(frame.sent).hasSize(1);
    frame.passMillis(1000);
    frame.flush();
    assertThat(frame.sent).hasSize(2);
  }

  @Test
  void failingWritesLeaveReadsAlone() throws TargetException {
    TestFrame frame = frame("a 0 0 1 1 error_writes");
    assertThat(frame.write(0, bytes(1)).errno()).isEqualTo(Errno.EIO);
    assertThat(frame.flush().errno()).isEqualTo(Errno.EIO);
    assertThat(frame.read(0, SECTOR).errno()).isEqualTo(Errno.OK);
  }

  @Test
  void failingReadsLeaveWritesAlone() throws TargetException {
    TestFrame frame = frame("a 0 0 1 1 error_reads");
    assertThat(frame.write(0, bytes(1)).errno()).isEqualTo(Errno.OK);
    assertThat(frame.read(0, SECTOR).errno()).isEqualTo(Errno.EIO);
  }

  @Test
  void aCorruptedReadIsWrongInOneByteAndTheDeviceIsNot() throws TargetException {
    TestFrame frame = frame("a 0 0 1 5 corrupt_bio_byte 3 r 90 0");
    assertThat(frame.write(0, bytes(1)).errno()).isEqualTo(Errno.OK);
    byte[] expected = bytes(1);
    expected[2] = 90;
    assertThat(frame.read(0, SECTOR).bytes()).isEqualTo(expected);
    assertThat(below(0)).isEqualTo(bytes(1));
  }

  @Test
  void aCorruptedWriteIsWrongInOneByteAndTheUsersBufferIsNot() throws TargetException {
    TestFrame frame = frame("a 8 0 1 5 corrupt_bio_byte 3 w 90 0");
    TestFrame.Asked write = frame.write(SECTOR, bytes(1), Flags.FUA);
    assertThat(write.errno()).isEqualTo(Errno.OK);
    assertThat(write.bytes()).isEqualTo(bytes(1));
    byte[] expected = bytes(1);
    expected[2] = 90;
    assertThat(below(9)).isEqualTo(expected);
    assertThat(frame.sent).containsExactly("0 WRITE 4608+512 FUA");
    assertThat(frame.read(SECTOR, SECTOR).bytes()).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({"131072, false, true", "2048, true, true", "1, true, true", "4096, false, false"})
  void onlyRequestsWithAllFlagsOfTheMaskAreCorrupted(long mask, boolean plain, boolean fua)
      throws TargetException {
    TestFrame frame = frame("a 0 0 1 5 corrupt_bio_byte 1 w 90 " + mask);
    frame.write(0, bytes(1));
    frame.write(SECTOR, bytes(1), Flags.FUA);
    assertThat(below(0)[0]).isEqualTo((byte) (plain ? 90 : 1));
    assertThat(below(1)[0]).isEqualTo((byte) (fua ? 90 : 1));
  }

  @Test
  void aByteBeyondTheRequestIsNotCorrupted() throws TargetException {
    TestFrame frame = frame("a 0 0 1 5 corrupt_bio_byte 600 w 90 0");
    frame.write(0, bytes(1));
    assertThat(below(0)).isEqualTo(bytes(1));
    byte[] twoSectors = new byte[2 * SECTOR];
    frame.write(0, twoSectors);
    assertThat(below(1)[599 - SECTOR]).isEqualTo((byte) 90);
  }

  // Oxbow's own.

  @Test
  void onlyTheOperationsNamedFail() throws TargetException {
    TestFrame frame = frame("a 0 0 1 2 operations flush+discard");
    assertThat(frame.write(0, bytes(1)).errno()).isEqualTo(Errno.OK);
    assertThat(frame.read(0, SECTOR).errno()).isEqualTo(Errno.OK);
    assertThat(frame.flush().errno()).isEqualTo(Errno.EIO);
    assertThat(frame.ask(Operation.DISCARD, 0, SECTOR).errno()).isEqualTo(Errno.EIO);
  }

  @Test
  void onlyTheRangeFailsAndTheRestOfARequestIsDone() throws TargetException {
    TestFrame frame = frame("a 0 0 1 5 range 1 1 errno ENOSPC");
    byte[] three = new byte[3 * SECTOR];
    Arrays.fill(three, (byte) 6);
    assertThat(frame.write(0, three).errno()).isEqualTo(Errno.ENOSPC);
    assertThat(below(0)).isEqualTo(bytes(6));
    assertThat(below(1)).isEqualTo(bytes(0));
    assertThat(below(2)).isEqualTo(bytes(6));
    assertThat(frame.read(2 * SECTOR, SECTOR).errno()).isEqualTo(Errno.OK);
    assertThat(frame.read(SECTOR, 1).errno()).isEqualTo(Errno.ENOSPC);
  }

  @Test
  void theShareThatFailsIsTheSameForTheSameSeed() throws TargetException {
    String line = "a 0 0 1 3 probability 25 ";
    List<Integer> first = failures(frame(line + 42));
    assertThat(first.size()).isBetween(200, 300);
    assertThat(failures(frame(line + 42))).isEqualTo(first);
    assertThat(failures(frame(line + 43))).isNotEqualTo(first);
  }

  private static List<Integer> failures(TestFrame frame) {
    return IntStream.range(0, 1000)
        .filter(i -> frame.read(0, SECTOR).errno() != Errno.OK)
        .boxed()
        .toList();
  }

  @Test
  void aShortReadBringsItsFirstHalfAndJunk() throws TargetException {
    Requests.write(device, 0, bytes(1));
    Requests.write(device, SECTOR, bytes(2));
    TestFrame.Asked read = frame("a 0 0 1 1 short_reads").read(0, 2 * SECTOR);
    assertThat(read.errno()).isEqualTo(Errno.EIO);
    assertThat(Arrays.copyOf(read.bytes(), SECTOR)).isEqualTo(bytes(1));
    assertThat(read.bytes()[SECTOR]).isNotIn((byte) 0, (byte) 2);
  }

  @Test
  void messagesOverruleTheIntervals() throws TargetException, MessageException {
    Target target = target("a 0 1 1");
    TestFrame frame = new TestFrame(target);
    assertThat(target.status()).isEmpty();
    frame.message("fail");
    assertThat(target.status()).isEqualTo("fail");
    assertThat(frame.read(0, SECTOR).errno()).isEqualTo(Errno.EIO);
    frame.message("HEAL");
    frame.passMillis(1500);
    assertThat(frame.read(0, SECTOR).errno()).isEqualTo(Errno.OK);
    frame.message("intervals");
    assertThat(target.status()).isEmpty();
    assertThat(frame.read(0, SECTOR).errno()).isEqualTo(Errno.EIO);
    frame.passMillis(500);
    assertThat(frame.read(0, SECTOR).errno()).isEqualTo(Errno.OK);
    assertThatThrownBy(() -> frame.message("explode"))
        .isInstanceOf(MessageException.class)
        .hasMessageStartingWith("Invalid argument: explode");
  }

  @Test
  void whatHangsIsHeldUntilItIsToldOtherwise() throws TargetException, MessageException {
    Target target = target("a 0 1 0");
    TestFrame frame = new TestFrame(target);
    frame.message("hang");
    TestFrame.Asked write = frame.write(0, bytes(9));
    TestFrame.Asked flush = frame.flush();
    frame.passMillis(100_000);
    assertThat(write.isAnswered()).isFalse();
    assertThat(target.status()).isEqualTo("hang 2 held");
    frame.message("heal");
    assertThat(write.errno()).isEqualTo(Errno.OK);
    assertThat(flush.errno()).isEqualTo(Errno.OK);
    assertThat(below(0)).isEqualTo(bytes(9));

    frame.message("hang");
    TestFrame.Asked lost = frame.write(0, bytes(8));
    frame.message("fail");
    assertThat(lost.errno()).isEqualTo(Errno.EIO);
    assertThat(below(0)).isEqualTo(bytes(9));
  }

  @Test
  void aHangByIntervalsEndsWithItsInterval() throws TargetException {
    Target target = target("a 0 1 1 3 hang operations read");
    TestFrame frame = new TestFrame(target);
    frame.passMillis(1000);
    TestFrame.Asked read = frame.read(0, SECTOR);
    assertThat(frame.write(0, bytes(1)).errno()).isEqualTo(Errno.OK);
    assertThat(target.status()).isEqualTo("1 held");
    frame.passMillis(1000);
    assertThat(read.errno()).isEqualTo(Errno.OK);
  }

  @Test
  void aSuspendIsNotHeldUpByAHang() throws TargetException, MessageException {
    TestFrame frame = frame("a 0 1 0");
    frame.message("hang");
    TestFrame.Asked held = frame.read(0, SECTOR);
    frame.presuspend();
    assertThat(held.errno()).isEqualTo(Errno.EIO);
    assertThat(frame.read(0, SECTOR).errno()).isEqualTo(Errno.EIO);
    frame.resume();
    assertThat(frame.read(0, SECTOR).isAnswered()).isFalse();
  }
}
