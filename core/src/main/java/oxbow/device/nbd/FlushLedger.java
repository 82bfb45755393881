package oxbow.device.nbd;

/**
 * Keeps account of which completed writes a FLUSH would still make durable. Pure.
 *
 * <p>A server may answer a WRITE before it is durable, and owes durability only to a FLUSH. When it
 * restarts in between, the write may be gone, and the FLUSH that the new server answers with
 * success knows nothing of it. From outside a restart looks like any loss of a connection. So:
 *
 * <ul>
 *   <li>F1: only a connection that was open when the oldest unflushed write was answered carries a
 *       FLUSH: such a connection proves that the server, and with it the server's cache
 *       (CAN_MULTI_CONN: shared by all connections), lived from the one to the other;
 *   <li>F2: when the last such connection is lost, the writes count as lost, and every later flush
 *       fails with EIO. There is no way back: an upper layer that has to know whether its data is
 *       safe must never see that failure turn into success.
 * </ul>
 *
 * Requests that were not answered are not part of it: they are sent again. Writes with FUA are
 * durable when answered and do not count either. Without writes, F2 never applies: a device that is
 * only read from survives any restart.
 */
final class FlushLedger {
  private long answered;
  private long flushed;
  private boolean isLost;

  /** A write was answered that is not known to be durable. */
  void writeAnswered() {
    answered++;
  }

  /**
   * How many such writes there were: what a connection remembers when it opens, and a FLUSH when it
   * is sent.
   */
  long mark() {
    return answered;
  }

  /** F1: whether a connection that opened at this mark may carry a FLUSH. */
  boolean mayCarryFlush(long openedAtMark) {
    return openedAtMark <= flushed;
  }

  /** A FLUSH that was sent at this mark, on a connection that may carry it, was answered. */
  void flushAnswered(long sentAtMark) {
    flushed = Math.max(flushed, sentAtMark);
  }

  /** Connections were lost, and none that is left may carry a FLUSH. */
  void carriersLost() {
    isLost |= hasUnflushed(); // F2
  }

  /** Whether there are writes that a FLUSH would still make durable. */
  boolean hasUnflushed() {
    return answered > flushed;
  }

  /** F2: whether flushes have to fail. */
  boolean isLost() {
    return isLost;
  }
}
