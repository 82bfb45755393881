package oxbow.device.nbd;

import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockRequest;
import oxbow.block.Errno;
import oxbow.block.Reachability;
import oxbow.block.Reachability.State;
import oxbow.engine.EventLoop;
import oxbow.nbd.client.Command;
import oxbow.nbd.client.Connection;
import oxbow.nbd.client.Export;

/**
 * The one owner of all that an {@link NbdDevice} has on its loop: links, queue, ledger, patience.
 * Each event ends with {@link #pump}, which hands out what can be sent. On the loop only, except
 * where it says otherwise.
 *
 * <p>What a loss of the connection means, by command:
 *
 * <ul>
 *   <li>READ, CACHE, BLOCK_STATUS are asked again; they change nothing.
 *   <li>WRITE, WRITE_ZEROES, TRIM are sent again: done twice they leave what they leave when done
 *       once, and nobody can have overwritten them, since they have not been answered. (One hazard
 *       is the protocol's own: a server that lives on behind a broken network may still carry out
 *       the first copy after a later write to the same place. Nothing on the wire can tell.)
 *   <li>FLUSH is sent again only if that can tell the truth: {@link FlushLedger}.
 * </ul>
 *
 * <p>A connection on which nothing arrives ({@link Silence}) is given up, as if it were lost, but
 * only where that is safe: while none but reading commands are in flight on it, and no written data
 * waits for a flush. Otherwise giving up would either lose a flush that the server may yet answer,
 * or send a WRITE again whose first copy lies in the buffers of a server that is merely stopped: it
 * would be carried out when the server goes on, over whatever was written in between. Such a device
 * counts as away and waits; when the hold is over it fails for good.
 *
 * <p>While there is no connection, one link tries for all, so that a server that comes back is not
 * met by a crowd.
 */
final class Session implements Link.Owner {
  private static final long MAX_LOOK_NANOS = 5_000_000_000L;

  private final EventLoop loop;
  private final NbdOptions options;
  private final NbdState.Listener listener;
  private final Runnable postPump;
  private final List<Link> links = new ArrayList<>();
  private final FlushLedger ledger = new FlushLedger();

  /** The first handshake's result; complete when the device is open, or will never be. */
  private final CompletableFuture<Export> opened = new CompletableFuture<>();

  private final CompletableFuture<Boolean> closed = new CompletableFuture<>();

  /** What the device promised when it opened; null before. */
  private @Nullable Export promised;

  private @Nullable RequestQueue queue;
  private int linksToStop;
  private volatile long wantedHoldNanos;
  private long holdNanos;
  private volatile long silenceNanos;

  /** When the device went away, on the clock of System.nanoTime. */
  private long awaySinceNanos = System.nanoTime();

  /** Whether a connection is silent that must not be given up; only while CONNECTED. */
  private boolean isMute;

  private EventLoop.@Nullable Timer holdTimer;
  private EventLoop.@Nullable Timer silenceTimer;

  /** Whether requests have been held long enough and fail until there is a connection again. */
  private boolean isHoldOver;

  private NbdState.Phase phase = NbdState.Phase.RECONNECTING;
  private Instant since;
  private long failedAttempts;
  private String lastError = "";
  private volatile NbdState state;
  private volatile Reachability reachability;

  /**
   * @param postPump posts {@link #pump} to the loop
   */
  Session(
      ServerAddress server,
      EventLoop loop,
      NbdOptions options,
      NbdState.Listener listener,
      Runnable postPump) {
    this.loop = loop;
    this.options = options;
    this.listener = listener;
    this.postPump = postPump;
    this.wantedHoldNanos = options.holdNanos();
    this.holdNanos = options.holdNanos();
    this.silenceNanos = options.silenceNanos();
    this.since = options.clock().instant();
    for (int i = 0; i < options.connections(); i++) {
      links.add(new Link(server, loop, options, this));
    }
    this.state = newState();
    this.reachability = newReachability();
  }

  CompletableFuture<Export> opened() {
    return opened;
  }

  CompletableFuture<Boolean> closed() {
    return closed;
  }

  /** From any thread. */
  NbdState state() {
    return state;
  }

