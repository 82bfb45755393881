package oxbow.engine;

import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockRequest;
import oxbow.block.Errno;
import oxbow.block.Flags;

/**
 * A fixed number of daemon threads over two queues: what users wait for, first, and {@link
 * Flags#BULK}, which never takes the last threads. Queues are linked through {@link
 * BlockRequest#next}; nothing is allocated for a request.
 *
 * <p>No thread is ever interrupted, since that would close files under the others.
 */
public final class WorkerDiskPool implements DiskPool, AutoCloseable {
  public static final int DEFAULT_THREADS = 16;

  /** Threads that bulk requests leave free, where there are more than so many. */
  private static final int RESERVED_THREADS = 4;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition workArrived = lock.newCondition();
  private final Queue prompt = new Queue();
  private final Queue bulk = new Queue();
  private final Worker[] workers;
  private final int maxBulkRunning;

  // Guarded by lock.
  private int bulkRunning;
  private int sleepers;
  private boolean isClosed;

  public WorkerDiskPool() {
    this(DEFAULT_THREADS);
  }

  /**
   * @param threads at least 1; they live until {@link #close}
   */
  public WorkerDiskPool(int threads) {
    if (threads < 1) {
      throw new IllegalArgumentException("a disk pool needs at least one thread: " + threads);
    }
    maxBulkRunning = Math.max(1, threads - RESERVED_THREADS);
    workers = new Worker[threads];
    for (int i = 0; i < threads; i++) {
      workers[i] = new Worker(i);
    }
    for (Worker worker : workers) {
      worker.start();
    }
  }

  /** After {@link #close}, completes the request with ESHUTDOWN at once. */
  @Override
  public void submit(BlockRequest request, Work work) {
    Worker worker = currentWorker();
    if (worker != null && worker.mayWaitForRequests()) {
      worker.execute(request, work);
      return;
    }
    request.owner = work;
    if (!enqueue(request)) {
      request.complete(Errno.ESHUTDOWN);
    }
  }

  private boolean enqueue(BlockRequest request) {
    lock.lock();
    try {
      if (isClosed) {
        return false;
      }
      (isBulk(request) ? bulk : prompt).append(request);
      if (sleepers > 0) {
        workArrived.signal();
      }
      return true;
    } finally {
      lock.unlock();
    }
  }

  private static boolean isBulk(BlockRequest request) {
    return (request.flags() & Flags.BULK) != 0;
  }

  @Override
  public boolean isCurrent() {
    return currentWorker() != null;
  }

  private @Nullable Worker currentWorker() {
    return Thread.currentThread() instanceof Worker worker && worker.pool() == this ? worker : null;
  }

  /** Waits for work; null when the pool is closed and all work done. */
  private @Nullable BlockRequest take(boolean hasFinishedBulk) {
    lock.lock();
    try {
      if (hasFinishedBulk) {
        bulkRunning--;
      }
      while (true) {
        if (!prompt.isEmpty()) {
          return prompt.remove();
        }
        if (!bulk.isEmpty() && bulkRunning < maxBulkRunning) {
          bulkRunning++;
          return bulk.remove();
        }
        if (isClosed && bulk.isEmpty()) {
          workArrived.signalAll();
          return null;
        }
        sleepers++;
        workArrived.awaitUninterruptibly();
        sleepers--;
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * Lets everything queued be done, then ends the threads and waits for them. Requests that come
   * meanwhile or later fail with ESHUTDOWN. Not to be called on a pool thread.
   */
  @Override
  public void close() {
    if (isCurrent()) {
      throw new IllegalStateException("a disk pool cannot wait for its own thread to end");
    }
    lock.lock();
    try {
      isClosed = true;
      workArrived.signalAll();
    } finally {
      lock.unlock();
    }
    for (Worker worker : workers) {
      joinUninterruptibly(worker);
    }
  }

  private static void joinUninterruptibly(Thread thread) {
    boolean wasInterrupted = false;
    while (true) {
      try {
        thread.join();
        break;
      } catch (InterruptedException e) {
        wasInterrupted = true;
      }
    }
    if (wasInterrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** First in, first out, linked through the requests themselves. Guarded by lock. */
  private static final class Queue {
    private @Nullable BlockRequest head;
    private @Nullable BlockRequest tail;

    boolean isEmpty() {
      return head == null;
    }

    void append(BlockRequest request) {
      request.next = null;
      if (tail == null) {
        head = request;
      } else {
        tail.next = request;
      }
      tail = request;
    }

    @Nullable BlockRequest remove() {
      BlockRequest first = head;
      if (first != null) {
        head = first.next;
        first.next = null;
        if (head == null) {
          tail = null;
        }
      }
      return first;
    }
  }

  private final class Worker extends Thread {
    /** The work that this thread is inside of; touched by this thread only. */
    private @Nullable Work innermost;

    Worker(int index) {
      super("oxbow-disk-" + index);
      setDaemon(true);
    }

    boolean mayWaitForRequests() {
      Work work = innermost;
      return work != null && work.mayWaitForRequests();
    }

    WorkerDiskPool pool() {
      return WorkerDiskPool.this;
    }

    @Override
    public void run() {
      boolean hasFinishedBulk = false;
      for (BlockRequest request = take(false); request != null; request = take(hasFinishedBulk)) {
        hasFinishedBulk = isBulk(request);
        if (!(request.owner instanceof Work work)) {
          throw new AssertionError("queued without work: " + request);
        }
        try {
          execute(request, work);
        } catch (RuntimeException | Error brokenWork) {
          // One broken request must not take the thread from all others.
          getUncaughtExceptionHandler().uncaughtException(this, brokenWork);
        }
      }
    }

    void execute(BlockRequest request, Work work) {
      Work outer = innermost;
      innermost = work;
      try {
        work.execute(request);
      } finally {
        innermost = outer;
      }
    }
  }
}
