package oxbow.format.bow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import oxbow.format.FormatException;

/**
 * Aim: bow-log.md section 2 to the byte: layouts, ranges, checksum. Method: literal bytes, random
 * bytes, and a checksum that goes bit by bit.
 */
class BowFormatTest {
  private static final long SEED = Long.getLong("oxbow.seed", 20260301L);
  private static final long DEVICE_SECTORS = 1024;

  private final Random random = new Random(SEED);

  @Test
  void encodingGivesBackEveryByteOfRandomBytes() {
    byte[] bytes = new byte[8192];
    for (int i = 0; i < 2000; i++) {
      random.nextBytes(bytes);
      int at = random.nextInt(4096);
      byte[] into = new byte[4096];
      BowLogHeader.decode(bytes, at).encode(into, 0);
      assertSame(into, bytes, at, BowLogHeader.SIZE_BYTES);
      RfcLogHeader.decode(bytes, at).encode(into, 0);
      assertSame(into, bytes, at, RfcLogHeader.SIZE_BYTES);
      BowEntry.decode(bytes, at).encode(into, 0);
      assertSame(into, bytes, at, BowEntry.SIZE_BYTES);
      BowLog.decode(bytes, at, 4096).encode(into, 0);
      assertSame(into, bytes, at, 4096);
    }
  }

  private static void assertSame(byte[] into, byte[] bytes, int at, int length) {
    assertThat(Arrays.copyOf(into, length))
        .as("reproduce with: mvn test -Dtest=BowFormatTest -Doxbow.seed=" + SEED)
        .isEqualTo(Arrays.copyOfRange(bytes, at, at + length));
  }

  @Test
  void aHeaderOfOursHasItsFieldsWhereTheFormatHasThem() {
    byte[] bytes = new byte[28];
    BowLogHeader.create(4096, 7, 0x0102_0304L, 0x0A0B_0C0DL).encode(bytes, 0);
    assertThat(bytes)
        .asHexString()
        .isEqualTo(
            "424F57000001" + "1C00" + "00100000" + "07000000" + "04030201" + "0D0C0B0A00000000");
  }

  @Test
  void anEntryHasItsFieldsWhereTheFormatHasThem() {
    byte[] bytes = new byte[24];
    new BowEntry(8, 16, 4096, 0xDEAD_BEEFL).encode(bytes, 0);
    assertThat(bytes)
        .asHexString()
        .isEqualTo("0800000000000000" + "1000000000000000" + "00100000" + "EFBEADDE");
  }

  @ParameterizedTest
  @CsvSource({"512,20", "1024,41", "2048,84", "4096,169"})
  void aLogBlockTakesAsManyEntriesAsTheTableSays(int blockSizeBytes, int capacity) {
    assertThat(BowFormat.V1.capacity(blockSizeBytes)).isEqualTo(capacity);
    BowLogHeader full = BowLogHeader.create(blockSizeBytes, capacity, 0, 8);
    assertThatCode(full::check).doesNotThrowAnyException();
    assertThatThrownBy(full.with(BowMagic.BOW, capacity + 1)::check)
        .isInstanceOf(FormatException.class)
        .hasMessageContaining(capacity + 1 + " entries: 1 to " + capacity + " are possible");
  }

  @Test
  void anRfcLogBlockTakesAHundredAndSeventyEntries() {
    assertThat(BowFormat.RFC.capacity(4096)).isEqualTo(170);
    RfcLogHeader full = new RfcLogHeader(BowMagic.BOW.value(), 170, 0);
    assertThatCode(full::check).doesNotThrowAnyException();
    assertThatThrownBy(full.with(BowMagic.BOW, 171)::check).isInstanceOf(FormatException.class);
    assertThatThrownBy(full.with(BowMagic.BOW, 0)::check).isInstanceOf(FormatException.class);
  }

  @Test
  void theTwoFormatsAreToldApartByTheBytesAfterTheMagic() {
    byte[] v1 = new byte[4096];
    BowLogHeader.create(4096, 1, 0, 8).encode(v1, 0);
    byte[] rfc = new byte[4096];
    new RfcLogHeader(BowMagic.BOW.value(), 170, 0).encode(rfc, 0);
    assertThat(BowFormat.of(v1, 0)).isEqualTo(BowFormat.V1);
    assertThat(BowFormat.of(rfc, 0)).isEqualTo(BowFormat.RFC);
    assertThat(BowLog.decode(rfc, 0, 4096).sector0()).isEmpty();
    assertThat(BowLog.decode(rfc, 0, 4096).blockSizeBytes()).isEqualTo(4096);
  }

  @ParameterizedTest
  @CsvSource({
    "424F5700,BOW",
    "574F4200,WOB",
    "00574F42,BIG_ENDIAN",
    "00424F57,BIG_ENDIAN_WOB",
    "42570000,NONE",
    "FFFFFFFF,NONE"
  })
  void magicsAreKnownByTheirBytes(String bytes, BowMagic magic) {
    assertThat(BowMagic.of(HexFormat.of().parseHex(bytes), 0)).isEqualTo(magic);
  }

  @Test
  void aBigEndianLogIsRefusedInTheseWords() {
    BowLogHeader bigEndian = BowLogHeader.create(4096, 1, 0, 8).with(BowMagic.BIG_ENDIAN, 1);
    assertThatThrownBy(bigEndian::check)
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("big-endian log, unsupported");
  }