  /** From any thread. */
  Reachability reachability() {
    return reachability;
  }

  /** Makes the first attempt; its failure fails {@link #opened}. */
  void open() {
    links.getFirst().connect();
  }

  /** Ends what waits with an error, says good-bye, and completes {@link #closed}. */
  void close() {
    if (phase == NbdState.Phase.CLOSED) {
      return;
    }
    enter(NbdState.Phase.CLOSED);
    opened.completeExceptionally(new IOException("closed"));
    publish();
    stopAll(Errno.ESHUTDOWN);
  }

  void add(BlockRequest request) {
    RequestQueue requests = queue;
    int errno = refusal();
    if (errno != Errno.OK || requests == null) {
      request.complete(errno == Errno.OK ? Errno.EIO : errno);
    } else {
      requests.add(request);
    }
  }

  void add(ExtentsQuery query) {
    RequestQueue requests = queue;
    int errno = refusal();
    if (errno != Errno.OK || requests == null) {
      query.fail(errno == Errno.OK ? Errno.EIO : errno);
    } else {
      requests.add(query);
    }
  }

  private int refusal() {
    return switch (phase) {
      case CONNECTED -> Errno.OK;
      case RECONNECTING -> isHoldOver ? Errno.EIO : Errno.OK;
      case FAILED -> Errno.EIO;
      case CLOSED -> Errno.ESHUTDOWN;
    };
  }

  /** From any thread; takes effect with {@link #adoptHold}. */
  void holdNanos(long nanos) {
    wantedHoldNanos = nanos;
  }

  /** From any thread. */
  long holdNanos() {
    return wantedHoldNanos;
  }

  /** From any thread; takes effect with {@link #adoptHold}. */
  void silenceNanos(long nanos) {
    silenceNanos = nanos;
  }

  /** Counts patience anew if it was changed. */
  void adoptHold() {
    long nanos = wantedHoldNanos;
    if (nanos != holdNanos) {
      holdNanos = nanos;
      if (isMute || (phase == NbdState.Phase.RECONNECTING && promised != null)) {
        isHoldOver = false;
        armHoldTimer();
        publish();
      }
    }
  }

  /** Gives each connection what it has room for, the least busy first; one send for each. */
  void pump() {
    RequestQueue requests = queue;
    if (requests == null || phase != NbdState.Phase.CONNECTED) {
      return;
    }
    requests.failLostFlushes();
    boolean isAnySent = true;
    while (isAnySent) {
      Link link = leastBusy(false);
      isAnySent = link != null && sendNext(requests, link);
      if (link != null && !isAnySent && requests.hasFlush()) {
        // The flush that waits may leave on another connection than the least busy one.
        Link carrier = leastBusy(true);
        isAnySent = carrier != null && sendNext(requests, carrier);
      }
    }
    for (Link link : links) {
      Connection connection = link.ready();
      if (connection != null) {
        connection.push();
      }
    }
  }

  private static boolean sendNext(RequestQueue requests, Link link) {
    Connection connection = link.ready();
    Part part = connection == null ? null : requests.next(link.openedAtMark());
    if (connection == null || part == null) {
      return false;
    }
    link.silence().sent(part.silences);
    connection.send(part);
    return true;
  }

  /** The connection with the fewest commands in flight and room for more; null if none has. */
  private @Nullable Link leastBusy(boolean mustCarryFlush) {
    Link best = null;
    int fewest = Integer.MAX_VALUE;
    for (Link link : links) {
      Connection connection = link.ready();
      if (connection != null
          && connection.hasRoom()
          && connection.inFlight() < fewest
          && (!mustCarryFlush || mayCarryFlush(link))) {
        best = link;
        fewest = connection.inFlight();
      }
    }
    return best;
  }

