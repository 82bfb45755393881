package oxbow.target;

import java.util.List;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockDevice;
import oxbow.block.Limits;
import oxbow.block.Operation;

/**
 * A target of one device. {@link #map} may be called by any thread at any time between resume and
 * suspend. All methods that take {@link Effects} enter the core: the frame calls them by one thread
 * at a time, under the owner's lock, and carries the effects out after releasing it.
 */
public interface Target extends AutoCloseable {
  /** The word in the table line. */
  String typeName();

  long lengthBytes();

  Limits limits();

  /** The devices underneath; their indices are the slots of mappings and effects. */
  List<BlockDevice> devices();

  /** What the device in a slot is to the target, for messages: "source". One word. */
  default String role(int slot) {
    return "device";
  }

  /** The targets that it decides together with; null if it is alone. */
  default @Nullable Family family() {
    return null;
  }

  /**
   * The target has become a device. Called once, before anything else, under the family's lock.
   *
   * @param own the effects of this target, for when another of its family calls it: used under the
   *     family's lock only, and carried out by this target's device
   */
  default void attach(Effects own) {}

  /** What the tasks of {@link Effects#flushThen} and {@link Effects#run} work on. */
  default TaskPlace taskPlace() {
    return TaskPlace.NONE;
  }

  /**
   * Decides from memory alone where a request goes. Does not block, allocate or lock.
   *
   * @param lengthBytes at least 1, except for FLUSH, where it is 0
   */
  void map(Operation operation, long offsetBytes, long lengthBytes, int flags, Mapping answer);

  /**
   * Tells where the data of a range lies, for questions about it that are no request (how it is
   * allocated, whether it is in memory). Like {@link #map}; where reads are only kept back, or fail
   * for a while, the answer is that of a read without that. It carries no ticket: a target that
   * tracks reads has an answer of its own.
   */
  default void locate(long offsetBytes, long lengthBytes, Mapping answer) {
    map(Operation.READ, offsetBytes, lengthBytes, 0, answer);
  }

  /**
   * I/O that was sent with a ticket has ended. Any thread, no lock. Does not block. Not called any
   * more once the family has failed.
   *
   * @return whether the core waits for that: then {@link #wake} follows
   */
  default boolean endIo(int ticket) {
    throw new IllegalStateException(typeName() + " gives no tickets");
  }

  /** Takes over a piece that was mapped to queue. */
  default void queue(Piece piece, Moment now, Effects out) {
    throw new IllegalStateException(typeName() + " queues nothing");
  }

  /** A job has ended. */
  default void ended(Job job, int errno, Moment now, Effects out) {
    throw new IllegalStateException(typeName() + " has no jobs");
  }

  /** Called once per second while resumed. */
  default void everySecond(Moment now, Effects out) {}

  /** Called at times asked for with {@link Effects#wakeAt}, and when {@link #endIo} asks for it. */
  default void wake(Moment now, Effects out) {}

  /**
   * A suspend begins: no request comes any more, and those that are there are waited for. What the
   * target keeps back by choice must come out now; a few pieces may still be queued after this.
   */
  default void presuspend(Moment now, Effects out) {}

  /** Stops starting work of its own and, once quiet, commits; ends in {@link #isSuspended}. */
  default void suspend(Moment now, Effects out) {}

  /** Whether everything that suspend began has ended. */
  default boolean isSuspended() {
    return true;
  }

  /** Whether a commit would change anything on disk (M4). Any thread. */
  default boolean hasUncommittedChanges() {
    return false;
  }

  /** Why it cannot be resumed now, in a sentence; null if it can. */
  default @Nullable String resumeProblem() {
    return null;
  }

  /** Begins or goes on. */
  default void resume(Moment now, Effects out) {}

  /**
   * The end begins, after suspend: the target leaves its family, and ends work that it does for
   * others. Called again if that took too long.
   */
  default void remove(Moment now, Effects out) {}

  /** Whether everything that remove waits for has ended; {@link #close} comes after that. */
  default boolean isRemoved() {
    return true;
  }

  /** A message in words; an answer may be empty. */
  default String message(List<String> words, Moment now, Effects out) throws MessageException {
    throw new MessageException("Target type does not support messages");
  }

  /** What follows the target's name in a status line; called under the owner's lock. */
  String status();

  /** What follows the target's name in a table line. */
  String table();

  /**
   * Releases what the target itself holds (metadata); after suspend. The devices are not its.
   * Blocks.
   */
  @Override
  default void close() {}
}
