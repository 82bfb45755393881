package oxbow.target.bow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import oxbow.block.Limits;
import oxbow.format.bow.BowLogHeader;
import oxbow.sim.SimDevice;
import oxbow.sim.SimDisk;
import oxbow.target.TargetException;

/**
 * Aim: a table line is taken or refused, and says why; a device with a log is never mapped. Method:
 * lines, and devices whose first sector says something; the words begin after "bow".
 */
class BowArgsTest {
  private static BowArgs parse(String line) throws TargetException {
    return BowArgs.parse(line.isEmpty() ? List.of() : List.of(line.split(" ", -1)));
  }

  @ParameterizedTest
  @CsvSource({
    "disk,                      4096, disk",
    "disk 0,                    4096, disk",
    "disk 1 block_size:512,      512, disk 1 block_size:512",
    "disk 1 Block_Size:1024,    1024, disk 1 block_size:1024",
    "disk 1 block_size:2048,    2048, disk 1 block_size:2048",
    "disk 1 block_size:4096,    4096, disk 1 block_size:4096",
  })
  @DisplayName("O32: lines that are taken; 4096 is the default")
  void linesThatAreTaken(String line, int blockBytes, String shown) throws TargetException {
    BowArgs args = parse(line);
    assertThat(args.blockBytes()).isEqualTo(blockBytes);
    assertThat(args.toTableLine()).isEqualTo(shown);
    assertThat(parse(shown)).isEqualTo(args);
  }

  @ParameterizedTest
  @CsvSource({
    "'',                            Invalid argument count: a device is expected",
    "disk one,                      Invalid number of feature arguments: one",
    "disk 2 a b,                    Invalid number of feature arguments: 2",
    "disk 1,                        'Invalid number of feature arguments: 1, but 0 follow'",
    "disk 0 block_size:512,         'Invalid number of feature arguments: 0, but 1 follow'",
    "disk 1 block_size:512 x,       'Invalid number of feature arguments: 1, but 2 follow'",
    "disk 1 blocks:512,             Unrecognised feature requested: blocks:512",
    "disk 1 block_size:,            Unrecognised feature requested: block_size:",
    "disk 1 block_size:0,           Unrecognised feature requested: block_size:0",
    "disk 1 block_size:256,         Unrecognised feature requested: block_size:256",
    "disk 1 block_size:513,         Unrecognised feature requested: block_size:513",
    "disk 1 block_size:8192,        Unrecognised feature requested: block_size:8192",
    "disk 1 block_size:4294967808,  Unrecognised feature requested: block_size:4294967808",
    "disk 1 block_size:-512,        Unrecognised feature requested: block_size:-512",
  })
  void linesThatAreRefused(String line, String sentence) {
    assertThatThrownBy(() -> parse(line))
        .isInstanceOf(TargetException.class)
        .hasMessageStartingWith(sentence);
  }

  private static SimDevice device(long magic) {
    byte[] head = new byte[512];
    BowLogHeader log = BowLogHeader.create(4096, 1, 0, 8);
    new BowLogHeader(magic, log.version(), 28, 4096, 1, 0, 8).encode(head, 0);
    return new SimDevice("disk", SimDisk.of(head, 64 * 4096));
  }

  private static void construct(SimDevice device, long sectors, String line)
      throws TargetException {
    try (BowTarget made =
        (BowTarget)
            new BowTargetType()
                .construct(sectors, List.of(line.split(" ", -1)), (name, write) -> device)) {
      assertThat(made.table()).isEqualTo(line);
    }
  }

  @ParameterizedTest
  @CsvSource({"0x00574F42", "0x00424F57"})
  @DisplayName("Section 7: a device with a log, BOW or WOB, is refused, and both choices are named")
  void aDeviceWithALogIsRefused(String magic) {
    assertThatThrownBy(() -> construct(device(Long.decode(magic)), 512, "disk"))
        .isInstanceOf(TargetException.class)
        .hasMessageContaining("oxbow bow restore disk")
        .hasMessageContaining("oxbow bow commit --offline disk");
  }

  @Test
  @DisplayName("Section 1: so is a big-endian log")
  void aBigEndianLogIsRefused() {
    assertThatThrownBy(() -> construct(device(0x424F5700L), 512, "disk"))
        .isInstanceOf(TargetException.class)
        .hasMessageContaining("big-endian log, unsupported");
  }

  @Test
  void theTargetHasToFitAndToBeWholeBlocks() throws TargetException {
    construct(device(0), 512, "disk");
    construct(device(0), 504, "disk");
    construct(device(0), 505, "disk 1 block_size:512");
    assertThatThrownBy(() -> construct(device(0), 513, "disk"))
        .hasMessageContaining("disk too small for target: start=0, len=513, dev_size=512");
    assertThatThrownBy(() -> construct(device(0), 505, "disk"))
        .hasMessageContaining("len=505 not aligned to block size 4096");
  }

  @Test
  @DisplayName("requests as the device takes them; discards of any size, which promise no zeros")
  void limits() throws TargetException {
    SimDevice device = device(0);
    Limits limits = BowWorld.construct(device, 4096).limits();
    assertThat(limits.blockSizeBytes()).isEqualTo(device.limits().blockSizeBytes());
    assertThat(limits.canDiscard()).isTrue();
    assertThat(limits.discardReadsZeros()).isFalse();
    assertThat(limits.maxDiscardBytes()).isEqualTo(Long.MAX_VALUE);
  }
}
