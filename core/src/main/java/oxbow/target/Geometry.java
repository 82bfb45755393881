package oxbow.target;

/**
 * A device in parts of equal size, regions or chunks: which bytes belong to which. The last part
 * may be short.
 *
 * @param deviceBytes length of the target
 * @param partBytes power of two
 */
public record Geometry(long deviceBytes, long partBytes) {
  public Geometry {
    if (deviceBytes <= 0 || Long.bitCount(partBytes) != 1) {
      throw new IllegalArgumentException(deviceBytes + " bytes in parts of " + partBytes);
    }
  }

  public long count() {
    return Math.ceilDiv(deviceBytes, partBytes);
  }

  /** The part that holds a byte. */
  public long partOf(long offsetBytes) {
    return offsetBytes >>> Long.numberOfTrailingZeros(partBytes);
  }

  public long startOf(long part) {
    return part << Long.numberOfTrailingZeros(partBytes);
  }

  /** End of the run of parts before this one; the last part ends with the device. */
  public long endOf(long endPart) {
    return Math.min(startOf(endPart), deviceBytes);
  }

  public long lengthOf(long firstPart, long partCount) {
    return endOf(firstPart + partCount) - startOf(firstPart);
  }

  /** First part that begins at or after an offset. */
  public long firstWhole(long offsetBytes) {
    return Math.ceilDiv(offsetBytes, partBytes);
  }

  /** End of the parts that a write up to here covers; a short last part counts (O10). */
  public long endCovered(long endBytes) {
    return endBytes == deviceBytes ? count() : partOf(endBytes);
  }

  /** End of the parts that a discard up to here covers: never a short last one (D1, D2). */
  public long endDiscarded(long endBytes) {
    return partOf(endBytes);
  }
}
