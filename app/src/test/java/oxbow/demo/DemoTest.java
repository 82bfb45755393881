package oxbow.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import oxbow.console.Console;

/**
 * Aim: what a newcomer sees first works, tells what it does, and leaves nothing behind. Method: all
 * of it, once.
 */
class DemoTest {
  @Test
  void theDemoShowsTheMainJobAndChecksEveryByte() throws Exception {
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    Console console =
        new Console(
            new PrintStream(out, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8),
            false,
            false);
    assertThat(new Demo(console).run()).isTrue();
    String told = err.toString(StandardCharsets.UTF_8);
    assertThat(told)
        .contains("a client reads 4 KiB that are not copied yet")
        .contains("is a full copy")
        .contains("Checked every byte of clone.img");
    assertThat(out.toString(StandardCharsets.UTF_8)).contains("every structure is as it must be");
  }

  @Test
  void theImageIsWhatItsDescriptionSays() {
    byte[] whole = DemoImage.read(2 << 20, 3 << 20);
    byte[] part = DemoImage.read((3 << 20) + 100, 1000);
    assertThat(part).isEqualTo(Arrays.copyOfRange(whole, (1 << 20) + 100, (1 << 20) + 1100));
    assertThat(part).isNotEqualTo(new byte[1000]);
    assertThat(DemoImage.read(1 << 20, 1000)).isEqualTo(new byte[1000]);
  }
}
