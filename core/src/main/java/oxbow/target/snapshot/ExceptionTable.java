package oxbow.target.snapshot;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The complete exceptions of a snapshot: where in the store the chunks of the origin are that
 * differ from it. Chunk numbers are below 2^56 on both sides.
 *
 * <p>Any thread may ask; nobody locks for it. One thread at a time changes the table, under the
 * family's lock. A reader finds the right chunk of the store or none. It finds every exception that
 * was put before it began to look and is not being removed, whatever else happens to the table
 * meanwhile; one that is being put it may miss. Answers about more than one chunk may be of several
 * moments.
 *
 * <p>Why that holds: the table is a hash of {@linkplain ExceptionGroup groups}, each of 32768
 * neighbouring chunks. Groups come into the hash, and new ones take the place of old ones, by one
 * reference (a release; readers acquire it), and are complete by then. A larger hash is filled
 * before it is published (a volatile write). What was put before a reader began is thus in the
 * group that it finds, or in a later one; a reader that still has an older hash or group finds
 * there what was put before it was replaced, and began before that. Within a group, see G1 and G2
 * there.
 *
 * <p>Memory: a page of 256 chunks, aligned in the origin, whose exceptions ascend takes 8 bytes;
 * any other exception 8 to 12 (13 to 20 where the store has more than 2^32 chunks). A group costs
 * some 150 bytes, and 1 KiB more when it has such pages. However large the table is, for the change
 * of a page at most one group is copied, and rarely the hash of groups.
 */
final class ExceptionTable {
  /** There is no exception. */
  static final long NONE = -1;

  /** Chunk numbers are below this one (snapshot-cow.md section 7). */
  static final long CHUNKS = 1L << 56;

  private static final VarHandle GROUPS =
      MethodHandles.arrayElementVarHandle(ExceptionGroup[].class);

  private static final int MIN_SLOTS = 8;
  private static final int MAX_FIRST_SLOTS = 1 << 12;

  /** 2^64 over the golden ratio. */
  private static final long SPREAD = 0x9E3779B97F4A7C15L;

  /** An open-addressing hash by the groups' numbers, a power of two, at most half in use. */
  private volatile @Nullable ExceptionGroup[] groups;

  /** For the writer only. */
  private int groupCount;

  private final AtomicLong count = new AtomicLong();

  /**
   * An empty table.
   *
   * @param originChunks as far as is known now, at least 0: what lies beyond finds room too
   */
  ExceptionTable(long originChunks) {
    int slots = Math.clamp(2 * number(originChunks), MIN_SLOTS, MAX_FIRST_SLOTS);
    this.groups = new ExceptionGroup[Integer.highestOneBit(slots)];
  }

  /** How many chunks have an exception; may lag behind what another thread changes now. */
  long count() {
    return count.getAcquire();
  }

  /** The chunk of the store that stands for a chunk of the origin, or {@link #NONE}. */
  long get(long oldChunk) {
    ExceptionGroup group = group(groups, number(oldChunk));
    return group == null ? NONE : group.get(key(oldChunk));
  }

  /**
   * How many chunks from one on are mapped to neighbours, in ascending order, of the chunk of the
   * store that it is mapped to.
   *
   * @param limit what is returned at most, at least 1
   * @return 0 if the chunk has no exception (any more, where another thread removes it)
   */
  long runLength(long oldChunk, long limit) {
    long newChunk = get(oldChunk);
    long length = 0;
    while (newChunk != NONE && length < limit) {
      ExceptionGroup group = group(groups, number(oldChunk + length));
      int asked = chunksInGroup(oldChunk + length, limit - length);
      int found =
          group == null ? 0 : group.runLength(key(oldChunk + length), newChunk + length, asked);
      length += found;
      if (found < asked) {
        break;
      }
    }
    return length;
  }

  /**
   * How many chunks from one on have no exception.
   *
   * @param limit what is returned at most; however high, it costs no more than a look at every
   *     group that there is
   */
  long gapLength(long oldChunk, long limit) {
    @Nullable ExceptionGroup[] now = groups;
    long end = oldChunk + limit;
    for (long at = oldChunk; at < end; ) {
      ExceptionGroup group = nextGroup(now, number(at), number(end - 1));
      if (group == null) {
        break;
      }
      at = Math.max(at, group.number() << ExceptionGroup.CHUNKS_LOG2);
      int asked = chunksInGroup(at, end - at);
      int gap = group.gapLength(key(at), asked);
      at += gap;
      if (gap < asked) {
        return at - oldChunk;
      }
    }
    return limit;
  }

  /**
   * Adds exceptions: chunks of the origin from one on are mapped to as many of the store. For the
   * writer only.
   *
   * @param count 0 is allowed and does nothing
   * @throws IllegalStateException if one of them has an exception already
   */
  void put(long oldChunk, long newChunk, long count) {
    Objects.checkFromIndexSize(oldChunk, count, CHUNKS);
    Objects.checkFromIndexSize(newChunk, count, CHUNKS);
    for (long done = 0; done < count; ) {
      long at = oldChunk + done;
      int part = chunksInGroup(at, count - done);
      ExceptionGroup before = group(groups, number(at));
      ExceptionGroup into = before == null ? new ExceptionGroup(number(at)) : before;
      ExceptionGroup after = into.put(key(at), newChunk + done, part);
      if (after != before) {
        place(after);
      }
      done += part;
    }
    this.count.setRelease(this.count.getPlain() + count);
  }

