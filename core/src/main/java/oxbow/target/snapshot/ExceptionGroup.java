package oxbow.target.snapshot;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * The exceptions of {@link #CHUNKS} neighbouring chunks of an origin, a part of an {@link
 * ExceptionTable}, whose rules for writers and readers are these too. A chunk goes by its
 * <em>key</em> here, its number within the group.
 *
 * <p>A page whose exceptions ascend is a run of one word ({@link PageRun}). All others are single,
 * in an open-addressing hash of 6 bytes a slot, of which at most three quarters are in use.
 *
 * <p>What readers rely on:
 *
 * <ul>
 *   <li>G1: A slot is used once. Its chunk of the store is written before its key (release), and
 *       stays; the key can only become {@link #GONE}. Who reads a key (acquire) reads its chunk.
 *   <li>G2: While a chunk has an exception, that does not move within a group. Where it must, a
 *       page's single exceptions becoming a run, a run single ones, or slots a larger array, a new
 *       group takes the place of this one, which is not changed any more. So a reader meets either
 *       the old or the new place, never neither. (Moving within the group could not be made safe by
 *       the order of steps: who looks at runs and slots in any order can be overtaken by a move the
 *       other way.)
 * </ul>
 */
final class ExceptionGroup {
  static final int CHUNKS_LOG2 = 15;

  /** Chunks of a group. */
  static final int CHUNKS = 1 << CHUNKS_LOG2;

  private static final VarHandle KEYS = MethodHandles.arrayElementVarHandle(char[].class);
  private static final VarHandle WORDS = MethodHandles.arrayElementVarHandle(long[].class);

  private static final int PAGES = CHUNKS / PageRun.CHUNKS;
  private static final int NO_PAGE = -1;

  private static final int MIN_SLOTS = 4;

  /** A group with fewer than one exception for so many slots is made smaller. */
  private static final int SLOTS_PER_EXCEPTION = 8;

  /** What a slot's key is before its use; others are the key plus 1. */
  private static final char EMPTY = 0;

  /** What a slot's key is after its exception was removed. */
  private static final char GONE = Character.MAX_VALUE;

  /** 2^32 over the golden ratio: keys in a row come to lie far from each other. */
  private static final int SPREAD = 0x9E3779B1;

  private final long number;

  private final char[] keys;

  /** The low 32 bits of the chunks of the store, by slot. */
  private final int[] lowBits;

  /** The high 24 bits; null as long as all are 0. */
  private final int @Nullable [] highBits;

  /** By page; null as long as there are none. */
  private final long @Nullable [] runs;

  /** A bit for each page: clear if no slot is of this page; set if one is or was. */
  private final long[] singlePages = new long[PAGES / Long.SIZE];

  /** Slots that are not empty. For the writer only, as is the next. */
  private int usedSlots;

  private int singles;

  /**
   * A group without exceptions.
   *
   * @param number of the group: that of its first chunk is {@link #CHUNKS} times as high
   */
  ExceptionGroup(long number) {
    this(number, MIN_SLOTS, false, false);
  }

  private ExceptionGroup(long number, int slots, boolean isWide, boolean hasRuns) {
    this.number = number;
    this.keys = new char[slots];
    this.lowBits = new int[slots];
    this.highBits = isWide ? new int[slots] : null;
    this.runs = hasRuns ? new long[PAGES] : null;
  }

  long number() {
    return number;
  }

  /** The chunk of the store, or {@link ExceptionTable#NONE}. */
  long get(int key) {
    return get(key, run(page(key)));
  }

  /**
   * How many keys from one on are mapped to a chunk of the store and those that follow it.
   *
   * @param limit what is returned at most; ends in this group
   */
  int runLength(int key, long newChunk, int limit) {
    int length = 0;
    while (length < limit) {
      int at = key + length;
      long run = run(page(at));
      if (get(at, run) != newChunk + length) {
        return length;
      }
      length += run == 0 ? 1 : PageRun.ascendingEnd(run, index(at)) - index(at);
    }
    return limit;
  }

  /** How many keys from one on have no exception; at most {@code limit}, as above. */
  int gapLength(int key, int limit) {
    int end = key + limit;
    for (int at = key; at < end; ) {
      int page = page(at);
      int next = Math.min(end, (page + 1) * PageRun.CHUNKS);
      if (run(page) != 0) {
        return at - key;
      }
      for (; at < next && mayHaveSingles(page); at++) {
        if (slotOf(at) >= 0) {
          return at - key;
        }
      }
      at = next;
    }
    return limit;
  }

  /**
   * Adds exceptions whose chunks of the store ascend with the keys. For the writer only.
   *
   * @return the group that has them: this one, or one that is to take its place
   */
  ExceptionGroup put(int key, long newChunk, int count) {
    ExceptionGroup group = this;
    for (int done = 0; done < count; ) {
      int at = key + done;
      int part = Math.min(count - done, PageRun.CHUNKS - index(at));
      group.requireNone(at, part);
      group =
          part == PageRun.CHUNKS
              ? group.putPage(page(at), newChunk + done)
              : group.putSingles(at, newChunk + done, part);
      done += part;
    }
    return group;
  }

  /**
   * Removes exceptions; all must be there. For the writer only.
   *
   * @return the group that has the others: this one, or one that is to take its place
   */
  ExceptionGroup remove(int key, int count) {
    ExceptionGroup group = this;
    for (int done = 0; done < count; ) {
      int at = key + done;
      int part = Math.min(count - done, PageRun.CHUNKS - index(at));
      group =
          group.run(page(at)) == 0 ? group.removeSingles(at, part) : group.removeFromRun(at, part);
      done += part;
    }
    return group;
  }

  private long get(int key, long run) {
    if (run != 0) {
      return PageRun.newChunk(run, index(key));
    }
    int slot = mayHaveSingles(page(key)) ? slotOf(key) : -1;
    return slot < 0 ? ExceptionTable.NONE : newChunk(slot);
  }

  private long run(int page) {
    return runs == null ? 0 : (long) WORDS.getAcquire(runs, page);
  }

  private boolean mayHaveSingles(int page) {
    return ((long) WORDS.getAcquire(singlePages, page / Long.SIZE) & 1L << page) != 0;
  }

  /** The slot of a key, or -1. There always is an empty slot at which the search ends. */
  private int slotOf(int key) {
    char code = (char) (key + 1);
    for (int slot = home(code); ; slot = after(slot)) {
      char found = (char) KEYS.getAcquire(keys, slot);
      if (found == code) {
        return slot;
      }
      if (found == EMPTY) {
        return -1;
      }
    }
  }

  private int home(char code) {
    return (int) ((Integer.toUnsignedLong(code * SPREAD) * keys.length) >>> Integer.SIZE);
  }

  private int after(int slot) {
    return slot + 1 == keys.length ? 0 : slot + 1;
  }

  private long newChunk(int slot) {
    long low = Integer.toUnsignedLong(lowBits[slot]);
    return highBits == null ? low : (long) highBits[slot] << Integer.SIZE | low;
  }

  private void requireNone(int key, int count) {
    int gap = gapLength(key, count);
    if (gap < count) {
      throw new IllegalStateException(
          "chunk %d has an exception, %d".formatted(chunk(key + gap), get(key + gap)));
    }
  }

  private ExceptionGroup putPage(int page, long newChunk) {
    ExceptionGroup group = runs == null ? copyWithout(NO_PAGE, singles, false, true) : this;
    group.setRun(page, PageRun.of(newChunk, 0));
    return group;
  }

  private ExceptionGroup putSingles(int key, long newChunk, int count) {
    boolean isWide = isWide(newChunk + count - 1);
    ExceptionGroup group = this;
    if (4 * (usedSlots + count) > 3 * keys.length || (isWide && highBits == null)) {
      group = copyWithout(NO_PAGE, singles + count, isWide, false);
    }
    for (int i = 0; i < count; i++) {
      group.add(key + i, newChunk + i);
    }
    return group.joined(page(key));
  }

  /** Makes a run of a page if single exceptions fill it and ascend, with one leap at most. */
  private ExceptionGroup joined(int page) {
    int first = page * PageRun.CHUNKS;
    long newChunk = get(first);
    long left = get(first + PageRun.CHUNKS - 1) - newChunk - (PageRun.CHUNKS - 1);
    if (newChunk == ExceptionTable.NONE || left < 0 || left > 1) {
      return this;
    }
    int leap = 0;
    for (int i = 1; i < PageRun.CHUNKS; i++) {
      long found = get(first + i);
      if (leap == 0 && found == newChunk + i + 1) {
        leap = i;
      } else if (found != newChunk + i + (leap == 0 ? 0 : 1)) {
        return this;
      }
    }
    ExceptionGroup group = copyWithout(page, singles - PageRun.CHUNKS, false, true);
    group.setRun(page, PageRun.of(newChunk, leap));
    return group;
  }

  private ExceptionGroup removeSingles(int key, int count) {
    for (int i = 0; i < count; i++) {
      int slot = slotOf(key + i);
      if (slot < 0) {
        throw new IllegalStateException("chunk %d has no exception".formatted(chunk(key + i)));
      }
      KEYS.setRelease(keys, slot, GONE);
    }
    singles -= count;
    boolean isTooLarge = keys.length > MIN_SLOTS && keys.length > SLOTS_PER_EXCEPTION * singles;
    return isTooLarge ? copyWithout(NO_PAGE, singles, false, false) : this;
  }

  /** What is left of the page are single exceptions. */
  private ExceptionGroup removeFromRun(int key, int count) {
    int page = page(key);
    if (count == PageRun.CHUNKS) {
      setRun(page, 0);
      return this;
    }
    long run = run(page);
    boolean isWide = isWide(PageRun.newChunk(run, PageRun.CHUNKS - 1));
    ExceptionGroup group = copyWithout(page, singles + PageRun.CHUNKS - count, isWide, false);
    for (int i = 0; i < PageRun.CHUNKS; i++) {
      if (i < index(key) || i >= index(key) + count) {
        group.add(page * PageRun.CHUNKS + i, PageRun.newChunk(run, i));
      }
    }
    return group;
  }

  /**
   * A group with the exceptions of this one, except those of a page.
   *
   * @param room for how many single exceptions
   * @param isWide whether it shall take chunks of the store from 2^32 on; one that does goes on
   * @param hasRuns the same for runs
   */
  private ExceptionGroup copyWithout(int page, int room, boolean isWide, boolean hasRuns) {
    ExceptionGroup copy =
        new ExceptionGroup(
            number,
            Math.max(MIN_SLOTS, 2 * room),
            isWide || highBits != null,
            hasRuns || runs != null);
    for (int i = 0; runs != null && i < PAGES; i++) {
      if (i != page && runs[i] != 0) {
        copy.setRun(i, runs[i]);
      }
    }
    for (int slot = 0; slot < keys.length; slot++) {
      char code = keys[slot];
      if (code != EMPTY && code != GONE && page(code - 1) != page) {
        copy.add(code - 1, newChunk(slot));
      }
    }
    return copy;
  }

  /** G1: the chunk of the store, then the key. */
  private void add(int key, long newChunk) {
    char code = (char) (key + 1);
    int slot = home(code);
    while (keys[slot] != EMPTY) {
      slot = after(slot);
    }
    lowBits[slot] = (int) newChunk;
    if (highBits != null) {
      highBits[slot] = (int) (newChunk >>> Integer.SIZE);
    }
    int page = page(key);
    WORDS.setRelease(singlePages, page / Long.SIZE, singlePages[page / Long.SIZE] | 1L << page);
    KEYS.setRelease(keys, slot, code);
    usedSlots++;
    singles++;
  }

  private void setRun(int page, long run) {
    if (runs == null) {
      throw new IllegalStateException("group %d has no runs".formatted(number));
    }
    WORDS.setRelease(runs, page, run);
  }

  private long chunk(int key) {
    return (number << CHUNKS_LOG2) + key;
  }

  private static boolean isWide(long newChunk) {
    return newChunk >>> Integer.SIZE != 0;
  }

  private static int page(int key) {
    return key / PageRun.CHUNKS;
  }

  private static int index(int key) {
    return key % PageRun.CHUNKS;
  }
}
