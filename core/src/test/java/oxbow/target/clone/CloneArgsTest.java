package oxbow.target.clone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import oxbow.target.TargetException;

/**
 * Aim: a table line means what it means to a kernel. Method: every line that was tried on a kernel
 * 6.1, with what it answered; the words begin after "clone".
 */
class CloneArgsTest {
  private static CloneArgs parse(String line) throws TargetException {
    return CloneArgs.parse(words(line));
  }

  private static List<String> words(String line) {
    return line.isEmpty() ? List.of() : List.of(line.split(" "));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "meta dest source 8",
        "meta dest source 8 0",
        "meta dest source 8 0 0",
        "meta dest source 8 0 0 trailing",
        "meta dest source 16 1 no_hydration",
        "meta dest source 2097152 1 no_hydration",
        "meta dest source 8 1 no_discard_passdown",
        "meta dest source 8 2 no_hydration no_discard_passdown",
        "meta dest source 8 2 no_discard_passdown no_hydration",
        "meta dest source 8 2 no_hydration no_hydration",
        "meta dest source 8 1 hydrate_on_read",
        "meta dest source 8 3 no_hydration Hydrate_On_Read no_discard_passdown",
        "meta dest source 8 1 NO_HYDRATION",
        "meta dest source 8 1 no_hydration 0",
        "meta dest source 8 1 no_hydration 2 hydration_threshold 4",
        "meta dest source 8 1 no_hydration 2 hydration_batch_size 4",
        "meta dest source 8 1 no_hydration 4 hydration_threshold 4 hydration_batch_size 8",
        "meta dest source 8 1 no_hydration 4 hydration_threshold 4 hydration_threshold 8",
        "meta dest source 8 1 no_hydration 2 hydration_threshold 0",
        "meta dest source 8 1 no_hydration 2 hydration_batch_size 0",
        "meta dest source 8 1 no_hydration 2 hydration_threshold 4294967295",
        "meta dest source 8 1 no_hydration 2 hydration_batch_size 1000000",
        "98:0 98:16 98:32 8 0 2 HYDRATION_THRESHOLD 3",
        "/dev/meta /dev/mapper/d nbd://host/export 8 1 no_hydration 2 hydration_threshold 1 a b",
      })
  @DisplayName("C6 C7 C8: lines that a kernel accepts are accepted, and echoed as they were")
  void acceptedLinesAreEchoedAsGiven(String line) throws TargetException {
    assertThat(parse(line).toTableLine()).isEqualTo(line);
    assertThat(parse(parse(line).toTableLine())).isEqualTo(parse(line));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "\"\"|Invalid number of arguments",
        "meta|Invalid number of arguments",
        "meta dest source|Invalid number of arguments",
        "meta dest source 0 1 no_hydration|Invalid region size",
        "meta dest source 1 1 no_hydration|Invalid region size",
        "meta dest source 4 1 no_hydration|Invalid region size",
        "meta dest source 7 1 no_hydration|Invalid region size",
        "meta dest source 9 1 no_hydration|Region size is not a power of 2",
        "meta dest source 12 1 no_hydration|Region size is not a power of 2",
        "meta dest source 24 1 no_hydration|Region size is not a power of 2",
        "meta dest source 100 1 no_hydration|Region size is not a power of 2",
        "meta dest source 8x 1 no_hydration|Invalid region size",
        "meta dest source abc 1 no_hydration|Invalid region size",
        "meta dest source -8 1 no_hydration|Invalid region size",
        "meta dest source 4194304 1 no_hydration|Invalid region size",
        "meta dest source 2097160 1 no_hydration|Invalid region size",
        "meta dest source 4294967296 1 no_hydration|Invalid region size",
        "meta dest source 99999999999999999999 0|Invalid region size",
        "meta dest source 8 1|Invalid number of feature arguments",
        "meta dest source 8 1 unknown|Invalid feature argument",
        "meta dest source 8 2 no_hydration|Invalid number of feature arguments",
        "meta dest source 8 3 no_hydration no_discard_passdown x"
            + "|Invalid number of feature arguments",
        "meta dest source 8 3 no_hydration no_hydration no_hydration"
            + "|Invalid number of feature arguments",
        "meta dest source 8 4 hydrate_on_read hydrate_on_read hydrate_on_read hydrate_on_read"
            + "|Invalid number of feature arguments",
        "meta dest source 8 x|Invalid number of feature arguments",
        "meta dest source 8 -1|Invalid number of feature arguments",
        "meta dest source 8 1 hydration_threshold|Invalid feature argument",
        "meta dest source 8 1 no_hydration trailing|Invalid number of core arguments",
        "meta dest source 8 1 no_hydration 1 hydration_threshold"
            + "|Number of core arguments must be even",
        "meta dest source 8 1 no_hydration 3 hydration_threshold 4 hydration_batch_size"
            + "|Number of core arguments must be even",
        "meta dest source 8 1 no_hydration 2 hydration_threshold|Invalid number of core arguments",
        "meta dest source 8 1 no_hydration 2 hydration_threshold x"
            + "|Invalid value for argument `hydration_threshold'",
        "meta dest source 8 1 no_hydration 2 hydration_threshold -1"
            + "|Invalid value for argument `hydration_threshold'",
        "meta dest source 8 1 no_hydration 2 hydration_threshold 4294967296"
            + "|Invalid value for argument `hydration_threshold'",
        "meta dest source 8 1 no_hydration 2 hydration_batch_size x"
            + "|Invalid value for argument `hydration_batch_size'",
        "meta dest source 8 1 no_hydration 2 unknown 4|Invalid core argument",
        "meta dest source 8 1 no_hydration 6 hydration_threshold 1 hydration_batch_size 1"
            + " hydration_threshold 1|Invalid number of core arguments",
        "meta dest source 8 1 no_hydration x|Invalid number of core arguments",
      })
  @DisplayName("C1 C4 C6 C7: lines that a kernel refuses are refused with its sentence")
  void refusedLinesAreRefusedWithTheKernelsSentence(String line, String sentence) {
    assertThatThrownBy(() -> parse(line))
        .isInstanceOf(TargetException.class)
        .hasMessageStartingWith(sentence);
  }

  @Test
  @DisplayName("C7: threshold and batch size are 1 unless the line says otherwise")
  void thresholdAndBatchSizeAreOneByDefault() throws TargetException {
    CloneArgs args = parse("meta dest source 8");
    assertThat(args.hydrationThreshold()).isEqualTo(1);
    assertThat(args.hydrationBatchSize()).isEqualTo(1);
    assertThat(args.hasNoHydration()).isFalse();
    assertThat(args.hasNoDiscardPassdown()).isFalse();
  }

  @Test
  @DisplayName("C7: a key given twice has the later value")
  void theLaterValueOfAKeyCounts() throws TargetException {
    CloneArgs args = parse("meta dest source 8 0 4 hydration_threshold 4 hydration_threshold 8");
    assertThat(args.hydrationThreshold()).isEqualTo(8);
    assertThat(args.hydrationBatchSize()).isEqualTo(1);
  }

  @Test
  @DisplayName("C6: features are case-insensitive and may be in any order")
  void featuresAreCaseInsensitiveInAnyOrder() throws TargetException {
    CloneArgs args = parse("meta dest source 8 2 No_Discard_Passdown NO_HYDRATION");
    assertThat(args.hasNoHydration()).isTrue();
    assertThat(args.hasNoDiscardPassdown()).isTrue();
    assertThat(args.hydratesOnRead()).isFalse();
    assertThat(parse("meta dest source 8 1 HYDRATE_on_read").hydratesOnRead()).isTrue();
  }

  @Test
  @DisplayName("C4: all sixteen powers of two and a few in between, up to one GiB regions")
  void everyPowerOfTwoInRangeIsARegionSize() throws TargetException {
    for (long sectors = 8; sectors <= 2097152; sectors *= 2) {
      assertThat(parse("m d s " + sectors).regionSizeSectors()).isEqualTo(sectors);
      long between = sectors + sectors / 2;
      String sentence =
          between > 2097152 ? "Invalid region size" : "Region size is not a power of 2";
      assertThatThrownBy(() -> parse("m d s " + between)).hasMessageStartingWith(sentence);
    }
    assertThat(parse("m d s 8").regionBytes()).isEqualTo(4096);
  }

  @Test
  @DisplayName("a refusal names the value and what is allowed")
  void aRefusalNamesTheValueAndWhatIsAllowed() {
    assertThatThrownBy(() -> parse("m d s 12"))
        .hasMessage("Region size is not a power of 2: 12 sectors (8 to 2097152 are allowed)");
    assertThatThrownBy(() -> parse("m d s 8 1 fast")).hasMessageEndingWith(": fast");
  }

  @Test
  @DisplayName("a line put together from values parses to these values")
  void aLineMadeOfValuesParsesToThem() throws TargetException {
    Random random = new Random(1);
    for (int i = 0; i < 200; i++) {
      long region = 8L << random.nextInt(19);
      long threshold = random.nextInt(3) == 0 ? 1 : random.nextInt() & 0xFFFFFFFFL;
      long batch = random.nextInt(3) == 0 ? 1 : random.nextInt() & 0xFFFFFFFFL;
      boolean noHydration = random.nextBoolean();
      boolean noPassdown = random.nextBoolean();
      CloneArgs args =
          CloneArgs.of("m", "d", "s", region, noHydration, noPassdown, threshold, batch);
      CloneArgs again = parse(args.toTableLine());
      assertThat(again).isEqualTo(args);
      assertThat(again.regionSizeSectors()).isEqualTo(region);
      assertThat(again.hydrationThreshold()).isEqualTo(threshold);
      assertThat(again.hydrationBatchSize()).isEqualTo(batch);
      assertThat(again.hasNoHydration()).isEqualTo(noHydration);
      assertThat(again.hasNoDiscardPassdown()).isEqualTo(noPassdown);
    }
  }
}