  /**
   * Removes exceptions, which must all be there. Others are found all the time. For the writer
   * only.
   *
   * @param count 0 is allowed and does nothing
   */
  void remove(long oldChunk, long count) {
    Objects.checkFromIndexSize(oldChunk, count, CHUNKS);
    for (long done = 0; done < count; ) {
      long at = oldChunk + done;
      int part = chunksInGroup(at, count - done);
      ExceptionGroup before = group(groups, number(at));
      if (before == null) {
        throw new IllegalStateException("chunk %d has no exception".formatted(at));
      }
      ExceptionGroup after = before.remove(key(at), part);
      if (after != before) {
        place(after);
      }
      done += part;
    }
    this.count.setRelease(this.count.getPlain() - count);
  }

  /** Visits all exceptions in ascending order of the origin's chunks, as runs that are maximal. */
  void forEachRun(RunVisitor visitor) {
    long oldChunk = gapLength(0, CHUNKS);
    while (oldChunk < CHUNKS) {
      long length = runLength(oldChunk, CHUNKS - oldChunk);
      visitor.run(oldChunk, get(oldChunk), length);
      oldChunk += length;
      oldChunk += gapLength(oldChunk, CHUNKS - oldChunk);
    }
  }

  /** The first group whose number is in a range, or null. */
  private static @Nullable ExceptionGroup nextGroup(
      @Nullable ExceptionGroup[] groups, long first, long last) {
    for (long number = first; number <= last; number++) {
      if (number - first == groups.length) {
        return lowest(groups, number, last); // They lie far apart: look at all instead.
      }
      ExceptionGroup group = group(groups, number);
      if (group != null) {
        return group;
      }
    }
    return null;
  }

  private static @Nullable ExceptionGroup lowest(
      @Nullable ExceptionGroup[] groups, long first, long last) {
    ExceptionGroup lowest = null;
    for (int slot = 0; slot < groups.length; slot++) {
      ExceptionGroup group = at(groups, slot);
      if (group != null
          && group.number() >= first
          && group.number() <= (lowest == null ? last : lowest.number())) {
        lowest = group;
      }
    }
    return lowest;
  }

  private static @Nullable ExceptionGroup group(@Nullable ExceptionGroup[] groups, long number) {
    int slot = home(groups, number);
    ExceptionGroup found = at(groups, slot);
    while (found != null && found.number() != number) {
      slot = after(groups, slot);
      found = at(groups, slot);
    }
    return found;
  }

  private static @Nullable ExceptionGroup at(@Nullable ExceptionGroup[] groups, int slot) {
    return (ExceptionGroup) GROUPS.getAcquire(groups, slot);
  }

  private static int home(@Nullable ExceptionGroup[] groups, long number) {
    return (int) ((number * SPREAD) >>> Integer.SIZE) & (groups.length - 1);
  }

  private static int after(@Nullable ExceptionGroup[] groups, int slot) {
    return (slot + 1) & (groups.length - 1);
  }

  /** Puts a group into the hash, where it takes the place of the one with its number. */
  private void place(ExceptionGroup group) {
    if (group(groups, group.number()) == null) {
      groupCount++;
      if (2 * groupCount > groups.length) {
        groups = larger(groups);
      }
    }
    place(groups, group);
  }

  private static void place(@Nullable ExceptionGroup[] groups, ExceptionGroup group) {
    int slot = home(groups, group.number());
    ExceptionGroup found = groups[slot];
    while (found != null && found.number() != group.number()) {
      slot = after(groups, slot);
      found = groups[slot];
    }
    GROUPS.setRelease(groups, slot, group);
  }

  private static @Nullable ExceptionGroup[] larger(@Nullable ExceptionGroup[] groups) {
    @Nullable ExceptionGroup[] larger = new ExceptionGroup[2 * groups.length];
    for (ExceptionGroup group : groups) {
      if (group != null) {
        place(larger, group);
      }
    }
    return larger;
  }

  private static int chunksInGroup(long oldChunk, long limit) {
    return (int) Math.min(limit, ExceptionGroup.CHUNKS - key(oldChunk));
  }

  private static long number(long oldChunk) {
    return oldChunk >>> ExceptionGroup.CHUNKS_LOG2;
  }

  private static int key(long oldChunk) {
    return (int) oldChunk & (ExceptionGroup.CHUNKS - 1);
  }

  /** Receives the exceptions of a table. */
  @FunctionalInterface
  interface RunVisitor {
    /**
     * @param oldChunk first chunk of the origin
     * @param newChunk its chunk of the store
     * @param count of chunks, ascending on both sides
     */
    void run(long oldChunk, long newChunk, long count);
  }
}
