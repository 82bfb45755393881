package oxbow.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import oxbow.control.ControlException;

/** Aim: what users write as a table is read as they mean it, and kept so that it reads the same. */
class TableTextTest {
  private static final long MAX_SECTORS = Long.MAX_VALUE / 512;

  @Test
  void linesCommentsAndEmptyLines() throws Exception {
    TableText table =
        TableText.parse(
            """
            # two targets

            0 8 linear  mem:1MiB\t0
              # 8 8 zero
              8 16 zero
            """);
    assertThat(table.lines())
        .containsExactly(
            new TableText.Line(0, 8, "linear", List.of("mem:1MiB", "0")),
            new TableText.Line(8, 16, "zero", List.of()));
  }

  @Test
  void aGapOrAnOverlapNamesTheTargetBehindIt() {
    assertRefused("8 8 zero", "zero: Gap in table");
    assertRefused("0 8 zero\n9 8 linear mem:1MiB 0", "linear: Gap in table");
    assertRefused("0 8 zero\n7 8 error", "error: Gap in table");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "0 0 zero",
        "0 8",
        "zero",
        "-1 8 zero",
        "0 -8 zero",
        "0 0x8 zero",
        "0 18014398509481984 zero",
        "0 999999999999999999 zero",
        "0 99999999999999999999999 zero",
        "99999999999999999999999 8 zero"
      })
  void whatIsNoLineIsNamedByItsNumber(String line) {
    assertRefused("# comment\n" + line, "Invalid format on line 2 of table");
  }

  @Test
  void nothingIsNoTable() {
    assertRefused("", "The table has no targets");
    assertRefused("# only a comment\n\n", "The table has no targets");
  }

  @Test
  void theLongestDeviceThereCanBe() throws Exception {
    assertThat(TableText.parse("0 " + MAX_SECTORS + " zero").lines().getFirst().lengthSectors())
        .isEqualTo(MAX_SECTORS);
    long half = MAX_SECTORS / 2 + 1;
    assertRefused(
        "0 " + half + " zero\n" + half + " " + half + " zero", "Invalid format on line 2 of table");
  }

  @Test
  void aBackslashTakesTheNextCharacterAsItIs() throws Exception {
    assertThat(TableText.parse("0 8 linear /a\\ b\\\\c\\d 0").lines().getFirst().words())
        .containsExactly("/a b\\cd", "0");
  }

  @Test
  void whateverAWordHoldsItIsReadAgainAsItWas() throws Exception {
    long seed = Long.getLong("oxbow.seed", System.nanoTime());
    Random random = new Random(seed);
    String characters = "ab/.:#\\ \t\u2003\u001c\u00e9\"'=0";
    for (int round = 0; round < 500; round++) {
      List<String> words = new ArrayList<>();
      for (int i = random.nextInt(4); i > 0; i--) {
        StringBuilder word = new StringBuilder();
        for (int k = 1 + random.nextInt(8); k > 0; k--) {
          word.append(characters.charAt(random.nextInt(characters.length())));
        }
        words.add(word.toString());
      }
      TableText table =
          new TableText(
              List.of(
                  new TableText.Line(0, 8, "linear", words),
                  new TableText.Line(8, 1, "zero", List.of())));
      assertThat(TableText.parse(table.toString()))
          .as("reproduce with -Doxbow.seed=" + seed)
          .isEqualTo(table);
    }
  }

  @Test
  void someWordsInThePlaceOfOthers() throws Exception {
    TableText table = TableText.parse("0 8 linear oxbow:a 0\n8 8 linear oxbow:b 0");
    assertThat(table.with(word -> word.equals("oxbow:a") ? "oxbow:c" : word))
        .hasToString("0 8 linear oxbow:c 0\n8 8 linear oxbow:b 0");
  }

  private static void assertRefused(String text, String why) {
    assertThatThrownBy(() -> TableText.parse(text))
        .isInstanceOf(ControlException.class)
        .hasMessage(why);
  }
}
