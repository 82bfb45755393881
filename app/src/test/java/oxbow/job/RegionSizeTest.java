package oxbow.job;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import oxbow.target.clone.CloneArgs;

/** Aim: the default region size never makes too many regions. Method: sizes around the limit. */
class RegionSizeTest {
  private static final long TIB = 1L << 40;

  @Test
  @DisplayName("O12: above 2^31 regions the default region size grows by itself")
  void theDefaultGrowsWithTheDevice() {
    assertThat(RegionSize.defaultFor(512, 1)).isEqualTo(4096);
    assertThat(RegionSize.defaultFor(8 * TIB, 1)).isEqualTo(4096);
    assertThat(RegionSize.defaultFor(8 * TIB + 512, 1)).isEqualTo(8192);
    assertThat(RegionSize.defaultFor(100 * TIB, 1)).isEqualTo(64 << 10);
    long largest = Long.MAX_VALUE - 511;
    long regions = Math.ceilDiv(largest, RegionSize.defaultFor(largest, 1));
    assertThat(regions).isLessThanOrEqualTo(CloneArgs.MAX_REGIONS);
  }

  @Test
  void theDefaultIsAtLeastABlockOfTheDevices() {
    assertThat(RegionSize.defaultFor(TIB, 65536)).isEqualTo(65536);
  }
}
