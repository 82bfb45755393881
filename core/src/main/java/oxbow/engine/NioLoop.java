package oxbow.engine;

import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.PriorityQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * An event loop over a {@link Selector}. Fields without a remark are used by the loop's thread
 * only.
 *
 * <p>Wake-ups: the loop writes ASLEEP, then looks at {@link #posted} once more before it waits; who
 * posts first puts the task there, then looks for ASLEEP. Whatever the order, one of the two sees
 * the other, so no task is left lying; and whoever turns ASLEEP into AWAKE pays for the only
 * wake-up call of that sleep.
 *
 * <p>Sleeping and waking cost both ends more than a short wait does. After a turn that had work the
 * loop therefore looks out for more a little longer, no longer than that cost.
 */
final class NioLoop implements EventLoop, Runnable {
  private static final long MAX_IDLE_BUFFER_BYTES = 96L << 20;
  private static final long LOOK_OUT_NANOS = 10_000;
  private static final int AWAKE = 0;
  private static final int ASLEEP = 1;
  private static final VarHandle POSTED;
  private static final VarHandle STATE;

  static {
    try {
      MethodHandles.Lookup lookup = MethodHandles.lookup();
      POSTED = lookup.findVarHandle(NioLoop.class, "posted", LoopTask.class);
      STATE = lookup.findVarHandle(NioLoop.class, "state", int.class);
    } catch (ReflectiveOperationException impossible) {
      throw new ExceptionInInitializerError(impossible);
    }
  }

  /** Whoever waits for a channel to become ready. */
  interface Ready {
    void ready(int readyOps);

    /** The channel is of no use any more: the loop ends, or its handler has failed. */
    void abandon(String why);
  }

  private final Selector selector;
  private final Thread thread;
  private final Consumer<Throwable> faults;
  private final BufferPool buffers = new BufferPool(MAX_IDLE_BUFFER_BYTES);
  private final Consumer<SelectionKey> onReady = this::ready;
  private final PriorityQueue<LoopTimer> timers = new PriorityQueue<>();

  /**
   * Tasks from other threads, the newest first; pushed by anyone, taken all at once by the loop.
   */
  private volatile @Nullable LoopTask posted;

  private volatile int state = AWAKE;
  private volatile boolean isClosing;

  /** Whether a stream was served since the loop last slept. */
  private boolean hasServed;

  /** Tasks from the loop itself, the oldest first. */
  private @Nullable LoopTask firstOwn;

  private @Nullable LoopTask lastOwn;

  /**
   * @param faults told what a handler or task threw; the loop goes on
   */
  NioLoop(String name, Consumer<Throwable> faults) throws IOException {
    this.selector = Selector.open();
    this.faults = faults;
    this.thread = Thread.ofPlatform().name(name).daemon().unstarted(this);
  }

  void start() {
    thread.start();
  }

  @Override
  public boolean isCurrent() {
    return Thread.currentThread() == thread;
  }

  @Override
  public BufferPool buffers() {
    return buffers;
  }

  @Override
  public void execute(Runnable task) {
    post(
        new LoopTask() {
          @Override
          protected void run() {
            task.run();
          }
        });
  }

  @Override
  public void post(LoopTask task) {
    if (!task.markPosted()) {
      return;
    }
    if (isCurrent()) {
      appendOwn(task);
      return;
    }
    LoopTask head;
    do {
      head = posted;
      task.next = head;
    } while (!POSTED.compareAndSet(this, head, task));
    if (state == ASLEEP && STATE.compareAndSet(this, ASLEEP, AWAKE)) {
      selector.wakeup();
    }
  }

  @Override
  public Timer after(long delayNanos, Runnable task) {
    LoopTimer timer = new LoopTimer(System.nanoTime() + delayNanos, task);
    if (isCurrent()) {
      timers.add(timer);
    } else {
      execute(() -> timers.add(timer));
    }
    return timer;
  }

  @Override
  public void connect(SocketAddress to, Connector connector) {
    execute(() -> startConnecting(to, connector));
  }

  private void startConnecting(SocketAddress to, Connector connector) {
    SocketChannel channel = null;
    try {
      if (to instanceof InetSocketAddress inet && inet.isUnresolved()) {
        throw new IOException("unknown host " + inet.getHostString());
      }
      channel =
          to instanceof UnixDomainSocketAddress
              ? SocketChannel.open(StandardProtocolFamily.UNIX)
              : SocketChannel.open();
      channel.configureBlocking(false);
      new NioStream(this, channel, to.toString()).connect(to, connector);
    } catch (IOException | IllegalArgumentException | UnsupportedOperationException e) {
      closeQuietly(channel);
      connector.failed(e instanceof IOException io ? io : new IOException(e.getMessage(), e));
    }
  }

  SelectionKey register(SelectableChannel channel, int ops, Ready ready) throws IOException {
    return channel.register(selector, ops, ready);
  }

  /** Closes all streams, then ends; from any thread. */
  void close() {
    isClosing = true;
    state = AWAKE;
    selector.wakeup();
  }

  /**
   * Waits until the loop has made a turn, after which sockets closed before are really closed; or
   * until it has ended. Not on the loop.
   */
  void awaitTurn() {
    CountDownLatch turned = new CountDownLatch(1);
    // A task of the loop's own runs in the next turn, hence behind a whole select.
    execute(() -> execute(turned::countDown));
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        if (turned.await(50, TimeUnit.MILLISECONDS)) {
          break;
        }
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Waits for the end of the loop's thread. */
  void join() throws InterruptedException {
    thread.join();
  }

  @Override
  public void run() {
    try (selector) {
      while (!isClosing) {
        select();
        runPosted();
        runTimers();
      }
      runPosted(); // Streams that are being opened, so that they are closed too.
      for (SelectionKey key : selector.keys()) {
        ((Ready) key.attachment()).abandon("the engine was closed");
      }
      runPosted(); // The streams' last words.
    } catch (IOException e) {
      faults.accept(e);
    }
  }

  private void select() throws IOException {
    if (firstOwn != null) {
      selector.selectNow(onReady);
      return;
    }
    if (hasServed) {
      if (lookOut()) {
        return;
      }
      hasServed = false;
    }
    long timeoutMillis = millisToNextTimer();
    state = ASLEEP;
    if (posted != null || isClosing || timeoutMillis == 0) {
      selector.selectNow(onReady);
    } else {
      selector.select(onReady, Math.max(0, timeoutMillis));
    }
    state = AWAKE;
  }

  /** Waits awake for a short while; whether there is work. */
  private boolean lookOut() throws IOException {
    long end = System.nanoTime() + LOOK_OUT_NANOS;
    do {
      if (selector.selectNow(onReady) > 0 || posted != null || isClosing) {
        return true;
      }
      Thread.onSpinWait();
    } while (System.nanoTime() - end < 0);
    return false;
  }

  private void ready(SelectionKey key) {
    hasServed = true;
    if (!key.isValid()) {
      return; // Closed by another handler in this turn.
    }
    Ready ready = (Ready) key.attachment();
    try {
      ready.ready(key.readyOps());
    } catch (Throwable fault) {
      faults.accept(fault);
      ready.abandon("internal error: " + fault);
    }
  }

  /** Runs what is posted now; what these tasks post waits for the next turn. */
  private void runPosted() {
    LoopTask own = firstOwn;
    firstOwn = null;
    lastOwn = null;
    runAll(own);
    if (posted != null) {
      runAll(reversed((LoopTask) POSTED.getAndSet(this, null)));
    }
  }

  private void runAll(@Nullable LoopTask first) {
    LoopTask task = first;
    while (task != null) {
      LoopTask following = task.next; // The task may be posted again as soon as it begins.
      task.next = null;
      try {
        task.begin();
      } catch (Throwable fault) {
        faults.accept(fault);
      }
      task = following;
    }
  }

  private static @Nullable LoopTask reversed(@Nullable LoopTask newestFirst) {
    LoopTask oldestFirst = null;
    LoopTask task = newestFirst;
    while (task != null) {
      LoopTask following = task.next;
      task.next = oldestFirst;
      oldestFirst = task;
      task = following;
    }
    return oldestFirst;
  }

  private void appendOwn(LoopTask task) {
    LoopTask last = lastOwn;
    if (last == null) {
      firstOwn = task;
    } else {
      last.next = task;
    }
    lastOwn = task;
  }

  /** How long to wait; -1 without timers. */
  private long millisToNextTimer() {
    LoopTimer first = timers.peek();
    while (first != null && first.isCancelled) {
      timers.poll();
      first = timers.peek();
    }
    if (first == null) {
      return -1;
    }
    long nanos = first.atNanos - System.nanoTime();
    return nanos <= 0 ? 0 : TimeUnit.NANOSECONDS.toMillis(nanos) + 1;
  }

  private void runTimers() {
    if (timers.isEmpty()) {
      return;
    }
    long now = System.nanoTime();
    for (LoopTimer timer = timers.peek();
        timer != null && (timer.isCancelled || timer.atNanos - now <= 0);
        timer = timers.peek()) {
      timers.poll();
      if (!timer.isCancelled) {
        try {
          timer.task.run();
        } catch (Throwable fault) {
          faults.accept(fault);
        }
      }
    }
  }

  void fault(Throwable fault) {
    faults.accept(fault);
  }

  static void closeQuietly(@Nullable AutoCloseable channel) {
    if (channel != null) {
      try {
        channel.close();
      } catch (Exception e) {
        // The socket is given up; there is nobody left to whom its last error would matter.
        assert !(e instanceof RuntimeException) : e;
      }
    }
  }

  private static final class LoopTimer implements Timer, Comparable<LoopTimer> {
    private final long atNanos;
    private final Runnable task;
    private volatile boolean isCancelled;

    LoopTimer(long atNanos, Runnable task) {
      this.atNanos = atNanos;
      this.task = task;
    }

    @Override
    public void cancel() {
      isCancelled = true;
    }

    @Override
    public int compareTo(LoopTimer other) {
      return Long.signum(atNanos - other.atNanos);
    }
  }
}
