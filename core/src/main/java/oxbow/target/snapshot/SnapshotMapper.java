package oxbow.target.snapshot;

import oxbow.block.Errno;
import oxbow.block.Flags;
import oxbow.block.Operation;
import oxbow.target.Geometry;
import oxbow.target.Mapping;

/**
 * Where a request to a snapshot goes, from memory alone and without a lock. Exceptions are only
 * ever added while it is asked: an answer that is a moment old sends a write at worst to the core,
 * which looks again, and a read to the origin, where its ticket keeps writes away (R2).
 */
final class SnapshotMapper {
  /** A write that covers chunks whole is decided about at once up to this length, or one chunk. */
  private static final long MOST_BYTES = 1 << 20;

  private final Exceptions exceptions;
  private final ExceptionTable table;
  private final ExceptionStore store;
  private final Geometry chunks;
  private final SnapshotCore core;

  SnapshotMapper(Exceptions exceptions, Geometry chunks, SnapshotCore core) {
    this.exceptions = exceptions;
    this.table = exceptions.table;
    this.store = exceptions.store;
    this.chunks = chunks;
    this.core = core;
  }

  void map(Operation operation, long offsetBytes, long lengthBytes, int flags, Mapping answer) {
    SnapshotState state = exceptions.state();
    switch (operation) {
      case READ -> mapRead(offsetBytes, lengthBytes, answer);
      case WRITE, WRITE_ZEROES -> {
        if (state == SnapshotState.ACTIVE) {
          mapWrite(offsetBytes, lengthBytes, flags, answer);
        } else {
          answer.complete(lengthBytes, Errno.EIO);
        }
      }
      case DISCARD -> answer.queue(Math.min(lengthBytes, leftInChunk(offsetBytes)));
      case CACHE -> locate(offsetBytes, lengthBytes, answer);
      case FLUSH -> answer.queue(lengthBytes);
    }
  }

  /** Where a read finds its bytes. */
  void locate(long offsetBytes, long lengthBytes, Mapping answer) {
    long chunk = chunks.partOf(offsetBytes);
    long stored = table.get(chunk);
    if (!exceptions.isValid()) {
      answer.complete(lengthBytes, Errno.EIO);
    } else if (stored == ExceptionTable.NONE) {
      long gap = Math.max(1, table.gapLength(chunk, limit(chunk, offsetBytes, lengthBytes)));
      answer.remap(SnapshotCore.ORIGIN, offsetBytes, cut(offsetBytes, lengthBytes, chunk + gap));
    } else {
      remapToStore(chunk, stored, offsetBytes, lengthBytes, answer);
    }
  }

  /**
   * R1. Where there is no exception, the looks that count come after the ticket: into the table,
   * and whether the snapshot is valid (R3).
   */
  private void mapRead(long offsetBytes, long lengthBytes, Mapping answer) {
    long chunk = chunks.partOf(offsetBytes);
    long stored = table.get(chunk);
    if (stored != ExceptionTable.NONE && exceptions.isValid()) {
      remapToStore(chunk, stored, offsetBytes, lengthBytes, answer);
    } else {
      int ticket = core.readTicket();
      long gap = table.gapLength(chunk, limit(chunk, offsetBytes, lengthBytes));
      if (!exceptions.isValid()) {
        answer.complete(lengthBytes, Errno.EIO);
      } else if (gap > 0) {
        answer.remap(SnapshotCore.ORIGIN, offsetBytes, cut(offsetBytes, lengthBytes, chunk + gap));
      } else {
        remapToStore(chunk, table.get(chunk), offsetBytes, lengthBytes, answer);
      }
      answer.track(ticket);
    }
  }

  private void remapToStore(
      long chunk, long stored, long offsetBytes, long lengthBytes, Mapping answer) {
    long run = table.runLength(chunk, limit(chunk, offsetBytes, lengthBytes));
    long at = store.offsetBytes(stored) + offsetBytes - chunks.startOf(chunk);
    answer.remap(SnapshotCore.STORE, at, cut(offsetBytes, lengthBytes, chunk + Math.max(1, run)));
  }

  /** W1 from memory; the rest goes to the core, whole chunks apart from partial ones. */
  private void mapWrite(long offsetBytes, long lengthBytes, int flags, Mapping answer) {
    long chunk = chunks.partOf(offsetBytes);
    long limit = limit(chunk, offsetBytes, lengthBytes);
    long stored = table.get(chunk);
    if (stored != ExceptionTable.NONE) {
      long run = table.runLength(chunk, limit);
      boolean isDurable = stored + run <= exceptions.durableBelow();
      if ((flags & Flags.FUA) == 0 || isDurable) {
        remapToStore(chunk, stored, offsetBytes, lengthBytes, answer);
      } else {
        answer.queue(cut(offsetBytes, lengthBytes, chunk + Math.max(1, run)));
      }
      return;
    }
    long most = Math.min(lengthBytes, Math.max(MOST_BYTES, chunks.partBytes()));
    long covered = chunks.endCovered(offsetBytes + most);
    if (offsetBytes == chunks.startOf(chunk) && covered > chunk) {
      long gap = Math.max(1, table.gapLength(chunk, covered - chunk));
      answer.queue(cut(offsetBytes, lengthBytes, chunk + gap));
    } else {
      answer.queue(Math.min(lengthBytes, leftInChunk(offsetBytes)));
    }
  }

  /** Chunks that a range touches. */
  private long limit(long firstChunk, long offsetBytes, long lengthBytes) {
    return chunks.partOf(offsetBytes + lengthBytes - 1) + 1 - firstChunk;
  }

  private long cut(long offsetBytes, long lengthBytes, long endChunk) {
    return Math.min(lengthBytes, chunks.endOf(endChunk) - offsetBytes);
  }

  private long leftInChunk(long offsetBytes) {
    return chunks.partBytes() - (offsetBytes & (chunks.partBytes() - 1));
  }
}
