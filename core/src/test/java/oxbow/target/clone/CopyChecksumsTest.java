package oxbow.target.clone;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;

/** Aim: each region has the sum of its contents, in little memory. Method: parts of any length. */
class CopyChecksumsTest {
  private static int sum(byte[] bytes, int from, int to) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, from, to - from);
    return CopyChecksums.sumOf(crc);
  }

  @Test
  void partsOfAnyLengthMakeTheSumsOfTheirRegions() {
    int region = 4096;
    int size = 37 * region + 512;
    byte[] bytes = new byte[size];
    Random random = new Random(1);
    random.nextBytes(bytes);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment part = arena.allocate(size);
      for (int round = 0; round < 50; round++) {
        CopyChecksums sums = new CopyChecksums(size, region);
        CRC32C crc = new CRC32C();
        int first = random.nextInt(38);
        for (int at = first * region; at < size; ) {
          int length = Math.min(size - at, 512 * (1 + random.nextInt(40)));
          MemorySegment.copy(bytes, at, part, ValueLayout.JAVA_BYTE, 0, length);
          sums.add(crc, at, part, length);
          at += length;
        }
        for (int i = 0; i < 38; i++) {
          int end = Math.min(size, (i + 1) * region);
          int expected = i < first ? CopyChecksums.NONE : sum(bytes, i * region, end);
          assertThat(sums.sum(i)).isEqualTo(expected);
        }
      }
    }
  }

  @Test
  void holesHaveTheSumOfZerosTheShortLastRegionToo() {
    int region = 1 << 20;
    long size = 3L * region + 512;
    CopyChecksums sums = new CopyChecksums(size, region);
    sums.putZeros(1, 3);
    byte[] zeros = new byte[region];
    assertThat(sums.sum(0)).isEqualTo(CopyChecksums.NONE);
    assertThat(sums.sum(1)).isEqualTo(sum(zeros, 0, region)).isEqualTo(sums.sumOfZeroRegion(1));
    assertThat(sums.sum(3)).isEqualTo(sum(zeros, 0, 512)).isEqualTo(sums.sumOfZeroRegion(3));
  }

  @Test
  void memoryIsTakenOnlyWhereDataWasCopied() {
    long regions = (1L << 24) + 5;
    CopyChecksums sums = new CopyChecksums(regions * 4096, 4096);
    assertThat(sums.memoryBytes()).isZero();
    sums.putZeros(0, regions);
    assertThat(sums.memoryBytes()).as("one chunk for the end").isEqualTo(4096 * 4);
    for (long region : new long[] {0, 4095, 4096, regions - 1}) {
      assertThat(sums.sum(region)).isEqualTo(sums.sumOfZeroRegion(region));
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment data = arena.allocate(4096).fill((byte) 9);
      sums.add(new CRC32C(), 4096L * 4096, data, 4096);
      assertThat(sums.sum(4096)).isNotEqualTo(sums.sumOfZeroRegion(4096));
      assertThat(sums.sum(4097)).as("its neighbours").isEqualTo(sums.sumOfZeroRegion(4097));
      assertThat(sums.sum(1)).as("another chunk").isEqualTo(sums.sumOfZeroRegion(1));
    }
  }
}
