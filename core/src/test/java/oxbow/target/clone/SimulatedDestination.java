package oxbow.target.clone;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import oxbow.block.Errno;

/**
 * A destination with a volatile write cache, one int per sector. A crash keeps what was flushed and
 * any choice of what was not.
 */
final class SimulatedDestination {
  private record Unflushed(long order, int sector, int value) {}

  final int[] contents;
  final int[] durable;

  /** So many of the next writes fail. */
  int failingWrites;

  /** Faults that have happened. */
  int faults;

  private final List<Unflushed> unflushed = new ArrayList<>();
  private long writes;

  SimulatedDestination(int[] initial) {
    contents = initial.clone();
    durable = initial.clone();
  }

  int write(int firstSector, int[] values) {
    return write(firstSector, values, false);
  }

  /**
   * Stores values; a write that fails has written its first half all the same.
   *
   * @param skipZeros zeros are not written: the caller knows that they are there
   */
  int write(int firstSector, int[] values, boolean skipZeros) {
    boolean fails = failingWrites > 0;
    int count = fails ? values.length / 2 : values.length;
    for (int i = 0; i < count; i++) {
      if (!skipZeros || values[i] != 0) {
        contents[firstSector + i] = values[i];
        unflushed.add(new Unflushed(writes++, firstSector + i, values[i]));
      }
    }
    if (fails) {
      failingWrites--;
      faults++;
      return Errno.EIO;
    }
    return Errno.OK;
  }

  /** Makes a range durable: a write with FUA has ended. */
  void harden(int firstSector, int count) {
    for (int i = firstSector; i < firstSector + count; i++) {
      durable[i] = contents[i];
    }
    unflushed.removeIf(write -> write.sector >= firstSector && write.sector < firstSector + count);
  }

  /** What a flush that begins now covers. */
  long beginFlush() {
    return writes;
  }

  /** The flush that began then has ended. */
  void endFlush(long began) {
    for (Unflushed write : unflushed) {
      if (write.order < began) {
        durable[write.sector] = write.value;
      }
    }
    unflushed.removeIf(write -> write.order < began);
  }

  /** What a crash now leaves: what was flushed, and of the rest what the seed keeps. */
  int[] crashImage(Random random) {
    int[] image = durable.clone();
    for (Unflushed write : unflushed) {
      if (random.nextBoolean()) {
        image[write.sector] = write.value;
      }
    }
    return image;
  }
}
