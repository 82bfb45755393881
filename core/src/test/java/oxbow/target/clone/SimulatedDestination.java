package oxbow.target.clone;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import oxbow.block.Errno;
import oxbow.sim.SimDisk;

/** A simulated disk with one int per sector: what it begins with; the rest is zeros. */
final class SimulatedDestination {
  private static final int SECTOR = SimDisk.SECTOR_BYTES;

  final SimDisk disk;

  /** So many of the next writes fail. */
  int failingWrites;

  /** Faults that have happened. */
  int faults;

  /** A write in flight: usually one on the disk; several where zeros are left out. */
  record Write(int sectors, List<Run> runs) {
    /** A run of sectors, by its place in the write. */
    private record Run(int first, int count, SimDisk.Write onDisk) {}
  }

  SimulatedDestination(SimDisk disk) {
    this.disk = disk;
  }

  /** A disk that holds these values, all durable. */
  static SimDisk diskOf(int[] values) {
    return SimDisk.of(bytes(values, 0, values.length).array(), (long) values.length * SECTOR);
  }

  private static ByteBuffer bytes(int[] values, int from, int to) {
    ByteBuffer bytes = ByteBuffer.allocate((to - from) * SECTOR);
    for (int i = from; i < to; i++) {
      bytes.putInt((i - from) * SECTOR, values[i]);
    }
    return bytes;
  }

  /** What reads find in a sector. */
  int contents(int sector) {
    return disk.intAt((long) sector * SECTOR);
  }

  /** What a crash leaves of a sector at least. */
  int durable(int sector) {
    return disk.durableIntAt((long) sector * SECTOR);
  }

  /**
   * Submits a write.
   *
   * @param skipsZeros zeros are not written: the caller knows that they are there
   */
  Write submit(int firstSector, int[] values, boolean skipsZeros, boolean isFua) {
    List<Write.Run> runs = new ArrayList<>(1);
    for (int i = 0; i < values.length; ) {
      int end = i;
      while (end < values.length && !(skipsZeros && values[end] == 0)) {
        end++;
      }
      if (end > i) {
        long offsetBytes = (long) (firstSector + i) * SECTOR;
        SimDisk.Write onDisk = disk.submitWrite(offsetBytes, bytes(values, i, end), isFua);
        runs.add(new Write.Run(i, end - i, onDisk));
      }
      i = end + 1;
    }
    return new Write(values.length, runs);
  }

  /** Ends a write. One that fails has written its first half all the same. */
  int end(Write write) {
    boolean fails = failingWrites > 0;
    int half = write.sectors / 2;
    for (Write.Run run : write.runs) {
      if (fails) {
        disk.failWrite(run.onDisk, Math.clamp(half - run.first, 0, run.count));
      } else {
        disk.completeWrite(run.onDisk);
      }
    }
    if (fails) {
      failingWrites--;
      faults++;
      return Errno.EIO;
    }
    return Errno.OK;
  }

  /** Submits a write and ends it. */
  int write(int firstSector, int... values) {
    return end(submit(firstSector, values, false, false));
  }
}
