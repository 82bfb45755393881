package oxbow.target;

import java.util.List;
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

  /**
   * Decides from memory alone where a request goes. Does not block, allocate or lock.
   *
   * @param lengthBytes at least 1, except for FLUSH, which is always queued
   */
  void map(Operation operation, long offsetBytes, long lengthBytes, int flags, Mapping answer);

  /**
   * Tells from memory alone which device holds what a read of a range would find: {@link #map} of a
   * read, unless reads have effects beside their answer.
   */
  default void locate(long offsetBytes, long lengthBytes, Mapping answer) {
    map(Operation.READ, offsetBytes, lengthBytes, 0, answer);
  }

  /** Takes over a piece that was mapped to queue. */
  void queue(Piece piece, Moment now, Effects out);

  /** A job has ended. */
  void ended(Job job, int errno, Moment now, Effects out);

  /** Called once per second while resumed. */
  void everySecond(Moment now, Effects out);

  /** Called at times asked for with {@link Effects#wakeAt}. */
  void wake(Moment now, Effects out);

  /** Stops starting work of its own and, once quiet, commits; ends in {@link #isSuspended}. */
  void suspend(Moment now, Effects out);

  /** Whether everything that suspend began has ended. */
  boolean isSuspended();

  /** Whether a commit would change anything on disk (M4). Any thread. */
  boolean hasUncommittedChanges();

  /** Begins or goes on. */
  void resume(Moment now, Effects out);

  /** A message in words; an answer may be empty. */
  String message(List<String> words, Moment now, Effects out) throws MessageException;

  /** What follows the target's name in a status line; called under the owner's lock. */
  String status();

  /** What follows the target's name in a table line. */
  String table();

  /** Releases what the target itself holds (metadata); after suspend. The devices are not its. */
  @Override
  void close();
}
