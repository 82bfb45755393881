package oxbow.mapped;

import java.util.List;
import oxbow.block.BlockDevice;
import oxbow.block.Limits;
import oxbow.block.Operation;
import oxbow.target.Effects;
import oxbow.target.Job;
import oxbow.target.Mapping;
import oxbow.target.MessageException;
import oxbow.target.Moment;
import oxbow.target.Piece;
import oxbow.target.Target;
import oxbow.target.TaskPlace;

/** A target with a mistake in it: throws when it comes to the place that the test has chosen. */
final class FaultyTarget implements Target {
  /** Where it throws. */
  enum Place {
    NOWHERE,
    MAP,
    QUEUE,
    /** After the target has decided, before its decision is carried out. */
    QUEUED,
    ENDED,
    TICK,
    SUSPEND
  }

  private final Target target;
  private volatile Place place = Place.NOWHERE;

  FaultyTarget(Target target) {
    this.target = target;
  }

  void throwAt(Place where) {
    place = where;
  }

  private void pass(Place here) {
    if (here == place) {
      throw new IllegalStateException("a mistake in " + here);
    }
  }

  @Override
  public void map(
      Operation operation, long offsetBytes, long lengthBytes, int flags, Mapping answer) {
    pass(Place.MAP);
    target.map(operation, offsetBytes, lengthBytes, flags, answer);
  }

  @Override
  public void queue(Piece piece, Moment now, Effects out) {
    pass(Place.QUEUE);
    target.queue(piece, now, out);
    pass(Place.QUEUED);
  }

  @Override
  public void ended(Job job, int errno, Moment now, Effects out) {
    pass(Place.ENDED);
    target.ended(job, errno, now, out);
  }

  @Override
  public void everySecond(Moment now, Effects out) {
    pass(Place.TICK);
    target.everySecond(now, out);
  }

  @Override
  public void suspend(Moment now, Effects out) {
    pass(Place.SUSPEND);
    target.suspend(now, out);
  }

  @Override
  public void wake(Moment now, Effects out) {
    target.wake(now, out);
  }

  @Override
  public void resume(Moment now, Effects out) {
    target.resume(now, out);
  }

  @Override
  public String typeName() {
    return target.typeName();
  }

  @Override
  public long lengthBytes() {
    return target.lengthBytes();
  }

  @Override
  public Limits limits() {
    return target.limits();
  }

  @Override
  public List<BlockDevice> devices() {
    return target.devices();
  }

  @Override
  public String role(int slot) {
    return target.role(slot);
  }

  @Override
  public TaskPlace taskPlace() {
    return target.taskPlace();
  }

  @Override
  public boolean isSuspended() {
    return target.isSuspended();
  }

  @Override
  public boolean hasUncommittedChanges() {
    return target.hasUncommittedChanges();
  }

  @Override
  public String message(List<String> words, Moment now, Effects out) throws MessageException {
    return target.message(words, now, out);
  }

  @Override
  public String status() {
    return target.status();
  }

  @Override
  public String table() {
    return target.table();
  }

  @Override
  public void close() {
    target.close();
  }
}
