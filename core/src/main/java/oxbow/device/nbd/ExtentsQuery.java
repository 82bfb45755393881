package oxbow.device.nbd;

import oxbow.block.Errno;
import oxbow.block.Extents;
import oxbow.nbd.client.ExtentList;

/**
 * One question for extents on its way through the device. Made anew for each: the answer is as long
 * as it is, and a question saves the copying of what it finds to be holes.
 */
final class ExtentsQuery {
  /** More are not gathered at once, however many are asked for. */
  private static final int MAX_EXTENTS = 1 << 16;

  private final long offsetBytes;
  private final long lengthBytes;
  private final Extents receiver;
  private final ExtentList found;

  ExtentsQuery(long offsetBytes, long lengthBytes, int maxExtents, Extents receiver) {
    this.offsetBytes = offsetBytes;
    this.lengthBytes = lengthBytes;
    this.receiver = receiver;
    this.found = new ExtentList(Math.min(maxExtents, MAX_EXTENTS));
  }

  long offsetBytes() {
    return offsetBytes;
  }

  long lengthBytes() {
    return lengthBytes;
  }

  ExtentList found() {
    return found;
  }

  /**
   * Tells the receiver what was found.
   *
   * @param askedFromBytes where the question to the server began: at or before our own offset
   */
  void answer(long askedFromBytes) {
    long skippedBytes = offsetBytes - askedFromBytes;
    long leftBytes = lengthBytes;
    boolean hasTold = false;
    for (int i = 0; i < found.count() && leftBytes > 0; i++) {
      long extentBytes = found.lengthBytes(i);
      long skipped = Math.min(skippedBytes, extentBytes);
      skippedBytes -= skipped;
      extentBytes = Math.min(extentBytes - skipped, leftBytes);
      if (extentBytes > 0) {
        receiver.extent(extentBytes, found.state(i));
        leftBytes -= extentBytes;
        hasTold = true;
      }
    }
    if (!hasTold) {
      receiver.extent(lengthBytes, 0); // The server said nothing about it; data is never wrong.
    }
    receiver.end(Errno.OK);
  }

  void fail(int errno) {
    receiver.end(errno);
  }
}
