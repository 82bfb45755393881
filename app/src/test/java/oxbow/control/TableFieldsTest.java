package oxbow.control;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Aim: the words of every target's table line have names, and no line makes that fail. */
class TableFieldsTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "clone|m d s 8 1 no_hydration|{metadata=m, destination=d, source=s, regionSizeSectors=8,"
            + " features=[no_hydration]}",
        "clone|m d s 8 0 2 hydration_threshold 3|{metadata=m, destination=d, source=s,"
            + " regionSizeSectors=8, features=[], hydrationThreshold=3}",
        "snapshot|o c P 8 1 discard_zeroes_cow|{origin=o, store=c, persistence=P,"
            + " chunkSizeSectors=8, features=[discard_zeroes_cow]}",
        "snapshot-merge|o c P 8|{origin=o, store=c, persistence=P, chunkSizeSectors=8,"
            + " features=[]}",
        "snapshot-origin|o|{origin=o}",
        "bow|d 1 block_size:512|{device=d, features=[block_size:512]}",
        "linear|d 7|{device=d, offsetSectors=7}",
        "delay|d 0 5 e 1 6|{readDevice=d, readOffsetSectors=0, readMillis=5, writeDevice=e,"
            + " writeOffsetSectors=1, writeMillis=6}",
        "flakey|d 0 1 2 1 drop_writes|{device=d, offsetSectors=0, upSeconds=1, downSeconds=2,"
            + " features=[drop_writes]}",
        "log-writes|d l|{device=d, log=l}",
        "zero|''|{}",
      })
  void wordsHaveNames(String target, String text, String expected) {
    assertThat(TableFields.of(target, text).toString()).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "linear|d x|{device=d}",
        "clone|m d s eight 1 no_hydration|{metadata=m, destination=d, source=s, features=[]}",
        "clone|m|{metadata=m, features=[]}",
        "snapshot|o c P 8 9 a|{origin=o, store=c, persistence=P, chunkSizeSectors=8,"
            + " features=[a]}",
        "clone|m d s 8 0 2 hydration_threshold x|{metadata=m, destination=d, source=s,"
            + " regionSizeSectors=8, features=[]}",
      })
  void whatFollowsANonsensicalWordHasNone(String target, String text, String expected) {
    assertThat(TableFields.of(target, text).toString()).isEqualTo(expected);
  }
}
