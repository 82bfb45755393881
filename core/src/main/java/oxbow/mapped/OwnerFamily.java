package oxbow.mapped;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import oxbow.target.Family;

/**
 * What the owners of a family share: the lock under which their cores are entered, the queue of
 * effects of each thread, and the fault that ends them all. A target without family has one alone.
 */
final class OwnerFamily {
  final ReentrantLock lock = new ReentrantLock();

  /** Signalled after each event of any member. */
  final Condition changed = lock.newCondition();

  private final ThreadLocal<EffectQueue> queue = ThreadLocal.withInitial(EffectQueue::new);
  private final List<Owner> members = new CopyOnWriteArrayList<>();

  /** Why no target of the family is asked any more; set once, under the lock. */
  private volatile @Nullable String fault;

  private OwnerFamily() {}

  /** The one of a family, made when first asked for; or one for a target alone. */
  static OwnerFamily of(@Nullable Family family) {
    if (family == null) {
      return new OwnerFamily();
    }
    synchronized (family) {
      if (family.frame instanceof OwnerFamily known) {
        return known;
      }
      OwnerFamily made = new OwnerFamily();
      family.frame = made;
      return made;
    }
  }

  void add(Owner member) {
    members.add(member);
  }

  void remove(Owner member) {
    members.remove(member);
  }

  List<Owner> members() {
    return members;
  }

  /** The calling thread's. */
  EffectQueue queue() {
    return queue.get();
  }

  @Nullable String fault() {
    return fault;
  }

  /** The lock is held. */
  void setFault(String why) {
    fault = why;
  }
}
