package oxbow.nbd.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Aim: NBD URIs are read and written as doc/uri.md says. Method: its examples, and broken ones. */
class NbdAddressTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = ' ',
      nullValues = "-",
      value = {
        "nbd://example.com:10810/disk example.com 10810 disk",
        "nbd://example.com/ example.com 10809 ''",
        "nbd://example.com example.com 10809 ''",
        "nbd://example.com: example.com 10809 ''",
        "nbd://example.com//disk example.com 10809 /disk",
        "nbd://a_b:99/disk a_b 99 disk",
        "nbd://[::1]:99/x ::1 99 x",
        "nbd://[::1]/x ::1 10809 x",
        "nbd://127.0.0.1/a+b%2Bc 127.0.0.1 10809 a+b+c",
      })
  void tcpAddressesHaveHostPortAndExport(String text, String host, int port, String export) {
    assertThat(NbdAddress.parse(text)).isEqualTo(NbdAddress.tcp(host, port, export));
  }

  @Test
  void percentEncodingIsUndoneOnceInTheExportName() {
    assertThat(NbdAddress.parse("nbd://h/hello%20world%2520").exportName())
        .isEqualTo("hello world%20");
  }

  @Test
  void unixAddressesHaveASocketAndAnExport() {
    assertThat(NbdAddress.parse("nbd+unix:///disk?socket=/run/a%20b.sock"))
        .isEqualTo(NbdAddress.unix("/run/a b.sock", "disk"));
    assertThat(NbdAddress.parse("nbd+unix:///?socket=rel.sock"))
        .isEqualTo(NbdAddress.unix("rel.sock", ""));
  }

  @ParameterizedTest
  @ValueSource(strings = {"a b", "/ü?#%&=+", "x y/?&%=.sock", "[::1]:9", "100%25"})
  void whatIsWrittenIsReadBackTheSame(String name) {
    NbdAddress tcp = NbdAddress.tcp("fe80::1", 77, name);
    NbdAddress unix = NbdAddress.unix("/" + name, name);
    assertThat(NbdAddress.parse(tcp.toString())).isEqualTo(tcp);
    assertThat(NbdAddress.parse(unix.toString())).isEqualTo(unix);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "nbds://h/x|TLS is not supported",
        "nbds+unix:///x?socket=/s|TLS is not supported",
        "nbd:///x|host is missing",
        "nbd://:10809/x|host is missing",
        "nbd://h:0/x|port 0 is not between",
        "nbd://h:70000/x|port 70000 is not between",
        "nbd://h:http/x|port http is not between",
        "nbd://u@h/x|user name",
        "nbd://h/x?socket=/s|takes no parameter",
        "nbd+unix:///x|socket is missing",
        "nbd+unix:///x?socket=|socket is missing",
        "nbd+unix://h/x?socket=/s|has no host",
        "nbd+unix:///x?socket=/a&socket=/b|twice",
        "nbd+unix:///x?tls-type=psk|unknown parameter",
        "nbd+unix:///x?socket=%00abstract|abstract",
        "nbd://h/a%00b|NUL",
        "http://h/x|not an NBD address",
        "nbd://h/a b|Illegal character",
      })
  void brokenAddressesAreRefusedInOneLine(String text, String why) {
    assertThatThrownBy(() -> NbdAddress.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith(text + ": ")
        .hasMessageContaining(why)
        .message()
        .doesNotContain("\n");
  }

  @Test
  void exportNamesBeyondTheProtocolsLimitAreRefused() {
    assertThatThrownBy(() -> NbdAddress.tcp("h", 1, "x".repeat(4097)))
        .hasMessageContaining("longer than 4096 bytes");
  }
}
