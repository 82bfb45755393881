package oxbow.target.snapshot;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import oxbow.block.Errno;
import oxbow.block.Flags;
import oxbow.block.Operation;
import oxbow.format.snapshot.ExceptionArea;
import oxbow.format.snapshot.StoreLayout;
import oxbow.sim.SimDevice;
import oxbow.target.Effects;
import oxbow.target.ExtentQuery;
import oxbow.target.Job;
import oxbow.target.Piece;
import oxbow.target.Target;
import oxbow.target.snapshot.DefectiveTarget.Stand;

/** Carries a core's decisions out with a {@link Defect}; see {@link DefectiveTarget}. */
final class DefectiveEffects implements Effects {
  private static final int ORIGIN = DefectiveTarget.ORIGIN;
  private static final int STORE = DefectiveTarget.STORE;

  private final Effects out;
  private final Target target;
  private final Defect defect;
  private final boolean isSnapshot;
  private final boolean isMerge;

  /** Chunks of the store have been written since entries were: a commit has something to flush. */
  private boolean hasNewData;

  /** Data writes and flushes whose failure is not told. */
  private final Set<Job> silenced = new HashSet<>();

  /** The run that a merge copies: its job, and where it lies. */
  private @Nullable Job merging;

  private long fromBytes;
  private long toBytes;
  private long lengthBytes;

  DefectiveEffects(Effects out, Target target, Defect defect) {
    this.out = out;
    this.target = target;
    this.defect = defect;
    isSnapshot = target.typeName().equals("snapshot");
    isMerge = target.typeName().equals("snapshot-merge");
  }

  Effects out() {
    return out;
  }

  /** What the core is told of a job's end. */
  int result(Job job, int errno) {
    if (job == merging) {
      merging = null;
    }
    return silenced.remove(job) ? Errno.OK : errno;
  }

  /** Tells the core that a job has ended, with nothing done; later, as if it had taken time. */
  private void pretend(Job job) {
    out.run(new Stand(job), DefectiveTarget::nothing);
  }

  private boolean isMetadata(int slot, long offsetBytes) {
    return slot == STORE && offsetBytes > 0 && isStoreMetadata(offsetBytes);
  }

  private boolean isStoreMetadata(long offsetBytes) {
    StoreLayout layout = layout();
    return layout.isMetadata(offsetBytes / layout.chunkBytes());
  }

  /** By the fourth word of the table line. */
  private StoreLayout layout() {
    List<String> words = List.of(target.table().split(" ", -1));
    return new StoreLayout(Long.parseLong(words.get(3)));
  }

  // Data.

  /** A chunk of the store is written: whether the core is told of its end at once. */
  private boolean isToldAtOnce(Job job, int slot) {
    if (!isSnapshot || slot != STORE) {
      return false;
    }
    hasNewData = true;
    if (defect == Defect.RECORD_A_FAILED_WRITE) {
      silenced.add(job);
    }
    return defect == Defect.RECORD_BEFORE_WRITE_ENDS;
  }

  @Override
  public void write(
      Job job, Piece piece, long partOffset, long partLength, int slot, long offset, int flags) {
    boolean isEarly = isToldAtOnce(job, slot);
    Job written = isEarly ? new Stand(null) : job;
    out.write(written, piece, partOffset, partLength, slot, offset, flags);
    if (isEarly) {
      pretend(job);
    }
  }

  @Override
  public void writeMerged(Job job, Piece pieces, int slot, long toOffsetBytes) {
    if (isToldAtOnce(job, slot)) {
      Stand stand = new Stand(null);
      stand.frame = job.frame;
      job.frame = null;
      out.writeMerged(stand, pieces, slot, toOffsetBytes);
      pretend(job);
    } else {
      out.writeMerged(job, pieces, slot, toOffsetBytes);
    }
  }

  @Override
  public void copy(
      Job job,
      int fromSlot,
      long fromOffset,
      int toSlot,
      long toOffset,
      long length,
      boolean skipZeros) {
    if (isMerge && fromSlot == STORE) {
      merging = job;
      fromBytes = fromOffset;
      toBytes = toOffset;
      lengthBytes = length;
    }
    boolean isEarly = isToldAtOnce(job, toSlot);
    Job copied = isEarly ? new Stand(null) : job;
    out.copy(copied, fromSlot, fromOffset, toSlot, toOffset, length, skipZeros);
    if (isEarly) {
      pretend(job);
    }
  }

  /** M3 broken: sends a write to the chunk of the store that is being copied to the origin. */
  boolean goesToTheRunInCopy(Piece piece) {
    if (merging == null
        || piece.offsetBytes() < toBytes
        || piece.endBytes() > toBytes + lengthBytes) {
      return false;
    }
    out.issue(piece, STORE, fromBytes + piece.offsetBytes() - toBytes);
    return true;
  }

  // Entries and the header.