  @Override
  public void ready(Link link, Export export) {
    if (phase == NbdState.Phase.FAILED || phase == NbdState.Phase.CLOSED) {
      return; // It is being stopped.
    }
    Export before = promised;
    if (before == null) {
      firstReady(export);
    } else {
      String why = export.whyNotInsteadOf(before);
      if (why.isEmpty() && links.size() > 1 && !export.canMultiConnect()) {
        why = "a flush of the export no longer covers all connections";
      }
      if (!why.isEmpty()) {
        failForGood(why);
        return;
      }
    }
    link.openedAtMark(ledger.mark());
    boolean isFirst = phase != NbdState.Phase.CONNECTED;
    if (isFirst) {
      enter(NbdState.Phase.CONNECTED);
      failedAttempts = 0;
      isHoldOver = false;
      cancelHoldTimer();
      for (Link other : links) {
        if (other.isParked()) {
          other.connect();
        }
      }
    }
    publish();
    opened.complete(export);
    pump();
  }

  private void firstReady(Export export) {
    promised = export;
    int wanted = export.canMultiConnect() ? links.size() : 1;
    links.subList(wanted, links.size()).clear();
    int maxParts = wanted * options.inFlightPerConnection();
    queue = new RequestQueue(export, ledger, maxParts, postPump);
    listen();
  }

  /** Looks at all connections now and then, until the device is closed or fails. */
  private void listen() {
    long limit = silenceNanos;
    if (phase == NbdState.Phase.CONNECTED) {
      lookForSilence(limit);
    }
    if (phase != NbdState.Phase.FAILED && phase != NbdState.Phase.CLOSED) {
      silenceTimer = loop.after(Math.clamp(limit / 8, 1_000_000, MAX_LOOK_NANOS), this::listen);
    }
  }

  /** The limit has changed, and so has how often to look. */
  void listenAnew() {
    EventLoop.Timer running = silenceTimer;
    if (running != null) {
      running.cancel();
      listen();
    }
  }

  private void lookForSilence(long limitNanos) {
    long now = System.nanoTime();
    Silence longest = null;
    for (Link link : links) {
      Connection connection = link.ready();
      if (connection != null) {
        Silence silence = link.silence();
        silence.look(connection.signsOfLife(), connection.inFlight() > 0, now);
        boolean isLongest = longest == null || silence.sinceNanos() - longest.sinceNanos() < 0;
        if (isLongest && silence.isOver(limitNanos, now)) {
          longest = silence;
        }
      }
    }
    boolean wasMute = isMute;
    isMute = longest != null && !giveUpSilent(longest, now);
    if (isMute != wasMute) {
      muteChanged(longest, now);
    }
  }

  /**
   * Gives up all connections on which the server has shown no life since a silence began.
   *
   * @return false when one of them must be kept and no other connection shows that the server
   *     lives: a single command that takes its time is no absence
   */
  private boolean giveUpSilent(Silence longest, long nowNanos) {
    boolean isAllGivenUp = true;
    boolean isAlive = false;
    for (Link link : links) {
      Connection connection = link.ready();
      if (connection == null) {
        continue;
      }
      if (!link.silence().isNoBetterThan(longest)) {
        isAlive = true;
      } else if (connection.hasChangesInFlight() || ledger.hasUnflushed()) {
        isAllGivenUp = false;
      } else {
        link.silence().giveUp(longest.sinceNanos());
        connection.abandon(silenceOf(longest, nowNanos));
      }
    }
    return isAllGivenUp || isAlive;
  }

  private static String silenceOf(Silence silence, long nowNanos) {
    return "no answer for " + Link.shown(nowNanos - silence.sinceNanos());
  }

  private void muteChanged(@Nullable Silence silence, long nowNanos) {
    if (isMute && silence != null) {
      awaySinceNanos = silence.sinceNanos();
      lastError = silenceOf(silence, nowNanos);
      armHoldTimer();
    } else {
      cancelHoldTimer();
    }
    publish();
  }

  @Override
  public void attemptFailed(Link link, String why) {
    lastError = why;
    if (promised == null) {
      opened.completeExceptionally(new IOException(why));
      return;
    }
    failedAttempts++;
    connectLaterIfDue(link);
    publish();
  }

