package oxbow.block;

/** What a request asks for. A switch over it has no default: a new operation must not slip by. */
public enum Operation {
  /** Fills the data buffer from the device. */
  READ(0),
  /** Stores the data buffer on the device. */
  WRITE(1),
  /** Makes durable every write that was completed before this request was submitted. */
  FLUSH(2),
  /** Says that the range holds nothing of use; what it reads as afterwards is up to the device. */
  DISCARD(3),
  /** A write of zeros without a data buffer; never treated as a discard (O5). */
  WRITE_ZEROES(4),
  /**
   * Brings the range near: later reads of it are fast. Has no data buffer and changes no contents.
   */
  CACHE(5);

  /** From 0; where {@link IoCounts} has it. */
  final int index;

  Operation(int index) {
    this.index = index;
  }

  /** Whether the operation may change what later reads return. */
  public boolean changesData() {
    return this == WRITE || this == WRITE_ZEROES || this == DISCARD;
  }
}
