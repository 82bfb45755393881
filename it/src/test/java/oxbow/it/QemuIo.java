package oxbow.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The client qemu-io, which does what it is told at any alignment. */
final class QemuIo {
  private QemuIo() {}

  /**
   * Runs its commands on a raw image, a file or an NBD URI; fails when one fails, or reads what it
   * did not expect.
   */
  static void run(String image, String... commands) {
    String out = execute(image, commands).ok().out();
    assertThat(out).doesNotContainIgnoringCase("fail").doesNotContain("error");
  }

  /** The same where commands may fail; a line for each tells how it ended. */
  static String tried(String image, String... commands) {
    return execute(image, commands).out();
  }

  private static Proc.Result execute(String image, String... commands) {
    List<Object> words = new ArrayList<>(List.of("-f", "raw", "--discard=unmap"));
    for (String command : commands) {
      words.addAll(List.of("-c", command));
    }
    words.add(image);
    return Proc.of(Tool.require("qemu-io", "qemu-utils"), words.toArray()).run();
  }

  /** Does the same to a device and to the file that is its model. */
  static void same(String uri, Path model, String... commands) {
    run(uri, commands);
    run("file:" + model, commands);
  }
}
