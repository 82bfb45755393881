package oxbow.target.logwrites;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import oxbow.block.BlockDevice;
import oxbow.block.BlockRequest;
import oxbow.block.BlockingDevice;
import oxbow.block.BlockingIo;
import oxbow.block.Errno;
import oxbow.block.Flags;
import oxbow.block.Limits;
import oxbow.block.Operation;
import oxbow.device.Requests;
import oxbow.device.mem.MemDevice;
import oxbow.format.logwrites.LogEntry;
import oxbow.target.MessageException;
import oxbow.target.Target;
import oxbow.target.TargetException;
import oxbow.target.TestFrame;

/**
 * Aim: the log says what was done to the devices, in an order that is true, and a log that cannot
 * say so is not silent. Method: the target over devices in memory, the log read back.
 */
class LogWritesTargetTest {
  private static final int SECTOR = 512;

  private final LogWritesTargetType type = new LogWritesTargetType();
  private final MemDevice log = new MemDevice(1 << 20);
  private final MemDevice device = new MemDevice(64 * SECTOR);
  private final Map<String, BlockDevice> devices =
      new HashMap<>(Map.of("a", device, "b", new MemDevice(32 * SECTOR), "log", log));

  private Target target(String words) throws TargetException {
    List<String> given = List.of(words.split(" "));
    BlockDevice below = devices.get(given.getFirst());
    long sectors = below == null ? 8 : below.sizeBytes() / SECTOR;
    return type.construct(sectors, given, TestFrame.devices(devices));
  }

  private static byte[] bytes(int value, int sectors) {
    byte[] bytes = new byte[sectors * SECTOR];
    Arrays.fill(bytes, (byte) value);
    return bytes;
  }

  /** The entries as words: the kind, then where, how much and, for data, its first byte. */
  private List<String> logged() throws IOException {
    List<String> words = new ArrayList<>();
    try (BlockingDevice io = new BlockingDevice(log)) {
      LogReader reader = new LogReader(io);
      for (var entry = reader.next(); entry != null; entry = reader.next()) {
        LogEntry head = entry.head();
        String where = head.sector() + "+" + head.sectorCount();
        if (head.isMark()) {
          words.add("mark " + entry.text());
        } else if (head.isDiscard()) {
          words.add("discard " + where);
        } else if (head.sectorCount() == 0) {
          words.add("flush " + head.sector());
        } else {
          String kind = head.isFua() ? "fua " : "write ";
          words.add(kind + where + "=" + reader.data(entry)[0]);
        }
      }
    }
    return words;
  }

  @Test
  void whatIsDoneIsLoggedInItsOrder() throws Exception {
    Target target = target("a log");
    TestFrame frame = new TestFrame(target);
    assertThat(target.status()).isEqualTo("0 0");
    assertThat(target.table()).isEqualTo("a log");
    frame.write(10 * SECTOR, bytes(1, 1));
    frame.write(20 * SECTOR, bytes(2, 2));
    assertThat(frame.message("mark", "one")).isEmpty();
    frame.flush();
    frame.write(30 * SECTOR, bytes(3, 1), Flags.FUA);
    frame.ask(Operation.DISCARD, 32 * SECTOR, 16 * SECTOR);
    frame.ask(Operation.WRITE_ZEROES, 0, 4 * SECTOR);
    frame.read(0, SECTOR);
    assertThat(target.status()).isEqualTo("7 15");
    frame.suspend();
    assertThat(target.isSuspended()).isTrue();
    target.close();
    assertThat(logged())
        .containsExactly(
            "write 10+1=1",
            "write 20+2=2",
            "mark one",
            "flush 0",
            "fua 30+1=3",
            "discard 32+16",
            "write 0+4=0",
            "mark dm-log-writes-end");
    assertThat(Requests.read(device, 20 * SECTOR, 2 * SECTOR)).isEqualTo(bytes(2, 2));
    assertThat(frame.sent).doesNotContain("1");
  }

  @ParameterizedTest
  @CsvSource({
    "a, Invalid argument count",
    "c log, Device lookup failed",
    "a nowhere, Log device lookup failed"
  })
  void wrongWordsAreRefusedInTheKernelsWords(String words, String sentence) {
    assertThatThrownBy(() -> target(words))
        .isInstanceOf(TargetException.class)
        .hasMessageStartingWith(sentence);
  }

