package oxbow.it;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Aim: the style test sees code where code is. Method: small sources with known answers. */
class JavaTextTest {
  @Test
  void commentsAndLiteralsAreBlankAndLinesStay() {
    String source =
        """
        a; // b
        /* c
         */ d; "e\\"f" 'g' g
        \"""
        h "i"
        \""" k
        """;

    assertThat(JavaText.of(source).code().replace(" ", "")).isEqualTo("a;\n\nd;g\n\n\nk\n");
  }

  @Test
  void methodsAreFoundWithTheirHeadersAndLambdasAndTypesAreNot() {
    String source =
        """
        record A(int b) {
          A(int b) {
            this.b = b;
          }

          @Override
          public <T> List<T> c(
              int d) throws IOException {
            if (d == 0) {
              e(() -> {
                f();
              });
            }
            return new G(d) {
              void h() {}
            };
          }
        }
        """;

    assertThat(JavaText.of(source).methods())
        .containsExactlyInAnyOrder(
            new JavaText.Method(2, 3), new JavaText.Method(6, 12), new JavaText.Method(15, 1));
  }
}
