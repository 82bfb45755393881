package oxbow.target.clone;

/**
 * Regions of a device: which bytes belong to which. The last region may be short.
 *
 * @param deviceBytes length of the target
 * @param regionBytes power of two
 */
record CloneGeometry(long deviceBytes, long regionBytes) {
  CloneGeometry {
    if (deviceBytes <= 0 || Long.bitCount(regionBytes) != 1) {
      throw new IllegalArgumentException(deviceBytes + " bytes in regions of " + regionBytes);
    }
  }

  long regionCount() {
    return Math.ceilDiv(deviceBytes, regionBytes);
  }

  long regionOf(long offsetBytes) {
    return offsetBytes >>> Long.numberOfTrailingZeros(regionBytes);
  }

  long startOf(long region) {
    return region << Long.numberOfTrailingZeros(regionBytes);
  }

  /** End of the run of regions before this one; the last region ends with the device. */
  long endOf(long endRegion) {
    return Math.min(startOf(endRegion), deviceBytes);
  }

  long lengthOf(long firstRegion, long count) {
    return endOf(firstRegion + count) - startOf(firstRegion);
  }

  /** First region that begins at or after an offset. */
  long firstWhole(long offsetBytes) {
    return Math.ceilDiv(offsetBytes, regionBytes);
  }

  /** End of the regions that a write up to here covers; a short last region counts (O10). */
  long endCovered(long endBytes) {
    return endBytes == deviceBytes ? regionCount() : regionOf(endBytes);
  }

  /** End of the regions that a discard up to here covers: never a short last one (D1, D2). */
  long endDiscarded(long endBytes) {
    return regionOf(endBytes);
  }
}
