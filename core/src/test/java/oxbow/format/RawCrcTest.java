package oxbow.format;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Aim: a register that starts anywhere goes on as the library's does. Method: bit by bit, and the
 * check values of both polynomials, which are inverted at the end.
 */
class RawCrcTest {
  private static final byte[] DIGITS = "123456789".getBytes(StandardCharsets.US_ASCII);

  @Test
  void theCheckValuesComeOut() {
    assertThat(~RawCrc.crc32().start(-1).update(DIGITS, 0, 9).register()).isEqualTo(0xCBF4_3926);
    assertThat(~RawCrc.crc32c().start(-1).update(DIGITS, 0, 9).register()).isEqualTo(0xE306_9283);
  }

  @Test
  void aRegisterMayStartAnywhereAndGoOnInParts() {
    long seed = Long.getLong("oxbow.seed", 20260302L);
    Random random = new Random(seed);
    for (int i = 0; i < 300; i++) {
      byte[] data = new byte[random.nextInt(200)];
      random.nextBytes(data);
      int register = i < 2 ? -i : random.nextInt();
      int cut = random.nextInt(data.length + 1);
      RawCrc crc = RawCrc.crc32c().start(register).update(data, 0, cut);
      assertThat(crc.update(data, cut, data.length - cut).register())
          .as("reproduce with: mvn test -Dtest=RawCrcTest -Doxbow.seed=" + seed)
          .isEqualTo(bitByBit(register, data));
    }
  }

  private static int bitByBit(int first, byte[] data) {
    int register = first;
    for (byte b : data) {
      register ^= b & 0xFF;
      for (int bit = 0; bit < 8; bit++) {
        register = register >>> 1 ^ ((register & 1) == 0 ? 0 : 0x82F6_3B78);
      }
    }
    return register;
  }
}