  @ParameterizedTest
  @CsvSource({
    "mark, 'Invalid log-writes message arguments, expect 2 arguments, got 1'",
    "mark a b, 'Invalid log-writes message arguments, expect 2 arguments, got 3'",
    "foo bar, 'Unrecognised log writes target message received: foo'"
  })
  void wrongMessagesAreRefusedInTheKernelsWords(String words, String sentence)
      throws TargetException {
    TestFrame frame = new TestFrame(target("a log"));
    assertThatThrownBy(() -> frame.message(words.split(" ")))
        .isInstanceOf(MessageException.class)
        .hasMessage(sentence);
  }

  @Test
  void aLongMarkIsCutToItsSector() throws Exception {
    Target target = target("a log");
    new TestFrame(target).message("MARK", "x".repeat(600));
    target.close();
    assertThat(logged().getFirst()).isEqualTo("mark " + "x".repeat(SECTOR - 32 - 1));
  }

  @Test
  void severalDevicesWriteToOneLogEachInItsWindow() throws Exception {
    Target first = target("a log");
    Target second = target("b log");
    TestFrame a = new TestFrame(first);
    TestFrame b = new TestFrame(second);
    b.write(SECTOR, bytes(1, 1));
    a.write(SECTOR, bytes(2, 1));
    b.flush();
    a.flush();
    first.close();
    b.write(2 * SECTOR, bytes(3, 1));
    second.close();
    assertThat(logged())
        .containsExactly(
            "write 65+1=1",
            "write 1+1=2",
            "flush 64",
            "flush 0",
            "write 66+1=3",
            "mark dm-log-writes-end");

    MemDevice copyOfA = new MemDevice(64 * SECTOR);
    MemDevice copyOfB = new MemDevice(32 * SECTOR);
    try (BlockingDevice io = new BlockingDevice(log);
        BlockingDevice ioA = new BlockingDevice(copyOfA);
        BlockingDevice ioB = new BlockingDevice(copyOfB)) {
      assertThat(new LogReplay(List.<BlockingIo>of(ioA, ioB)).replay(new LogReader(io), 4))
          .isEqualTo(4);
    }
    assertThat(Requests.read(copyOfA, SECTOR, SECTOR)).isEqualTo(bytes(2, 1));
    assertThat(Requests.read(copyOfB, SECTOR, SECTOR)).isEqualTo(bytes(1, 1));
    assertThat(Requests.read(copyOfB, 2 * SECTOR, SECTOR)).isEqualTo(bytes(0, 1));
  }

  @Test
  void aLogBeginsAnewForWhoeverOpensItNext() throws Exception {
    Target target = target("a log");
    new TestFrame(target).write(0, bytes(1, 1));
    target.close();
    target("a log").close();
    assertThat(logged()).containsExactly("mark dm-log-writes-end");
  }

  @Test
  void afterACrashEverythingUpToTheLastAnsweredFlushIsCounted() throws Exception {
    TestFrame frame = new TestFrame(target("a log"));
    frame.write(0, bytes(1, 1));
    frame.flush();
    frame.write(SECTOR, bytes(2, 1));
    assertThat(logged()).containsExactly("write 0+1=1", "flush 0");
    frame.write(SECTOR, bytes(3, 1), Flags.FUA);
    assertThat(logged()).hasSize(4);
  }

  /** Holds flushes back. */
  private static class SlowFlush implements BlockDevice {
    private final BlockDevice device;
    final List<BlockRequest> flushes = new ArrayList<>();

    SlowFlush(BlockDevice device) {
      this.device = device;
    }

    @Override
    public String address() {
      return device.address();
    }

    @Override
    public long sizeBytes() {
      return device.sizeBytes();
    }

    @Override
    public Limits limits() {
      return device.limits();
    }

    @Override
    public void submit(BlockRequest request) {
      if (request.operation() == Operation.FLUSH) {
        flushes.add(request);
      } else {
        device.submit(request);
      }
    }

    @Override
    public void close() {}
  }

