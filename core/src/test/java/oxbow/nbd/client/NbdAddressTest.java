package oxbow.nbd.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import oxbow.device.Address;

/** Aim: addresses are shown as URIs that mean the same again. Method: read back by the parser. */
class NbdAddressTest {
  @ParameterizedTest
  @ValueSource(strings = {"a b", "/ü?#%&=+", "x y/?&%=.sock", "[::1]:9", "100%25", "~*"})
  void whatIsWrittenIsReadBackTheSame(String name) {
    String tcp = NbdAddress.tcp("fe80::1", 77, name).toString();
    String unix = NbdAddress.unix("/" + name, name).toString();

    assertThat(Address.parse(tcp)).isEqualTo(new Address.NbdTcp(tcp, "fe80::1", 77, name));
    assertThat(Address.parse(unix)).isEqualTo(new Address.NbdUnix(unix, Path.of("/" + name), name));
  }

  @Test
  void theUsualPortIsNotShown() {
    assertThat(NbdAddress.tcp("under_score", 10809, "x")).hasToString("nbd://under_score/x");
  }

  @Test
  void namesThatTheProtocolCannotCarryAreRefused() {
    assertThatThrownBy(() -> NbdAddress.tcp("h", 1, "x".repeat(4097)))
        .hasMessageContaining("longer than 4096 bytes");
    assertThatThrownBy(() -> NbdAddress.tcp("h", 1, "a\0b")).hasMessageContaining("NUL");
  }
}
