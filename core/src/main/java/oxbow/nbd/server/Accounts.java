package oxbow.nbd.server;

import oxbow.block.Errno;

/**
 * What the requests of one connection count for elsewhere: they are let in by the budget of their
 * export, measured for its statistics, and told of when they fail. Belongs to the loop.
 */
final class Accounts {
  /** Hears of a request that has failed. */
  interface Failures {
    void failed(int command, long cookie, long offset, long length, int errno);
  }

  private final ExportBudget budget;
  private final ExportBudget.Place place;
  private final ExportTraffic traffic;
  private final Meter meter = new Meter();
  private final Failures failures;

  /**
   * @param wake on any thread; {@link #letIn} may succeed now
   */
  Accounts(Offer offer, Runnable wake, Failures failures) {
    this.budget = offer.budget();
    this.place = new ExportBudget.Place(wake);
    this.traffic = offer.traffic();
    this.failures = failures;
    traffic.begin(meter);
  }

  /** Whether a request may go to the device now; otherwise the connection stands in line. */
  boolean letIn(int command, long length) {
    long payloadBytes = Slot.payloadBytes(command, length);
    if (!budget.take(place, payloadBytes)) {
      return false;
    }
    meter.begun(payloadBytes);
    return true;
  }

  /** It does not wait to be let in any more, if it did. */
  void leaveLine() {
    budget.leave(place);
  }

  /** The device has completed what was let in. */
  void completed(Slot slot) {
    long payloadBytes = Slot.payloadBytes(slot.command, slot.lengthBytes);
    meter.ended(payloadBytes);
    budget.give(payloadBytes);
  }

  /** A request has been carried out at once; {@link #settle} follows. On the hot path. */
  void doneNow(RequestKind kind, long bytes) {
    meter.gather(kind, bytes);
  }

  /** A request has failed at once or was refused; {@link #settle} follows. */
  void failedNow(int command, long cookie, long offset, long length, int errno) {
    meter.gatherError(RequestKind.of(command));
    failures.failed(command, cookie, offset, length, errno);
  }

  /** Whether {@link #settle} has anything to do. */
  boolean hasUnsettled() {
    return meter.hasGathered();
  }

  /** What was answered at once since the last call arrived then, and is ready to be sent now. */
  void settle(long arrivedNanos, long nowNanos) {
    meter.settle(nowNanos - arrivedNanos);
  }

  /** The answer of a completed request is ready, or there is nobody left to take it. */
  void answered(Slot slot, long nowNanos) {
    RequestKind kind = RequestKind.of(slot.command);
    boolean isError = slot.errno != Errno.OK;
    long bytes = isError || !kind.hasBytes ? 0 : slot.lengthBytes;
    meter.count(kind, bytes, isError, nowNanos - slot.arrivedNanos);
    if (isError) {
      failures.failed(slot.command, slot.cookie, slot.offsetBytes, slot.lengthBytes, slot.errno);
    }
  }

  /** Nothing is counted any more. */
  void close() {
    traffic.end(meter);
  }
}
