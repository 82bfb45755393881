package oxbow.target.clone;

import java.lang.foreign.MemorySegment;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import oxbow.target.OwnedRange;
import oxbow.target.Piece;

/** The one owner of a run of regions while I/O for them is in flight (O1). */
final class Hydration extends OwnedRange {
  /** Why the regions are being hydrated. */
  enum Cause {
    /** A write or zeroing covers the regions whole; nothing is read (W2). */
    OVERWRITE,
    /** Writes to part of one region are put over what the source holds (O2). */
    MERGE,
    /** A write waits for a copy of a region too large for a merge (O2, last sentence). */
    COPY_FOR_WRITE,
    /** A read hint: NBD's CACHE. */
    HINT,
    /** A read of regions that nobody had, where reads hydrate (O13). */
    READ,
    /** Background hydration of data. */
    BACKGROUND,
    /** Background hydration of a source hole (O6). */
    HOLE,
    /** A discard; the regions read as what the destination holds then. */
    DISCARD
  }

  Cause cause = Cause.BACKGROUND;

  /** When the I/O began, on the frame's clock. */
  long startNanos;

  /** MERGE: the source has been read and the region write is on its way; no more pieces join. */
  boolean isWriting;

  /** The user's piece of OVERWRITE and DISCARD; all merged pieces, in order, of MERGE. */
  @Nullable Piece pieces;

  /** Takes sums of what is copied; null where nobody wants them. */
  @Nullable CopyChecksums checksums;

  /** The sum of the beginning of a region; made when first needed. */
  private @Nullable CRC32C crc;

  Hydration begin(Cause why, long firstRegion, long regionCount, long nowNanos) {
    cause = why;
    set(firstRegion, regionCount);
    startNanos = nowNanos;
    isWriting = false;
    pieces = null;
    if (crc != null) {
      crc.reset();
    }
    return this;
  }

  @Override
  public void dataRead(long offsetBytes, MemorySegment data, long lengthBytes) {
    CopyChecksums sums = checksums;
    if (sums != null) {
      CRC32C partial = crc == null ? new CRC32C() : crc;
      crc = partial;
      sums.add(partial, offsetBytes, data, lengthBytes);
    }
  }

  /** Whether the regions belong to the background, not to a request of a user. */
  boolean isBackground() {
    return cause == Cause.BACKGROUND || cause == Cause.HOLE;
  }

  @Override
  public String toString() {
    return cause + " of regions " + first() + "+" + count();
  }
}
