package oxbow.inspect;

/**
 * Part of a device.
 *
 * @param lengthBytes at least 1
 */
public record ByteRange(long offsetBytes, long lengthBytes) {
  public long endBytes() {
    return offsetBytes + lengthBytes;
  }
}
