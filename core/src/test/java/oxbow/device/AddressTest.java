package oxbow.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Aim: every form of address in the manual is understood; what is wrong is named. */
class AddressTest {
  @ParameterizedTest
  @CsvSource({
    "disk.img, disk.img",
    "/dev/vda, /dev/vda",
    "./mem:4K, ./mem:4K",
    "file:mem:4K, mem:4K",
    "file:/a b, /a b",
    "strange:name, strange:name",
    "C, C"
  })
  void whatHasNoSchemeOfOursIsAPath(String text, String path) {
    assertThat(Address.parse(text)).isEqualTo(new Address.File(text, Path.of(path)));
  }

  @Test
  void devicesMadeOfNothingTakeASize() {
    assertThat(Address.parse("mem:1G")).isEqualTo(new Address.Mem("mem:1G", 1 << 30));
    assertThat(Address.parse("zero:8s")).isEqualTo(new Address.Zero("zero:8s", 4096));
    assertThat(Address.parse("error:512")).isEqualTo(new Address.Failing("error:512", 512));
    assertThatThrownBy(() -> Address.parse("mem:lots"))
        .hasMessageStartingWith("mem:lots: \"lots\" is not a size");
  }

  @Test
  void anotherDeviceOfTheDaemonIsCalledByItsName() {
    assertThat(Address.parse("oxbow:vol1")).isEqualTo(new Address.Named("oxbow:vol1", "vol1"));
    assertThatThrownBy(() -> Address.parse("oxbow:")).hasMessageContaining("name of a device");
  }

  @ParameterizedTest
  @CsvSource({
    "nbd://example.com, example.com, 10809, ''",
    "nbd://example.com/, example.com, 10809, ''",
    "nbd://example.com:10810/disk, example.com, 10810, disk",
    "nbd://example.com:/disk, example.com, 10809, disk",
    "nbd://example.com//disk, example.com, 10809, /disk",
    "nbd://example.com/hello%20world, example.com, 10809, hello world",
    "nbd://example.com/a+b, example.com, 10809, a+b",
    "nbd://under_score/x, under_score, 10809, x",
    "nbd://user@example.com/x, example.com, 10809, x",
    "nbd://127.0.0.1:1/x, 127.0.0.1, 1, x",
    "nbd://[::1]:65535/x, ::1, 65535, x",
    "nbd://[fe80::1%25eth0]/x, fe80::1%eth0, 10809, x",
    "nbd://h/gr%C3%BCn, h, 10809, grün"
  })
  void nbdOverTcpFollowsTheUriStandard(String text, String host, int port, String export) {
    assertThat(Address.parse(text)).isEqualTo(new Address.NbdTcp(text, host, port, export));
  }

  @ParameterizedTest
  @CsvSource({
    "nbd+unix:///?socket=/run/a.sock, /run/a.sock, ''",
    "nbd+unix://?socket=a.sock, a.sock, ''",
    "nbd+unix:///disk?socket=/run/a%20b%26c, /run/a b&c, disk",
    "nbd+unix:////disk?socket=x, x, /disk"
  })
  void nbdOverUnixSocketsFollowsTheUriStandard(String text, String socket, String export) {
    assertThat(Address.parse(text)).isEqualTo(new Address.NbdUnix(text, Path.of(socket), export));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "nbd:example.com/x | \"//\" is expected",
        "nbd:///x | a host is expected",
        "nbd://h:0/x | \"0\" is not a port",
        "nbd://h:65536/x | \"65536\" is not a port",
        "nbd://h:1x/x | \"1x\" is not a port",
        "nbd://h:999999/x | \"999999\" is not a port",
        "nbd://[::1/x | \"]\" is missing",
        "nbd://[::1]9/x | is not a port",
        "nbd://h/x?tls-type=psk | unknown query parameter \"tls-type\"",
        "nbd://h/x#y | no fragment",
        "nbd://h/%zz | two hexadecimal digits",
        "nbd://h/%1 | two hexadecimal digits",
        "nbd://h/%ff | not UTF-8",
        "nbd://h/%00 | cannot hold a NUL",
        "nbd+unix:///x | path of the socket is missing",
        "nbd+unix:///x?socket= | path of the socket is missing",
        "nbd+unix:///x?socket | path of the socket is missing",
        "nbd+unix:///x?sock=/a | unknown query parameter \"sock\"",
        "nbd+unix:///x?socket=%00a | abstract sockets",
        "nbd+unix://h/x?socket=/a | three slashes"
      })
  void whatIsWrongWithAnNbdAddressIsSaid(String text, String why) {
    assertThatThrownBy(() -> Address.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith(text + ": ")
        .hasMessageContaining(why);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"nbds://h/x", "nbds+unix:///?socket=a", "http://h/x", "https://h/x", "s3://b/k"})
  void whatComesLaterIsRefusedWithASentence(String text) {
    String scheme = text.substring(0, text.indexOf(':'));
    assertThat(Address.parse(text))
        .isEqualTo(new Address.Unsupported(text, scheme + ": addresses come with a later release"));
  }

  @Test
  void layersNestAndEachTakesItsWordsUpToTheNextColon() {
    String text = "delay:5,10:flakey:1,2,drop_writes:nbd://h:1/x";
    Address.Layered delay = (Address.Layered) Address.parse(text);
    assertThat(delay.target()).isEqualTo(Address.LayerTarget.DELAY);
    assertThat(delay.arguments()).isEqualTo("5,10");
    Address.Layered flakey = (Address.Layered) delay.below();
    assertThat(flakey.text()).isEqualTo("flakey:1,2,drop_writes:nbd://h:1/x");
    assertThat(flakey.arguments()).isEqualTo("1,2,drop_writes");
    assertThat(delay.bottom()).isEqualTo(new Address.NbdTcp("nbd://h:1/x", "h", 1, "x"));
    assertThat(Address.parse("a.img").bottom()).isEqualTo(Address.parse("a.img"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"delay:a.img", "delay:", "flakey:1", "delay::a.img"})
  void aLayerWithoutArgumentsOrDeviceIsRefused(String text) {
    assertThatThrownBy(() -> Address.parse(text))
        .hasMessageStartingWith(text + ": expected ")
        .hasMessageContaining(":ARGUMENTS:ADDRESS");
  }

  @Test
  void anEmptyPathIsNoAddress() {
    assertThatThrownBy(() -> Address.parse("")).hasMessageContaining("a path is expected");
    assertThatThrownBy(() -> Address.parse("file:")).hasMessageContaining("a path is expected");
  }
}