  @Override
  public void lost(Link link, Connection connection, String why, @Nullable Command culprit) {
    RequestQueue requests = queue;
    if (requests == null) {
      return; // The device was closed while its first connection became ready.
    }
    boolean isOver = phase == NbdState.Phase.FAILED || phase == NbdState.Phase.CLOSED;
    // The ledger first: whether a flush that comes back may be sent again is its decision.
    if (links.stream().noneMatch(this::mayCarryFlush)) {
      ledger.carriersLost();
    }
    boolean isSilence = link.silence().isGivenUp();
    if (!isOver) {
      lastError = why;
      if (links.stream().noneMatch(Link::isReady)) {
        enterReconnecting(isSilence ? link.silence().sinceNanos() : System.nanoTime());
      }
      publish(); // Before requests fail, so that whoever asks why is told.
    }
    for (Command command = connection.takeBack();
        command instanceof Part part;
        command = connection.takeBack()) {
      if (isOver) {
        requests.ended(part, refusal());
      } else {
        part.silences += isSilence ? 1 : 0;
        requests.addAgain(part, part == culprit);
      }
    }
    requests.failLostFlushes();
    if (!isOver) {
      connectLaterIfDue(link);
      pump();
    }
  }

  private void enterReconnecting(long sinceNanos) {
    enter(NbdState.Phase.RECONNECTING);
    failedAttempts = 0;
    awaySinceNanos = sinceNanos;
    isMute = false;
    links.forEach(Link::parkIfWaiting);
    armHoldTimer();
  }

  /** Without a connection one link tries for all; the others follow once it has succeeded. */
  private void connectLaterIfDue(Link link) {
    if (phase == NbdState.Phase.CONNECTED || links.stream().allMatch(Link::isParked)) {
      link.connectLater();
    }
  }

  private boolean mayCarryFlush(Link link) {
    return link.isReady() && ledger.mayCarryFlush(link.openedAtMark());
  }

  @Override
  public void stopped(Link link) {
    linksToStop--;
    if (linksToStop == 0 && phase == NbdState.Phase.CLOSED) {
      closed.complete(true);
    }
  }

  /** The server came back as something that cannot stand in for what it was. */
  private void failForGood(String why) {
    enter(NbdState.Phase.FAILED);
    lastError = why;
    publish();
    stopAll(Errno.EIO);
  }

  private void stopAll(int errno) {
    cancelHoldTimer();
    EventLoop.Timer running = silenceTimer;
    if (running != null) {
      running.cancel();
    }
    isMute = false;
    RequestQueue requests = queue;
    if (requests != null) {
      requests.failAll(errno);
    }
    linksToStop = links.size();
    List.copyOf(links).forEach(Link::stop);
  }

  private void armHoldTimer() {
    cancelHoldTimer();
    if (holdNanos != Long.MAX_VALUE) {
      long leftNanos = holdNanos - (System.nanoTime() - awaySinceNanos);
      holdTimer = loop.after(Math.max(0, leftNanos), this::holdOver);
    }
  }

  private void cancelHoldTimer() {
    EventLoop.Timer running = holdTimer;
    holdTimer = null;
    if (running != null) {
      running.cancel();
    }
  }

  private void holdOver() {
    RequestQueue requests = queue;
    if (phase == NbdState.Phase.RECONNECTING && requests != null) {
      isHoldOver = true;
      publish(); // Before requests fail, so that whoever asks why is told.
      requests.failAll(Errno.EIO);
    } else if (isMute) {
      failForGood(lastError + ", and what is under way may still be carried out at any time");
    }
  }

  private void enter(NbdState.Phase next) {
    phase = next;
    since = options.clock().instant();
  }

  private void publish() {
    NbdState now = newState();
    state = now;
    reachability = newReachability();
    if (promised != null) {
      listener.changed(now);
    }
  }

  private Reachability newReachability() {
    return switch (phase) {
      case CONNECTED ->
          isMute
              ? new Reachability(State.AWAY, awaySinceNanos, lastError, true)
              : new Reachability(State.PRESENT, System.nanoTime(), "", true);
      case RECONNECTING -> new Reachability(State.AWAY, awaySinceNanos, lastError, !isHoldOver);
      case FAILED -> new Reachability(State.GONE, System.nanoTime(), lastError, false);
      case CLOSED -> new Reachability(State.GONE, System.nanoTime(), "closed", false);
    };
  }

  private NbdState newState() {
    int standing = (int) links.stream().filter(Link::isReady).count();
    return new NbdState(phase, since, standing, failedAttempts, lastError, ledger.isLost());
  }
}
