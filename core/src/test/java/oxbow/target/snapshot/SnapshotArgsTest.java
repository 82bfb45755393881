package oxbow.target.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import oxbow.block.BlockDevice;
import oxbow.device.mem.MemDevice;
import oxbow.device.zero.ZeroDevice;
import oxbow.target.TargetException;

/**
 * Aim: a table line means what it means to a kernel. Method: every line that was tried on a kernel
 * 6.1, with what it answered; the words begin after "snapshot".
 */
class SnapshotArgsTest {
  private static SnapshotArgs parse(String line) throws TargetException {
    return SnapshotArgs.parse(words(line));
  }

  private static List<String> words(String line) {
    return line.isEmpty() ? List.of() : List.of(line.split(" "));
  }

  @ParameterizedTest
  @CsvSource({
    "origin cow P 8,                            origin cow P 8",
    "origin cow p 8,                            origin cow P 8",
    "origin cow PO 8,                           origin cow PO 8",
    "origin cow Po 8,                           origin cow PO 8",
    "origin cow Pooo 8,                         origin cow PO 8",
    "origin cow N 8,                            origin cow N 8",
    "origin cow NO 8,                           origin cow N 8",
    "origin cow n 8,                            origin cow N 8",
    "origin cow P 1,                            origin cow P 1",
    "origin cow P 2097152,                      origin cow P 2097152",
    "origin cow P 8 0,                          origin cow P 8",
    "origin cow P 8 0 trailing,                 origin cow P 8",
    "origin cow P 8 1 discard_zeroes_cow,       origin cow P 8 1 discard_zeroes_cow",
    "origin cow P 8 1 DISCARD_zeroes_cow,       origin cow P 8 1 discard_zeroes_cow",
    "origin cow P 8 2 discard_zeroes_cow discard_passdown_origin,"
        + "origin cow P 8 2 discard_zeroes_cow discard_passdown_origin",
    "origin cow P 8 2 discard_passdown_origin discard_zeroes_cow,"
        + "origin cow P 8 2 discard_zeroes_cow discard_passdown_origin",
    "origin cow P 8 2 discard_zeroes_cow discard_zeroes_cow,"
        + "origin cow P 8 1 discard_zeroes_cow",
    "origin cow N 8 1 Warn_At:1,                origin cow N 8 1 warn_at:1",
    "origin cow P 8 3 warn_at:99 discard_zeroes_cow discard_passdown_origin,"
        + "origin cow P 8 3 discard_zeroes_cow discard_passdown_origin warn_at:99",
  })
  @DisplayName("C2 C3 C4: lines that a kernel accepts, and its table line for them")
  void acceptedLinesAreShownAsTheKernelShowsThem(String line, String shown) throws TargetException {
    SnapshotArgs args = parse(line);
    assertThat(args.toTableLine(args.chunkSectors(512))).isEqualTo(shown);
    assertThat(parse(shown)).isEqualTo(args);
    SnapshotArgs.checkCountAndFeatures(words(line));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "\"\"|requires 4 or more arguments",
        "origin|requires 4 or more arguments",
        "origin cow|requires 4 or more arguments",
        "origin cow P|requires 4 or more arguments",
        "origin cow P 8 trailing|Invalid number of feature arguments",
        "origin cow P O 8|Invalid number of feature arguments",
        "origin cow P 8 3 a b c|Invalid number of feature arguments",
        "origin cow P 8 x|Invalid number of feature arguments",
        "origin cow P 8 2 discard_zeroes_cow|Invalid number of feature arguments",
        "origin cow P 8 4 a b c warn_at:5|Invalid number of feature arguments",
        "origin cow P 8 1 unknown|Unrecognised feature requested: unknown",
        "origin cow P 8 1 warn_at:0|Unrecognised feature requested: warn_at:0 (1 to 99",
        "origin cow P 8 1 warn_at:100|Unrecognised feature requested: warn_at:100 (1 to 99",
        "origin cow P 8 1 warn_at:|Unrecognised feature requested: warn_at: (1 to 99",
        "origin cow P 8 1 discard_passdown_origin|discard_passdown_origin feature depends on"
            + " discard_zeroes_cow",
      })
  @DisplayName("C1 C4: count and features are checked before the devices are opened")
  void mistakesInCountAndFeaturesHaveTheKernelsSentences(String line, String sentence) {
    assertThatThrownBy(() -> parse(line))
        .isInstanceOf(TargetException.class)
        .hasMessageStartingWith(sentence);
    assertThatThrownBy(() -> SnapshotArgs.checkCountAndFeatures(words(line)))
        .isInstanceOf(TargetException.class)
        .hasMessageStartingWith(sentence);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "origin cow O 8|Couldn't create exception store",
        "origin cow X 8|Couldn't create exception store",
        "origin cow 8 8|Couldn't create exception store",
        "origin cow PX 8|Couldn't create exception store",
        "origin cow PNO 8|Couldn't create exception store",
        "origin cow P 7|Couldn't create exception store: Chunk size is not a power of 2",
        "origin cow P 12|Couldn't create exception store: Chunk size is not a power of 2",
        "origin cow P 100|Couldn't create exception store: Chunk size is not a power of 2",
        "origin cow P x|Couldn't create exception store: Invalid chunk size",
        "origin cow P 8x|Couldn't create exception store: Invalid chunk size",
        "origin cow P -8|Couldn't create exception store: Invalid chunk size",
        "origin cow P 2147483648|Couldn't create exception store: Chunk size is too high",
        "origin cow P 4194304|Couldn't create exception store: Chunk size is too high",
        "origin cow P 4294967296|Couldn't create exception store: Invalid chunk size",
        "origin cow N 7|Couldn't create exception store: Chunk size is not a power of 2",
        "origin cow N 0|Chunk size not set",
      })
  @DisplayName("C2 C3: kinds and chunk sizes that a kernel refuses")
  void mistakesInKindAndChunkSizeHaveTheKernelsSentences(String line, String sentence)
      throws TargetException {
    SnapshotArgs.checkCountAndFeatures(words(line));
    assertThatThrownBy(() -> parse(line))
        .isInstanceOf(TargetException.class)
        .hasMessageStartingWith(sentence);
  }

  @Test
  @DisplayName("C3: the default is 32 sectors, or a block of the store if that is larger")
  void theDefaultChunkSizeFollowsTheStore() throws TargetException {
    assertThat(parse("origin cow P 0").chunkSectors()).isZero();
    assertThat(parse("origin cow P 0").chunkSectors(512)).isEqualTo(32);
    assertThat(parse("origin cow P 0").chunkSectors(65536)).isEqualTo(128);
    assertThat(parse("origin cow P 8").chunkSectors(65536)).isEqualTo(8);
    assertThat(parse("origin cow PO 0").toTableLine(32)).isEqualTo("origin cow PO 32");
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 3, 12})
  @DisplayName("C3: chunks of no device can have these sizes")
  void chunkSizesOfHeadersAreCheckedToo(long sectors) {
    assertThatThrownBy(() -> SnapshotArgs.checkChunkSize(sectors, 512, 512))
        .hasMessageStartingWith("Couldn't create exception store: Chunk size is not a power of 2");
  }

  @Test
  @DisplayName("C3: a chunk is a multiple of both devices' blocks")
  void chunksHaveWholeBlocks() throws TargetException {
    SnapshotArgs.checkChunkSize(8, 4096, 512);
    SnapshotArgs.checkChunkSize(1, 1, 1);
    String sentence =
        "Couldn't create exception store: Chunk size is not a multiple of device blocksize";
    assertThatThrownBy(() -> SnapshotArgs.checkChunkSize(4, 4096, 512))
        .hasMessageStartingWith(sentence);
    assertThatThrownBy(() -> SnapshotArgs.checkChunkSize(4, 512, 4096))
        .hasMessageStartingWith(sentence);
  }

  @Test
  @DisplayName("C5: origin and store differ")
  void aStoreIsNotItsOwnOrigin() throws Exception {
    try (MemDevice one = new MemDevice(4096);
        MemDevice two = new MemDevice(4096);
        ZeroDevice named = new ZeroDevice(4096);
        ZeroDevice same = new ZeroDevice(4096)) {
      SnapshotArgs.checkDifferent(one, two);
      SnapshotArgs.checkDifferent(named, two);
      assertSame(one, one);
      assertSame(named, same);
    }
  }

  private static void assertSame(BlockDevice origin, BlockDevice store) {
    assertThatThrownBy(() -> SnapshotArgs.checkDifferent(origin, store))
        .isInstanceOf(TargetException.class)
        .hasMessageStartingWith("COW device cannot be the same as origin device");
  }

  @Test
  @DisplayName("C7 O22: a transient store cannot be merged")
  void onlyPersistentStoresAreMerged() throws TargetException {
    parse("origin cow P 8").checkMergeable();
    parse("origin cow PO 8").checkMergeable();
    SnapshotArgs lost = parse("origin cow N 8");
    assertThatThrownBy(lost::checkMergeable)
        .hasMessage("Snapshot exception store does not support snapshot-merge.");
  }

  @Test
  void anEventIsRaisedAtEightyPercentUnlessTheLineSaysElse() throws TargetException {
    assertThat(parse("origin cow P 8").warnPercent()).isEqualTo(80);
    assertThat(parse("origin cow P 8 1 warn_at:35").warnPercent()).isEqualTo(35);
  }

  @Test
  @DisplayName("C1: an origin has exactly one argument")
  void anOriginIsItsDevice() throws TargetException {
    assertThat(OriginArgs.parse(List.of("98:0")).toTableLine()).isEqualTo("98:0");
    for (String line : List.of("", "origin 8")) {
      assertThatThrownBy(() -> OriginArgs.parse(words(line)))
          .isInstanceOf(TargetException.class)
          .hasMessageStartingWith("origin: incorrect number of arguments");
    }
  }
}
