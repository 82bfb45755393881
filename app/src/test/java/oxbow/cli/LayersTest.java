package oxbow.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Aim: a device seen through targets for tests can be given wherever a device can. Method: clones
 * whose source, destination and metadata have such addresses.
 */
class LayersTest {
  private Path directory = Path.of("");
  private Path source = Path.of("");
  private Path destination = Path.of("");

  @BeforeEach
  void makeSource(@TempDir Path temporary) throws Exception {
    directory = temporary;
    source = directory.resolve("source.img");
    destination = directory.resolve("dest.img");
    byte[] data = new byte[1 << 20];
    new Random(3).nextBytes(data);
    Files.write(source, data);
  }

  private Cli clone(String sourceAddress, String destinationAddress, Object... more) {
    Object[] words = new Object[more.length + 4];
    words[0] = "clone";
    words[1] = sourceAddress;
    words[2] = destinationAddress;
    words[3] = "--no-serve";
    System.arraycopy(more, 0, words, 4, more.length);
    return Cli.run(words);
  }

  @Test
  void sourceDestinationAndMetadataMayAllBeSeenThroughTargets() throws Exception {
    Path metadata = directory.resolve("meta");
    String address = "delay:1:flakey:1,0:" + destination;
    Cli made = clone("delay:2:" + source, address, "--metadata", "delay:0,1:" + metadata);
    assertThat(made.status()).as(made.err()).isZero();
    assertThat(Files.mismatch(source, destination)).isEqualTo(-1);
    assertThat(Cli.run("inspect", "--check", "delay:1:" + metadata).status()).isZero();
    assertThat(Cli.run("verify", "flakey:1,0:" + source, destination).status()).isZero();
    // The same command finds its own clone again.
    Cli again = clone("delay:2:" + source, address, "--metadata", "delay:0,1:" + metadata);
    assertThat(again.err()).contains("is a full copy already");
  }

  @Test
  void withoutAWordMetadataLiesBesideTheFileItself() {
    assertThat(clone(source.toString(), "delay:0:" + destination).status()).isZero();
    assertThat(directory.resolve("dest.img.meta")).exists();
  }

  @Test
  void aSourceThatFailsNowAndThenIsCopiedInTheEnd() throws Exception {
    Cli made = clone("flakey:0,1,probability,20,7:" + source, destination.toString());
    assertThat(made.status()).as(made.err()).isZero();
    assertThat(Files.mismatch(source, destination)).isEqualTo(-1);
  }

  @Test
  void whatFailsIsSaidWithItsAddress() {
    Cli failed = clone(source.toString(), destination + "", "--metadata", "error:4MiB");
    assertThat(failed.status()).isEqualTo(1);
    assertThat(failed.err()).contains("error:4MiB").contains("Input/output error");
    assertThat(destination).doesNotExist();
  }

  @Test
  void oneFileUnderTwoAddressesIsOneDevice() {
    Cli refused = clone(source.toString(), "delay:1:" + source);
    assertThat(refused.status()).isEqualTo(1);
    assertThat(refused.err()).contains("SOURCE and DEST are the same device");
  }

  @Test
  void wrongWordsAreAWrongCommandLine() {
    Cli refused = clone("delay:soon:" + source, destination.toString());
    assertThat(refused.status()).isEqualTo(2);
    assertThat(refused.err())
        .contains("oxbow: clone: delay:soon:" + source + ": Invalid delay: soon");
    assertThat(destination).doesNotExist();
  }
}
