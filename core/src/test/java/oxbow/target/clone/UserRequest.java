package oxbow.target.clone;

import oxbow.block.Flags;
import oxbow.block.Operation;

/** A request of a simulated user, in sectors, and what has become of it. */
final class UserRequest {
  final Operation operation;
  final int firstSector;
  final int sectors;
  final int value;
  final int flags;

  /** Pieces not yet answered. */
  int outstanding;

  int errno;

  /** Requests in the order of their submission. */
  long order;

  /** What a READ found, sector by sector. */
  final int[] found;

  UserRequest(Operation operation, int firstSector, int sectors, int value, int flags) {
    this.operation = operation;
    this.firstSector = firstSector;
    this.sectors = sectors;
    this.value = value;
    this.flags = flags;
    this.found = new int[sectors];
  }

  int endSector() {
    return firstSector + sectors;
  }

  boolean isFua() {
    return (flags & Flags.FUA) != 0;
  }

  boolean isDone() {
    return outstanding == 0;
  }

  boolean isDoneWith(int expectedErrno) {
    return isDone() && errno == expectedErrno;
  }

  @Override
  public String toString() {
    return operation
        + " "
        + firstSector
        + "+"
        + sectors
        + " of "
        + value
        + (isFua() ? " FUA" : "")
        + (isDone() ? " answered " + errno : "");
  }
}
