package oxbow.target;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Aim: which bytes are whose. Method: against counting, for all small devices. */
class GeometryTest {
  @Test
  @DisplayName("D1 D2 O10: covered and discarded regions are those that counting finds")
  void regionsOfRangesAreThoseThatCountingFinds() {
    long region = 4;
    for (long device = 1; device <= 17; device++) {
      Geometry geometry = new Geometry(device, region);
      for (long end = 1; end <= device; end++) {
        for (long start = 0; start < end; start++) {
          check(geometry, start, end);
        }
      }
    }
  }

  private static void check(Geometry geometry, long start, long end) {
    long covered = 0;
    long discarded = 0;
    for (long each = 0; each < geometry.count(); each++) {
      long first = each * geometry.partBytes();
      long full = first + geometry.partBytes();
      long last = Math.min(full, geometry.deviceBytes());
      assertThat(geometry.startOf(each)).isEqualTo(first);
      assertThat(geometry.endOf(each + 1)).isEqualTo(last);
      assertThat(geometry.lengthOf(each, 1)).isEqualTo(last - first);
      covered += start <= first && end >= last ? 1 : 0;
      discarded += start <= first && end >= full ? 1 : 0;
    }
    long first = geometry.firstWhole(start);
    assertThat(Math.max(0, geometry.endCovered(end) - first)).isEqualTo(covered);
    assertThat(Math.max(0, geometry.endDiscarded(end) - first)).isEqualTo(discarded);
  }

  @Test
  @DisplayName("C5: 2^31 regions of 1 GiB are counted in 64 bits")
  void theLargestDeviceIsCountedIn64Bits() {
    Geometry geometry = new Geometry((1L << 61) - 1, 1L << 30);
    assertThat(geometry.count()).isEqualTo(1L << 31);
    assertThat(geometry.startOf((1L << 31) - 1)).isEqualTo((1L << 61) - (1L << 30));
    assertThat(geometry.endOf(1L << 31)).isEqualTo((1L << 61) - 1);
  }

  @Test
  void impossibleSizesAreRefused() {
    assertThatThrownBy(() -> new Geometry(0, 4096)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new Geometry(4096, 3000)).isInstanceOf(IllegalArgumentException.class);
  }
}