  @ParameterizedTest
  @CsvSource({"0", "256", "513", "768", "3072", "8192", "4294967295"})
  void otherBlockSizesAreRefused(long blockSizeBytes) {
    BowLogHeader header =
        new BowLogHeader(BowMagic.BOW.value(), 0x100, 28, blockSizeBytes, 1, 0, 8);
    assertThatThrownBy(header::check)
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("block size " + blockSizeBytes);
    assertThat(header.hasSector0(DEVICE_SECTORS)).isFalse();
  }

  @ParameterizedTest
  @CsvSource({"27,false", "28,true", "29,true", "488,true", "489,false", "512,false", "513,false"})
  void aHeaderMayBeLargerButMustLeaveRoomForAnEntry(int headerBytes, boolean isPossible) {
    BowLogHeader header = new BowLogHeader(BowMagic.BOW.value(), 0x100, headerBytes, 512, 1, 0, 8);
    if (isPossible) {
      assertThatCode(header::check).doesNotThrowAnyException();
    } else {
      assertThatThrownBy(header::check).isInstanceOf(FormatException.class);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "0,false",
    "8,true",
    "7,false",
    "1016,true",
    "1017,false",
    "1024,false",
    "-8,false",
    "9223372036854775800,false"
  })
  void sector0IsABlockOfTheDeviceOtherThanTheFirst(long sector0, boolean isOne) {
    BowLogHeader header = BowLogHeader.create(4096, 1, 0, sector0);
    assertThat(header.hasSector0(DEVICE_SECTORS)).isEqualTo(isOne);
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0,   8, 4096, ''",
    "1, 8,  24, 8192, ''",
    "1, 8,  12, 4096, not blocks",
    "1, 4,  16, 4096, not blocks",
    "1, 8,  16, 4095, whole blocks",
    "1, 8,  16,    0, whole blocks",
    "1, 8,  16, 2048, whole blocks",
    "1, 8,1016, 4096, ''",
    "1, 8,1016, 8192, not blocks",
    "1, 8,1024, 4096, not blocks",
    "1, 8,  -8, 4096, not blocks",
    "1,-8,  16, 4096, not blocks",
    "1, 8, 9223372036854775800, 4096, not blocks",
    "1, 8,   8, 4096, overlap",
    "1, 8,  16,12288, overlap",
    "1,16,   8,12288, overlap",
    "1, 8,   0, 4096, block 0",
    "0, 8,  16, 4096, the first entry must save block 0",
    "0, 0,   8, 8192, overlap",
    "0, 0,  16, 8192, the first entry must save block 0",
    "1, 0,   8, 4096, only the first entry",
    "1, 8,  16, 4294963200, not blocks"
  })
  void anEntryMustFitTheDevice(int index, long source, long dest, long size, String complaint) {
    BowEntry entry = new BowEntry(source, dest, size, 0);
    if (complaint.isEmpty()) {
      assertThatCode(() -> entry.check(index, 3, 4096, DEVICE_SECTORS)).doesNotThrowAnyException();
    } else {
      assertThatThrownBy(() -> entry.check(index, 3, 4096, DEVICE_SECTORS))
          .isInstanceOf(FormatException.class)
          .hasMessageContaining("log 3 entry " + index)
          .hasMessageContaining(complaint);
    }
  }

  @Test
  @DisplayName("2.4: the checksum is the register that starts with the source block, as it ends")
  void theChecksumIsAsDefined() {
    for (int i = 0; i < 500; i++) {
      byte[] data = new byte[random.nextInt(2000)];
      random.nextBytes(data);
      long sourceBlock = i < 3 ? i : random.nextLong() >>> random.nextInt(64);
      assertThat(BowChecksum.of(sourceBlock, data)).isEqualTo(bitByBit(sourceBlock, data));
    }
    byte[] digits = "123456789".getBytes(StandardCharsets.US_ASCII);
    // The check value of CRC-32, whose register starts with ones and is inverted at the end.
    assertThat(BowChecksum.of(0xFFFF_FFFFL, digits)).isEqualTo(~0xCBF43926L & 0xFFFF_FFFFL);
    assertThat(BowChecksum.of(0, new byte[512])).isZero();
  }

  private static long bitByBit(long seed, byte[] data) {
    int register = (int) seed;
    for (byte b : data) {
      register ^= b & 0xFF;
      for (int bit = 0; bit < 8; bit++) {
        register = (register >>> 1) ^ ((register & 1) == 0 ? 0 : 0xEDB88320);
      }
    }
    return register & 0xFFFF_FFFFL;
  }

  @Test
  void aLogOfOneEntryLiesInTheFirstSectorWhateverTheHeadersSize() {
    byte[] block = new byte[4096];
    new BowLogHeader(BowMagic.BOW.value(), 0x100, 2000, 4096, 3, 5, 8).encode(block, 0);
    BowEntry first = new BowEntry(0, 16, 4096, 77);
    first.encode(block, 2000);
    BowLog only = BowLog.decode(block, 0, 4096).firstEntryOnly(BowMagic.WOB);
    byte[] sector = new byte[4096];
    only.encode(sector, 0);
    BowLog read = BowLog.decode(sector, 0, 512);
    assertThat(read.magic()).isEqualTo(BowMagic.WOB);
    assertThat(read.count()).isEqualTo(1);
    assertThat(read.sequence()).isEqualTo(5);
    assertThat(read.entry(0)).isEqualTo(first);
    assertThat(Arrays.copyOfRange(sector, 512, 4096))
        .isEqualTo(Arrays.copyOfRange(block, 512, 4096));
  }
}
