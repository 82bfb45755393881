package oxbow.target.snapshot;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;

/**
 * Numbers to numbers, by open addressing in one array: 8 bytes for an entry while keys and values
 * have 32 bits, 16 from then on. One writer at a time, readers without a lock.
 *
 * <p>A slot that has been given to a key keeps it and its value until the array is replaced, also
 * when the entry has been removed: so a reader that has seen a key finds its value, and no other's.
 * An array is filled before it is published; one that has been replaced does not change any more.
 */
final class ChunkMap {
  static final long NONE = -1;

  private static final long EMPTY = -1;
  private static final long REMOVED = -2;
  private static final long MOST_NARROW = 0xFFFF_FFFEL;
  private static final int FIRST_SLOTS = 16;
  private static final VarHandle WORD = MethodHandles.arrayElementVarHandle(long[].class);

  /** The entries: one word each, key above value, or two. */
  private record Slots(long[] words, boolean isWide) {
    int count() {
      return isWide ? words.length / 2 : words.length;
    }
  }

  private volatile Slots slots = slots(FIRST_SLOTS, false);

  /** Slots that are not empty, removed entries among them. */
  private int used;

  private int size;

  private static Slots slots(int count, boolean isWide) {
    long[] words = new long[isWide ? 2 * count : count];
    Arrays.fill(words, EMPTY);
    return new Slots(words, isWide);
  }

  /** The value of a key, or {@link #NONE}. */
  long get(long key) {
    Slots now = slots;
    int mask = now.count() - 1;
    for (int slot = hash(key) & mask; ; slot = (slot + 1) & mask) {
      if (now.isWide) {
        long found = (long) WORD.getAcquire(now.words, 2 * slot);
        if (found == key) {
          return now.words[2 * slot + 1];
        }
        if (found == EMPTY) {
          return NONE;
        }
      } else {
        long found = (long) WORD.getAcquire(now.words, slot);
        if (found == EMPTY) {
          return NONE;
        }
        if (found >>> Integer.SIZE == key && found != REMOVED) {
          return found & 0xFFFF_FFFFL;
        }
      }
    }
  }

  /** Adds an entry; the key has none. */
  void put(long key, long value) {
    boolean isTooWide = !slots.isWide && (key >= MOST_NARROW || value >= MOST_NARROW);
    if (isTooWide || 4L * (used + 1) > 3L * slots.count()) {
      replace(slots.isWide || isTooWide);
    }
    insert(slots, key, value);
    used++;
    size++;
  }

  private static void insert(Slots into, long key, long value) {
    int mask = into.count() - 1;
    int slot = hash(key) & mask;
    if (into.isWide) {
      while (into.words[2 * slot] != EMPTY) {
        slot = (slot + 1) & mask;
      }
      into.words[2 * slot + 1] = value;
      WORD.setRelease(into.words, 2 * slot, key);
    } else {
      while (into.words[slot] != EMPTY) {
        slot = (slot + 1) & mask;
      }
      WORD.setRelease(into.words, slot, key << Integer.SIZE | value);
    }
  }

  /** Removed entries are left behind. */
  private void replace(boolean isWide) {
    Slots before = slots;
    int count = FIRST_SLOTS;
    while (3L * count < 8L * size) {
      count = Math.multiplyExact(count, 2);
    }
    Slots after = slots(count, isWide);
    for (int slot = 0; slot < before.count(); slot++) {
      long word = before.words[before.isWide ? 2 * slot : slot];
      if (word == EMPTY || word == REMOVED) {
        continue;
      }
      if (before.isWide) {
        insert(after, word, before.words[2 * slot + 1]);
      } else {
        insert(after, word >>> Integer.SIZE, word & 0xFFFF_FFFFL);
      }
    }
    slots = after;
    used = size;
  }

  /** Removes an entry; it is there. */
  void remove(long key) {
    Slots now = slots;
    int mask = now.count() - 1;
    for (int slot = hash(key) & mask; ; slot = (slot + 1) & mask) {
      int at = now.isWide ? 2 * slot : slot;
      long word = now.words[at];
      if (word == EMPTY) {
        throw new IllegalStateException("no entry for " + key);
      }
      boolean isFound = now.isWide ? word == key : word >>> Integer.SIZE == key && word != REMOVED;
      if (isFound) {
        WORD.setRelease(now.words, at, REMOVED);
        size--;
        return;
      }
    }
  }

  private static int hash(long key) {
    long mixed = key * 0x9E37_79B9_7F4A_7C15L;
    return (int) (mixed >>> Integer.SIZE);
  }

  long allocatedBytes() {
    return (long) Long.BYTES * slots.words.length;
  }
}
