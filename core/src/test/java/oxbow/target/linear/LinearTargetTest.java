package oxbow.target.linear;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import oxbow.block.BlockDevice;
import oxbow.block.BlockRequest;
import oxbow.block.DeviceException;
import oxbow.block.Errno;
import oxbow.block.Limits;
import oxbow.block.Operation;
import oxbow.device.Requests;
import oxbow.device.mem.MemDevice;
import oxbow.target.Mapping;
import oxbow.target.Target;
import oxbow.target.TargetDevices;
import oxbow.target.TargetException;
import oxbow.target.TestFrame;

/** Aim: every request goes to the device, moved by the offset and otherwise as it is. */
class LinearTargetTest {
  private static final int SECTOR = 512;

  private final MemDevice a = new MemDevice(1 << 20);

  /** The devices there are: a; one that is only read, and others that are not opened at all. */
  private final class Devices implements TargetDevices {
    final List<String> asked = new ArrayList<>();

    @Override
    public BlockDevice open(String address, boolean isWritable) throws IOException {
      asked.add(address + (isWritable ? " rw" : " ro"));
      return switch (address) {
        case "a" -> a;
        case "large" -> new Shaped(Limits.FILE, 4096);
        case "EACCES" -> readOnly(address, Errno.EACCES, isWritable);
        case "EPERM" -> readOnly(address, Errno.EPERM, isWritable);
        case "EROFS" -> readOnly(address, Errno.EROFS, isWritable);
        case "broken" -> throw new DeviceException(Errno.EIO, address);
        default -> throw new IOException(address + ": in use");
      };
    }

    private BlockDevice readOnly(String address, int errno, boolean isWritable) throws IOException {
      if (isWritable) {
        throw new DeviceException(errno, address);
      }
      return new Shaped(Limits.READ_ONLY_FILE, 1);
    }
  }

  /** A device with limits of its own. */
  private final class Shaped implements BlockDevice {
    private final Limits limits;

    Shaped(Limits like, int blockBytes) {
      limits =
          new Limits(
              like.isReadOnly(),
              blockBytes,
              like.canDiscard(),
              like.maxDiscardBytes(),
              like.discardReadsZeros(),
              like.canWriteZeroesFast(),
              like.hasVolatileCache());
    }

    @Override
    public String address() {
      return "shaped";
    }

    @Override
    public long sizeBytes() {
      return a.sizeBytes();
    }

    @Override
    public Limits limits() {
      return limits;
    }

    @Override
    public void submit(BlockRequest request) {
      a.submit(request);
    }

    @Override
    public void close() {}
  }

  private final Devices devices = new Devices();

  private Target target(String words) throws TargetException {
    return target(words, 1024);
  }

  private Target target(String words, long lengthSectors) throws TargetException {
    return new LinearTargetType().construct(lengthSectors, List.of(words.split(" ")), devices);
  }

  private static byte[] bytes(int value) {
    byte[] bytes = new byte[SECTOR];
    Arrays.fill(bytes, (byte) value);
    return bytes;
  }

  @ParameterizedTest
  @ValueSource(strings = {"a 0", "a 8", "a 1024"})
  void theTableLineIsWhatWasGiven(String words) throws TargetException {
    assertThat(target(words).table()).isEqualTo(words);
    assertThat(target(words).status()).isEmpty();
    assertThat(target(words).lengthBytes()).isEqualTo(1024 * SECTOR);
  }

  @ParameterizedTest
  @CsvSource({
    "a, Invalid argument count",
    "a 0 0, Invalid argument count",
    "a x, Invalid device sector: x",
    "a -1, Invalid device sector: -1",
    "none x, Invalid device sector: x",
    "none 0, Device lookup failed: none: in use",
    "broken 0, Device lookup failed: broken: Input/output error",
    "a 1025, 'a too small for target: start=1025, len=1024, dev_size=2048'",
    "large 9, start=9 not aligned to h/w logical block size 4096 of large"
  })
  void wrongWordsAreRefusedInTheKernelsWords(String words, String sentence) {
    assertThatThrownBy(() -> target(words))
        .isInstanceOf(TargetException.class)
        .hasMessage(sentence);
  }

  @Test
  void aLengthThatIsNoWholeBlocksIsRefused() throws TargetException {
    assertThatThrownBy(() -> target("large 8", 12))
        .isInstanceOf(TargetException.class)
        .hasMessage("len=12 not aligned to h/w logical block size 4096 of large");
    assertThat(target("large 8", 16).limits().blockSizeBytes()).isEqualTo(4096);
  }

  @Test
  void eachRequestIsMovedByTheOffset() throws TargetException {
    TestFrame frame = new TestFrame(target("a 8"));
    frame.write(SECTOR, bytes(7));
    assertThat(frame.read(SECTOR, SECTOR).bytes()).isEqualTo(bytes(7));
    frame.ask(Operation.CACHE, 0, SECTOR);
    frame.ask(Operation.DISCARD, 4 * SECTOR, SECTOR);
    frame.ask(Operation.WRITE_ZEROES, 1023 * SECTOR, SECTOR);
    assertThat(frame.flush().errno()).isEqualTo(Errno.OK);
    assertThat(frame.sent)
        .containsExactly(
            "0 WRITE 4608+512",
            "0 READ 4608+512",
            "0 CACHE 4096+512",
            "0 DISCARD 6144+512",
            "0 WRITE_ZEROES 527872+512",
            "0 FLUSH 0+0");
    assertThat(Requests.read(a, 9 * SECTOR, SECTOR)).isEqualTo(bytes(7));
  }

  @Test
  void questionsAboutTheDataAreMovedToo() throws TargetException {
    Mapping answer = new Mapping();
    target("a 8").locate(SECTOR, 3 * SECTOR, answer);
    assertThat(answer.isRemap()).isTrue();
    assertThat(answer.offsetBytes()).isEqualTo(9 * SECTOR);
    assertThat(answer.lengthBytes()).isEqualTo(3 * SECTOR);
  }

  @ParameterizedTest
  @ValueSource(strings = {"EACCES", "EPERM", "EROFS"})
  void whatMayOnlyBeReadIsOpenedForReading(String name) throws TargetException {
    assertThat(target(name + " 0").limits().isReadOnly()).isTrue();
    assertThat(devices.asked).containsExactly(name + " rw", name + " ro");
  }

  @Test
  void whatIsInUseIsNotOpenedForReadingInstead() {
    assertThatThrownBy(() -> target("none 0")).isInstanceOf(TargetException.class);
    assertThatThrownBy(() -> target("broken 0")).isInstanceOf(TargetException.class);
    assertThat(devices.asked).containsExactly("none rw", "broken rw");
  }
}
