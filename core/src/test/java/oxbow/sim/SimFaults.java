package oxbow.sim;

import java.util.BitSet;
import oxbow.block.Errno;

/** What shall go wrong on one disk, and how often it has. */
public final class SimFaults {
  /** So many of the next reads fail. */
  public int failingReads;

  /** So many of the next writes fail; each has written its first half all the same. */
  public int failingWrites;

  /** So many of the next flushes fail; what they should have covered can be lost for good. */
  public int failingFlushes;

  /** So many of the next questions for extents fail. */
  public int failingExtents;

  /** Reads of these sectors fail. */
  public final BitSet badSectors = new BitSet();

  /** Writes fail with ENOSPC. */
  public boolean isFull;

  /** Everything fails. */
  public boolean isDead;

  private int count;
  private int flushFailures;

  /** How many errors there have been. */
  public int count() {
    return count;
  }

  /** How many of them were of flushes. */
  public int flushFailures() {
    return flushFailures;
  }

  /** A flush has ended: what it should have covered may be lost, whatever later ones answer. */
  void flushEnded(int errno) {
    flushFailures += errno == Errno.OK ? 0 : 1;
  }

  /** From now on nothing goes wrong. */
  public void repair() {
    failingReads = 0;
    failingWrites = 0;
    failingFlushes = 0;
    failingExtents = 0;
    badSectors.clear();
    isFull = false;
    isDead = false;
  }

  /** How a read ends. */
  int read(long offsetBytes, long lengthBytes) {
    int first = (int) (offsetBytes / SimDisk.SECTOR_BYTES);
    int end = (int) ((offsetBytes + lengthBytes) / SimDisk.SECTOR_BYTES);
    int bad = badSectors.nextSetBit(first);
    boolean fails = failingReads > 0;
    failingReads -= fails ? 1 : 0;
    return result(fails || (bad >= 0 && bad < end), Errno.EIO);
  }

  /** How a write ends. */
  int write() {
    boolean fails = failingWrites > 0;
    failingWrites -= fails ? 1 : 0;
    return isFull ? result(true, Errno.ENOSPC) : result(fails, Errno.EIO);
  }

  /** How a flush ends. */
  int flush() {
    boolean fails = failingFlushes > 0;
    failingFlushes -= fails ? 1 : 0;
    return result(fails, Errno.EIO);
  }

  /** How a question for extents ends. */
  int extents() {
    boolean fails = failingExtents > 0;
    failingExtents -= fails ? 1 : 0;
    return result(fails, Errno.EIO);
  }

  /** An error that was not asked for here has happened. */
  int happened(int errno) {
    count += errno == Errno.OK ? 0 : 1;
    return errno;
  }

  private int result(boolean fails, int errno) {
    return happened(fails ? errno : isDead ? Errno.EIO : Errno.OK);
  }
}