  @Test
  void aWriteThatEndsWhileTheDeviceFlushesIsLoggedAfterTheFlush() throws Exception {
    SlowFlush slow = new SlowFlush(device);
    devices.put("a", slow);
    Target target = target("a log");
    TestFrame frame = new TestFrame(target);
    frame.write(0, bytes(1, 1));
    TestFrame.Asked first = frame.flush();
    TestFrame.Asked meanwhile = frame.write(SECTOR, bytes(2, 1));
    TestFrame.Asked second = frame.flush();
    TestFrame.Asked third = frame.flush();
    assertThat(meanwhile.isAnswered()).isFalse();
    assertThat(slow.flushes).hasSize(1);

    slow.flushes.removeFirst().complete(Errno.OK);
    assertThat(first.errno()).isEqualTo(Errno.OK);
    assertThat(meanwhile.errno()).isEqualTo(Errno.OK);
    assertThat(second.isAnswered()).isFalse();
    slow.flushes.removeFirst().complete(Errno.EIO);
    assertThat(second.errno()).isEqualTo(Errno.EIO);
    assertThat(third.errno()).isEqualTo(Errno.EIO);
    target.close();
    assertThat(logged())
        .as("a flush that failed is none")
        .containsExactly("write 0+1=1", "flush 0", "write 1+1=2", "mark dm-log-writes-end");
  }

  @Test
  void aFullLogMakesChangesFailAndIsToldOnce() throws Exception {
    devices.put("log", new MemDevice(8 * SECTOR));
    Target target = target("a log");
    TestFrame frame = new TestFrame(target);
    assertThat(frame.write(0, bytes(1, 4)).errno()).isEqualTo(Errno.OK);
    assertThat(frame.write(0, bytes(2, 4)).errno()).isEqualTo(Errno.EIO);
    assertThat(frame.write(0, bytes(3, 1)).errno()).isEqualTo(Errno.EIO);
    assertThat(frame.flush().errno()).isEqualTo(Errno.EIO);
    assertThat(frame.read(0, SECTOR).errno()).isEqualTo(Errno.OK);
    assertThat(target.status()).isEqualTo("1 5 logging_disabled");
    assertThat(frame.events).containsExactly("logging has stopped");
    assertThat(frame.warnings.toString()).contains("Ran out of space on the logdev");
  }

  @Test
  void aLogDeviceThatFailsIsToldToo() throws Exception {
    BlockDevice failing =
        new SlowFlush(log) {
          @Override
          public void submit(BlockRequest request) {
            boolean isFirst = request.offsetBytes() == 0;
            if (isFirst) {
              super.submit(request);
            } else {
              request.complete(Errno.EIO);
            }
          }
        };
    devices.put("log", failing);
    TestFrame frame = new TestFrame(target("a log"));
    assertThat(frame.write(0, bytes(1, 1)).errno()).isEqualTo(Errno.EIO);
    assertThat(frame.warnings.toString())
        .contains("Error writing to the logdev: Input/output error");
  }

  @Test
  void whatTheDeviceCannotDiscardIsLoggedAndLeft() throws Exception {
    Limits none = new Limits(false, 1, false, 0, false, false, false);
    devices.put(
        "a",
        new SlowFlush(device) {
          @Override
          public Limits limits() {
            return none;
          }
        });
    Target target = target("a log");
    TestFrame frame = new TestFrame(target);
    frame.write(0, bytes(1, 1));
    assertThat(frame.ask(Operation.DISCARD, 0, SECTOR).errno()).isEqualTo(Errno.OK);
    assertThat(frame.read(0, SECTOR).bytes()).isEqualTo(bytes(1, 1));
    target.close();
    assertThat(logged()).contains("discard 0+1");
  }

  @Test
  void theUnitIsTheLargerBlockOfBothDevices() throws Exception {
    Limits large = new Limits(false, 4096, true, 1 << 20, true, true, true);
    devices.put(
        "a",
        new SlowFlush(device) {
          @Override
          public Limits limits() {
            return large;
          }
        });
    Target target = target("a log");
    TestFrame frame = new TestFrame(target);
    frame.write(4096, bytes(7, 8));
    assertThat(target.status()).isEqualTo("1 23");
    target.close();
    assertThat(logged().getFirst()).isEqualTo("write 1+1=7");
  }
}
