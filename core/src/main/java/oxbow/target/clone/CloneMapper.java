package oxbow.target.clone;

import oxbow.block.Errno;
import oxbow.block.Flags;
import oxbow.block.Operation;
import oxbow.target.Geometry;
import oxbow.target.Mapping;

/**
 * Where a request to a clone goes, from memory alone and without a lock. Any thread may ask: bits
 * of the map are only ever set (C1), so an answer that is a moment old sends a request at worst to
 * the core, which looks again.
 */
final class CloneMapper {
  private final Geometry geometry;
  private final RegionMap map;
  private final CloneCore core;
  private final ReadHints hints;

  CloneMapper(Geometry geometry, RegionMap map, CloneCore core) {
    this.geometry = geometry;
    this.map = map;
    this.core = core;
    this.hints = core.hints();
  }

  void map(Operation operation, long offsetBytes, long lengthBytes, int flags, Mapping answer) {
    if (core.isDone() && mapDone(operation, offsetBytes, lengthBytes, flags, answer)) {
      return;
    }
    switch (operation) {
      case READ -> mapRead(offsetBytes, lengthBytes, hints.hydratesOnRead(), answer);
      case WRITE, WRITE_ZEROES -> mapWrite(offsetBytes, lengthBytes, flags, answer);
      case DISCARD, CACHE, FLUSH -> answer.queue(lengthBytes);
    }
  }

  /** M7: a linear mapping, but for what a failure may have left behind; false where not. */
  private boolean mapDone(
      Operation operation, long offsetBytes, long lengthBytes, int flags, Mapping answer) {
    boolean isLinear =
        switch (operation) {
          case READ, CACHE -> true;
          case WRITE, WRITE_ZEROES ->
              core.mode() != CloneMode.FAIL && ((flags & Flags.FUA) == 0 || core.isClean());
          case DISCARD, FLUSH -> false;
        };
    if (isLinear) {
      answer.remap(CloneCore.DESTINATION, offsetBytes, lengthBytes);
    }
    return isLinear;
  }

  /** Where a read finds its bytes, whether or not it would hydrate them. */
  void locate(long offsetBytes, long lengthBytes, Mapping answer) {
    mapRead(offsetBytes, lengthBytes, false, answer);
  }

  /**
   * R1 to R4: hydrated regions from the destination, others from the source; never waits. Reads
   * that hydrate go to the core, no more of them at a time than one buffer holds (O13).
   */
  private void mapRead(long offsetBytes, long lengthBytes, boolean hydrates, Mapping answer) {
    long first = geometry.partOf(offsetBytes);
    long limit = geometry.partOf(offsetBytes + lengthBytes - 1) + 1;
    if (map.isHydrated(first)) {
      long end = map.nextUnhydrated(first, limit);
      answer.remap(CloneCore.DESTINATION, offsetBytes, cut(offsetBytes, lengthBytes, end));
    } else if (hydrates) {
      long end = map.nextHydrated(first, Math.min(limit, first + hints.regionsAtOnce()));
      answer.queue(cut(offsetBytes, lengthBytes, end));
    } else {
      long end = map.nextHydrated(first, limit);
      answer.remap(CloneCore.SOURCE, offsetBytes, cut(offsetBytes, lengthBytes, end));
    }
  }

  /**
   * W1 from memory; what is not hydrated goes to the core, whole regions apart from partial ones.
   */
  private void mapWrite(long offsetBytes, long lengthBytes, int flags, Mapping answer) {
    long first = geometry.partOf(offsetBytes);
    long limit = geometry.partOf(offsetBytes + lengthBytes - 1) + 1;
    if ((flags & Flags.FAST_ZERO) != 0 && needsMerge(offsetBytes, lengthBytes, first, limit)) {
      answer.complete(lengthBytes, Errno.ENOTSUP);
      return;
    }
    if (map.isHydrated(first)) {
      long end = map.nextUnhydrated(first, limit);
      long length = cut(offsetBytes, lengthBytes, end);
      boolean needsCommit = (flags & Flags.FUA) != 0 && !core.isClean();
      if (needsCommit || core.mode() == CloneMode.FAIL) {
        answer.queue(length);
      } else {
        answer.remap(CloneCore.DESTINATION, offsetBytes, length);
      }
      return;
    }
    long covered = geometry.endCovered(offsetBytes + lengthBytes);
    if (offsetBytes == geometry.startOf(first) && covered > first) {
      answer.queue(cut(offsetBytes, lengthBytes, map.nextHydrated(first, covered)));
    } else {
      answer.queue(cut(offsetBytes, lengthBytes, first + 1));
    }
  }

  /**
   * Whether a range covers part of an unhydrated region. FAST_ZERO is refused for it as a whole and
   * before anything is changed; bits are only ever set (C1), so what is found fit stays so.
   */
  private boolean needsMerge(long offsetBytes, long lengthBytes, long first, long limit) {
    boolean isHeadPart = offsetBytes > geometry.startOf(first);
    boolean isTailPart = offsetBytes + lengthBytes < geometry.endOf(limit);
    return !core.isDone()
        && ((isHeadPart && !map.isHydrated(first)) || (isTailPart && !map.isHydrated(limit - 1)));
  }

  private long cut(long offsetBytes, long lengthBytes, long endRegion) {
    return Math.min(lengthBytes, geometry.endOf(endRegion) - offsetBytes);
  }
}
