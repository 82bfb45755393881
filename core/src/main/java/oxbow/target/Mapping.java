package oxbow.target;

/**
 * What shall happen to (the first part of) a request: the answer of {@link Target#map}. One is kept
 * per thread and filled in again and again, so that the hot path makes no garbage.
 *
 * <p>The answer may be for fewer bytes than were asked about; the rest is then mapped on its own
 * (device-mapper calls this accepting part of a bio).
 */
public final class Mapping {
  /** The target does not ask to be told of the end. */
  public static final int NO_TICKET = -1;

  private static final int QUEUE = -1;
  private static final int COMPLETE = -2;

  private int decision;
  private long offsetBytes;
  private long lengthBytes;
  private int errno;
  private int ticket = NO_TICKET;

  /** The device in this slot serves it, at this offset. */
  public void remap(int slot, long slotOffsetBytes, long acceptedBytes) {
    this.decision = slot;
    this.offsetBytes = slotOffsetBytes;
    this.lengthBytes = acceptedBytes;
    this.ticket = NO_TICKET;
  }

  /**
   * After {@link #remap} or {@link #complete}: {@link Target#endIo} is told of this ticket, exactly
   * once, when the I/O has ended or is not sent at all.
   */
  public void track(int givenTicket) {
    this.ticket = givenTicket;
  }

  /** Memory does not suffice: hand this part to {@link Target#queue}. */
  public void queue(long acceptedBytes) {
    this.decision = QUEUE;
    this.lengthBytes = acceptedBytes;
    this.ticket = NO_TICKET;
  }

  /** Nothing is to be done but to answer; errno 0 is success. */
  public void complete(long acceptedBytes, int result) {
    this.decision = COMPLETE;
    this.lengthBytes = acceptedBytes;
    this.errno = result;
    this.ticket = NO_TICKET;
  }

  public boolean isRemap() {
    return decision >= 0;
  }

  public boolean isQueue() {
    return decision == QUEUE;
  }

  /** Which underlying device; only if {@link #isRemap}. */
  public int slot() {
    return decision;
  }

  /** Offset on that device; only if {@link #isRemap}. */
  public long offsetBytes() {
    return offsetBytes;
  }

  /** What the target wants back, or {@link #NO_TICKET}. */
  public int ticket() {
    return ticket;
  }

  /** How many bytes, from the start of what was asked about, this answer is for; at least 1. */
  public long lengthBytes() {
    return lengthBytes;
  }

  /** Only if neither remapped nor queued. */
  public int errno() {
    return errno;
  }
}
