package oxbow.nbd.client;

import org.jspecify.annotations.Nullable;
import oxbow.nbd.wire.Nbd;

/**
 * The commands in flight on one connection and the cookies they go by. A cookie is the slot's index
 * below and a running number above, so finding takes no search, and a reply that comes twice or too
 * late names no command instead of the slot's next one. No allocation.
 */
final class SlotTable {
  private static final int INDEX_BITS = 16;
  private static final int INDEX_MASK = (1 << INDEX_BITS) - 1;

  private final @Nullable Command[] commands;
  private final int[] free;
  private int freeCount;
  private long sequence;

  /**
   * @param capacity 1 to 65536
   */
  SlotTable(int capacity) {
    if (capacity < 1 || capacity > 1 << INDEX_BITS) {
      throw new IllegalArgumentException("a table of " + capacity + " slots");
    }
    commands = new Command[capacity];
    free = new int[capacity];
    for (int i = 0; i < capacity; i++) {
      free[i] = capacity - 1 - i; // Low slots first: they stay in the cache.
    }
    freeCount = capacity;
  }

  boolean isFull() {
    return freeCount == 0;
  }

  int count() {
    return commands.length - freeCount;
  }

  /** Whether a command that changes data, or promises that changes last, is in a slot. */
  boolean hasChanges() {
    for (Command command : commands) {
      if (command != null && command.type() != Nbd.CMD_READ) {
        int type = command.type();
        if (type != Nbd.CMD_CACHE && type != Nbd.CMD_BLOCK_STATUS) {
          return true;
        }
      }
    }
    return false;
  }

  /** Puts a command in a slot and gives it its cookie. */
  void add(Command command) {
    int index = free[--freeCount];
    commands[index] = command;
    command.cookie = ++sequence << INDEX_BITS | index;
  }

  /** The command that goes by this name; null when there is none. */
  @Nullable Command find(long cookie) {
    int index = (int) (cookie & INDEX_MASK);
    Command command = index < commands.length ? commands[index] : null;
    return command != null && command.cookie == cookie ? command : null;
  }

  /** Frees the slot of a command that is in the table. */
  void remove(Command command) {
    int index = (int) (command.cookie & INDEX_MASK);
    if (commands[index] != command) {
      throw new IllegalStateException(command + " is not in the table");
    }
    commands[index] = null;
    free[freeCount++] = index;
  }

  /** Removes and returns some command; null when the table is empty. */
  @Nullable Command removeAny() {
    for (Command command : commands) {
      if (command != null) {
        remove(command);
        return command;
      }
    }
    return null;
  }
}
