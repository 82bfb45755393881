package oxbow.target.bow;

import java.lang.foreign.MemorySegment;
import oxbow.block.Sectors;
import oxbow.format.bow.BowChecksum;
import oxbow.format.bow.BowEntry;
import oxbow.target.OwnedRange;
import oxbow.target.bow.BowRanges.Range;

/**
 * A run of blocks that is being saved, and the one owner of it and of where it is saved to until
 * its entry is durable. Writes to either wait.
 */
final class BowBackup extends OwnedRange {
  /** The blocks that the copy goes to. */
  static final class Place extends OwnedRange {
    Place(long first, long count) {
      set(first, count);
    }
  }

  final Place place;

  /** What the source is until it is changed. */
  final RangeType type;

  private final BowChecksum checksum = new BowChecksum();
  private long readBytes;

  BowBackup(long first, Range taken, RangeType type) {
    set(first, taken.count());
    this.place = new Place(taken.first(), taken.count());
    this.type = type;
    checksum.start(first);
  }

  /** Whether it is block 0 as users see it that moves. */
  boolean isMove() {
    return type == RangeType.SECTOR0_CURRENT;
  }

  /** Whether something may have been written to the place. */
  boolean mayHaveWritten() {
    return readBytes > 0;
  }

  @Override
  public void dataRead(long offsetBytes, MemorySegment data, long lengthBytes) {
    checksum.update(data.asSlice(0, lengthBytes).asByteBuffer());
    readBytes += lengthBytes;
  }

  /** Without checksum where what was saved goes on changing (section 8, 10). */
  BowEntry entry(int blockBytes) {
    long sectors = blockBytes / Sectors.SIZE_BYTES;
    return new BowEntry(
        first() * sectors,
        place.first() * sectors,
        count() * blockBytes,
        isMove() ? 0 : checksum.value());
  }

  @Override
  public String toString() {
    return "copy of blocks " + first() + "+" + count() + " to " + place.first();
  }
}
