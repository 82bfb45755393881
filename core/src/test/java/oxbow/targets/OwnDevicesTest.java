package oxbow.targets;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import oxbow.block.BlockDevice;
import oxbow.device.mem.MemDevice;
import oxbow.target.Target;
import oxbow.target.TargetDevices;
import oxbow.target.TargetException;

/**
 * Aim: a device whose contents a target knows is opened so that nobody else can write it, and no
 * other device is.
 */
class OwnDevicesTest {
  private static final long SECTORS = 2048;

  /** Notes who is opened how; refuses the second opening of what is somebody's own. */
  private static final class Recorded implements TargetDevices {
    final List<String> opened = new ArrayList<>();
    String taken = "";

    @Override
    public BlockDevice open(String address, boolean isWritable) {
      opened.add(address + (isWritable ? " shared" : " read"));
      return new MemDevice(4 << 20);
    }

    @Override
    public BlockDevice openOwn(String address) throws IOException {
      if (address.equals(taken)) {
        throw new IOException(address + ": in use by another table");
      }
      opened.add(address + " own");
      return new MemDevice(4 << 20);
    }
  }

  private static Target construct(String name, String words, TargetDevices devices)
      throws TargetException {
    return new TargetTypes()
        .find(name)
        .orElseThrow()
        .construct(SECTORS, List.of(words.split(" ")), devices);
  }

  @ParameterizedTest
  @CsvSource({
    "clone, a b c 8, a own|b own|c read",
    "bow, a, a own",
    "log-writes, a b, a shared|b own",
    "delay, a 0 0, a shared",
    "flakey, a 0 1 0, a shared"
  })
  void devicesAreOpenedAsTheyAreUsed(String name, String words, String opened) throws Exception {
    Recorded devices = new Recorded();
    construct(name, words, devices).close();
    assertThat(devices.opened).containsExactlyInAnyOrder(opened.split("\\|"));
  }

  @ParameterizedTest
  @CsvSource({
    "clone, a b c 8, a, Error opening metadata device: a: in use by another table",
    "clone, a b c 8, b, Error opening destination device: b: in use by another table",
    "bow, a, a, Device lookup failed: a: in use by another table",
    "log-writes, a b, b, Log device lookup failed: b: in use by another table"
  })
  void aDeviceThatIsAnothersOwnIsRefused(String name, String words, String taken, String sentence) {
    Recorded devices = new Recorded();
    devices.taken = taken;
    assertThatThrownBy(() -> construct(name, words, devices))
        .isInstanceOf(TargetException.class)
        .hasMessage(sentence);
  }

  /** Who opens devices without keeping account of them opens these too. */
  @ParameterizedTest
  @CsvSource({"clone, a b c 8", "bow, a"})
  void withoutAnAccountTheyAreOpenedForWriting(String name, String words) throws Exception {
    List<String> opened = new ArrayList<>();
    construct(
            name,
            words,
            (address, isWritable) -> {
              opened.add(address + isWritable);
              return new MemDevice(4 << 20);
            })
        .close();
    assertThat(opened).contains("atrue");
  }
}
