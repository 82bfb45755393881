package oxbow.format.pdata;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import oxbow.format.clone.CloneSuperblock;
import oxbow.golden.CloneFixture;

/**
 * Aim: decoding loses no byte of any structure, be it sound or not. Method: decode and encode every
 * block of all kernel images, and random bytes, as each structure.
 */
class LosslessFormatTest {
  private static final int AT = 4096;

  @ParameterizedTest
  @MethodSource("oxbow.golden.CloneFixture#all")
  void encodingGivesBackEveryByteOfTheKernelsBlocks(CloneFixture fixture) {
    byte[] image = fixture.storedMetadata();
    for (int at = 0; at < image.length; at += 4096) {
      assertLossless(Arrays.copyOfRange(image, at, at + 4096));
    }
  }

  @Test
  void encodingGivesBackEveryByteOfRandomBlocks() {
    long seed = Long.getLong("oxbow.seed", 20260101L);
    Random random = new Random(seed);
    byte[] block = new byte[4096];
    for (int i = 0; i < 1000; i++) {
      random.nextBytes(block);
      try {
        assertLossless(block);
      } catch (AssertionError e) {
        throw new AssertionError(
            "reproduce with: mvn test -Dtest=LosslessFormatTest -Doxbow.seed=" + seed, e);
      }
    }
  }

  /** Each field is read from one place and written to another, so that no offset is doubled. */
  private static void assertLossless(byte[] block) {
    byte[] from = new byte[3 * AT];
    System.arraycopy(block, 0, from, AT, 4096);
    byte[] into = new byte[4096];
    CloneSuperblock.decode(from, AT).encode(into, 0);
    assertThat(into).isEqualTo(block);
    assertThat(CloneSuperblock.decode(into, 0)).isEqualTo(CloneSuperblock.decode(from, AT));

    Arrays.fill(into, (byte) 0);
    SpaceMapRoot.decode(from, AT).encode(into, 0);
    assertThat(Arrays.copyOf(into, SpaceMapRoot.SIZE_BYTES))
        .isEqualTo(Arrays.copyOf(block, SpaceMapRoot.SIZE_BYTES));

    BtreeNode.decode(from, AT).encode(into, 0);
    assertThat(into).isEqualTo(block);
    ArrayBlock.decode(from, AT).encode(into, 0);
    assertThat(into).isEqualTo(block);
    SpaceMapIndex.decode(from, AT).encode(into, 0);
    assertThat(into).isEqualTo(block);
    SpaceMapBitmap.decode(from, AT).encode(into, 0);
    assertThat(into).isEqualTo(block);
  }
}
