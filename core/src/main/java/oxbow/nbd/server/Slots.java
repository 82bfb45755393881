package oxbow.nbd.server;

import org.jspecify.annotations.Nullable;
import oxbow.engine.BufferPool;

/**
 * The slots of a connection: how many requests, with how much payload, may wait for the device at a
 * time (N3). Grows as needed; what was made is used again (N5).
 */
final class Slots {
  private final Transmission transmission;
  private final BufferPool pool;
  private final int maxSlots;
  private final long maxBytes;
  private @Nullable Slot free;
  private int busy;
  private long busyBytes;
  private long releases;

  Slots(Transmission transmission, BufferPool pool, ServerOptions options) {
    this.transmission = transmission;
    this.pool = pool;
    this.maxSlots = options.maxRequestsInFlight();
    this.maxBytes = options.maxBytesInFlight();
  }

  /**
   * Whether there is a slot for so much payload. One is always to be had when none is taken, so
   * that the largest request passes the smallest bound.
   */
  boolean canTake(int payloadBytes) {
    return busy == 0 || (busy < maxSlots && busyBytes + payloadBytes <= maxBytes);
  }

  /** A slot with a buffer for so many bytes, without one for 0; {@link #canTake} has said so. */
  Slot take(int payloadBytes) {
    Slot slot = free;
    if (slot == null) {
      slot = new Slot(transmission);
    } else {
      free = slot.next;
      slot.next = null;
    }
    if (payloadBytes > 0) {
      slot.buffer = pool.take(payloadBytes);
    }
    busy++;
    busyBytes += slot.bufferBytes();
    return slot;
  }

  /** Takes the slot back, with its buffer, of which nobody may know any more (N2). */
  void release(Slot slot) {
    busy--;
    busyBytes -= slot.bufferBytes();
    releases++;
    if (slot.buffer != null) {
      pool.give(slot.buffer);
      slot.buffer = null;
    }
    slot.next = free;
    free = slot;
  }

  /** How many are taken. */
  int busy() {
    return busy;
  }

  /** Grows with each release: who found no slot may try again when this has changed. */
  long releases() {
    return releases;
  }
}
