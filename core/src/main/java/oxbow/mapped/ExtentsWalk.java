package oxbow.mapped;

import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import oxbow.block.Errno;
import oxbow.block.Extents;
import oxbow.target.Mapping;
import oxbow.target.Target;

/**
 * Answers how a mapped device is allocated: each run that a read would send to one device is that
 * device's to describe. Runs follow each other in a loop, whether answers come at once or later.
 */
final class ExtentsWalk implements Extents {
  private final Target target;
  private final List<Underlying> devices;
  private final Extents receiver;
  private final Consumer<RuntimeException> whenBroken;
  private final Mapping mapping = new Mapping();
  private final AtomicInteger dueSteps = new AtomicInteger();
  private long atBytes;
  private final long endBytes;
  private int extentsLeft;
  private long runStartBytes;
  private long runEndBytes;
  private boolean hasAny;
  private int errno;

  /** What the question in flight is counted in. */
  private Outstanding.@Nullable Interval interval;

  /**
   * @param whenBroken told when the target throws; the question then ends with an error
   */
  ExtentsWalk(
      Target target,
      List<Underlying> devices,
      long offsetBytes,
      long lengthBytes,
      int maxExtents,
      Extents receiver,
      Consumer<RuntimeException> whenBroken) {
    this.target = target;
    this.devices = devices;
    this.atBytes = offsetBytes;
    this.endBytes = offsetBytes + lengthBytes;
    this.extentsLeft = maxExtents;
    this.receiver = receiver;
    this.whenBroken = whenBroken;
  }

  void next() {
    if (dueSteps.getAndIncrement() > 0) {
      return;
    }
    do {
      askNext();
    } while (dueSteps.decrementAndGet() > 0);
  }

  private void askNext() {
    if (errno != Errno.OK || atBytes == endBytes || extentsLeft == 0) {
      receiver.end(hasAny ? Errno.OK : errno);
      return;
    }
    try {
      target.locate(atBytes, endBytes - atBytes, mapping);
    } catch (RuntimeException broken) {
      whenBroken.accept(broken);
      receiver.end(Errno.EIO);
      return;
    }
    if (!mapping.isRemap()) {
      // What cannot be told from memory is data: true of everything.
      extent(mapping.lengthBytes(), 0);
      next();
      return;
    }
    runStartBytes = atBytes;
    runEndBytes = atBytes + mapping.lengthBytes();
    Underlying below = devices.get(mapping.slot());
    interval = below.enter();
    below.device().extents(mapping.offsetBytes(), mapping.lengthBytes(), extentsLeft, this);
  }

  @Override
  public void extent(long lengthBytes, int state) {
    hasAny = true;
    extentsLeft--;
    atBytes += lengthBytes;
    receiver.extent(lengthBytes, state);
  }

  @Override
  public void end(int result) {
    Outstanding.Interval asked = Objects.requireNonNull(interval);
    interval = null;
    asked.ended();
    // A device may tell less than its run: the next question begins where it stopped.
    boolean isLawful = result != Errno.OK || (atBytes > runStartBytes && atBytes <= runEndBytes);
    errno = isLawful ? result : Errno.EIO;
    next();
  }
}