  @Override
  public void writeBytes(Job job, byte[] bytes, int slot, long offsetBytes, int flags) {
    boolean isEntries = isMetadata(slot, offsetBytes);
    boolean isHeader = slot == STORE && offsetBytes == 0;
    hasNewData &= !isEntries;
    switch (defect) {
      case COMMIT_WITHOUT_FUA ->
          out.writeBytes(job, bytes, slot, offsetBytes, isEntries ? flags & ~Flags.FUA : flags);
      case INVALIDATION_WITHOUT_FUA ->
          out.writeBytes(job, bytes, slot, offsetBytes, isHeader ? flags & ~Flags.FUA : flags);
      case NO_INVALIDATION -> {
        if (isHeader) {
          pretend(job);
        } else {
          out.writeBytes(job, bytes, slot, offsetBytes, flags);
        }
      }
      case ORIGIN_WRITE_BEFORE_COMMIT, RELEASE_BEFORE_REMOVAL -> {
        boolean isBroken = isMerge == (defect == Defect.RELEASE_BEFORE_REMOVAL);
        if (isEntries && isBroken) {
          out.writeBytes(new Stand(null), bytes, slot, offsetBytes, flags);
          pretend(job);
        } else {
          out.writeBytes(job, bytes, slot, offsetBytes, flags);
        }
      }
      case COMMIT_OUT_OF_ORDER ->
          out.writeBytes(job, isEntries ? swapped(bytes) : bytes, slot, offsetBytes, flags);
      case KEEP_STALE_ENTRIES -> {
        byte[] kept = isEntries && isSnapshot ? withStale(bytes, offsetBytes) : bytes;
        out.writeBytes(job, kept, slot, offsetBytes, flags);
      }
      default -> out.writeBytes(job, bytes, slot, offsetBytes, flags);
    }
  }

  /** The last two entries change places. */
  private static byte[] swapped(byte[] bytes) {
    byte[] swapped = bytes.clone();
    ExceptionArea area = ExceptionArea.over(swapped, swapped.length);
    int last = area.terminator(0) - 1;
    if (last > 0) {
      long oldChunk = area.oldChunk(last);
      long newChunk = area.newChunk(last);
      area.set(last, area.oldChunk(last - 1), area.newChunk(last - 1));
      area.set(last - 1, oldChunk, newChunk);
    }
    return swapped;
  }

  /** Where the core writes no entry there remains what is on the disk. */
  private byte[] withStale(byte[] bytes, long offsetBytes) {
    byte[] kept = bytes.clone();
    SimDevice store = DefectiveTarget.store(target);
    byte[] onDisk = store.disk().bytes(offsetBytes, bytes.length);
    ExceptionArea area = ExceptionArea.over(kept, kept.length);
    ExceptionArea stale = ExceptionArea.over(onDisk, onDisk.length);
    for (int i = area.terminator(0); i < area.entryCount(); i++) {
      area.set(i, stale.oldChunk(i), stale.newChunk(i));
    }
    return kept;
  }

  @Override
  public void range(
      Job job, int slot, Operation operation, long offsetBytes, long length, int flags) {
    boolean isWholeArea = length == layout().chunkBytes();
    boolean isLeftOut =
        switch (defect) {
          case NEXT_AREA_NOT_ZEROED -> isMetadata(slot, offsetBytes) && isWholeArea;
          case KEEP_STALE_ENTRIES -> isMetadata(slot, offsetBytes) && !isWholeArea;
          default -> false;
        };
    if (isLeftOut) {
      pretend(job);
    } else {
      out.range(job, slot, operation, offsetBytes, length, flags);
    }
  }

  @Override
  public void flushThen(Job job, int slot, @Nullable BlockingTask task) {
    boolean isLeftOut =
        switch (defect) {
          case COMMIT_WITHOUT_FLUSH -> isSnapshot && slot == STORE && hasNewData;
          case COMMIT_WITHOUT_FUA -> isSnapshot && slot == STORE && !hasNewData;
          case MERGE_WITHOUT_FLUSH -> isMerge && slot == ORIGIN;
          default -> false;
        };
    if (isLeftOut) {
      pretend(job);
      return;
    }
    if (defect == Defect.RETRY_A_FAILED_FLUSH && isSnapshot) {
      silenced.add(job);
    }
    out.flushThen(job, slot, task);
  }

  // What is as it was.

  @Override
  public void complete(Piece piece, int errno) {
    out.complete(piece, errno);
  }

  @Override
  public void issue(Piece piece, int slot, long offsetBytes) {
    out.issue(piece, slot, offsetBytes);
  }

  @Override
  public void issue(Piece piece, int slot, long offsetBytes, int ticket) {
    boolean isUntracked =
        switch (defect) {
          case ORIGIN_WRITE_BEFORE_READS_END -> isSnapshot && slot == ORIGIN;
          case JOIN_WITHOUT_WAITING -> !isSnapshot && slot == ORIGIN;
          case MERGE_BEFORE_WRITES_END -> isMerge && slot == STORE;
          default -> false;
        };
    if (isUntracked) {
      if (target.endIo(ticket)) {
        out.wakeAt(0);
      }
      out.issue(piece, slot, offsetBytes);
    } else {
      out.issue(piece, slot, offsetBytes, ticket);
    }
  }

  @Override
  public void issueRange(
      Piece piece, int slot, Operation operation, long offsetBytes, long length, int flags) {
    out.issueRange(piece, slot, operation, offsetBytes, length, flags);
  }

  @Override
  public void read(Job job, Piece piece, int slot, long offsetBytes) {
    out.read(job, piece, slot, offsetBytes);
  }

  @Override
  public void readThrough(
      Job job, Piece piece, int from, int to, long base, long length, boolean skipZeros) {
    out.readThrough(job, piece, from, to, base, length, skipZeros);
  }

  @Override
  public void readForMerge(
      Job job, int slot, long baseBytes, long length, long readFrom, long readTo) {
    out.readForMerge(job, slot, baseBytes, length, readFrom, readTo);
  }

  @Override
  public void run(Job job, BlockingTask task) {
    out.run(job, task);
  }

  @Override
  public void releaseBuffers() {
    out.releaseBuffers();
  }

  @Override
  public void extents(ExtentQuery query, int slot, long offsetBytes, long length) {
    out.extents(query, slot, offsetBytes, length);
  }

  @Override
  public void wakeAt(long nanos) {
    out.wakeAt(nanos);
  }

  @Override
  public void event(String why) {
    out.event(why);
  }

  @Override
  public void warn(String what) {
    out.warn(what);
  }
}
