package oxbow.device.nbd;

import java.io.IOException;
import java.net.SocketAddress;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import oxbow.engine.EventLoop;
import oxbow.engine.Stream;
import oxbow.nbd.client.Command;
import oxbow.nbd.client.Connection;
import oxbow.nbd.client.Export;

/**
 * One of a device's connections over all its lives: connects, and after a loss connects again when
 * the back-off allows. On the device's loop only.
 *
 * <pre>
 * PARKED → RESOLVING → CONNECTING → NEGOTIATING → READY
 *    ↑         ↑            │             │         │
 *    │         └─ WAITING ←─┴─────────────┴─────────┘   (a new connection each time)
 *    └── parked by the session: another link tries for all, or the device is closed
 * </pre>
 */
final class Link {
  enum Phase {
    PARKED,
    WAITING,
    RESOLVING,
    CONNECTING,
    NEGOTIATING,
    READY
  }

  /** What a link tells its session. */
  interface Owner {
    void ready(Link link, Export export);

    /** There was no connection, or the handshake failed. The link is PARKED. */
    void attemptFailed(Link link, String why);

    /** A connection that was ready is gone; its commands are to be taken back. PARKED. */
    void lost(Link link, Connection connection, String why, @Nullable Command culprit);

    /** The link has stopped after {@link Link#stop}; may be said more than once. */
    void stopped(Link link);
  }

  private final ServerAddress server;
  private final EventLoop loop;
  private final NbdOptions options;
  private final Owner owner;
  private final Backoff backoff;

  private Phase phase = Phase.PARKED;

  /** Counts attempts, so that what belongs to a former one is recognised when it comes late. */
  private int attempt;

  private List<SocketAddress> candidates = List.of();
  private int candidate;
  private EventLoop.@Nullable Timer timer;
  private @Nullable Connection connection;

  /** The flush ledger's mark when the present connection became ready. */
  private long openedAtMark;

  private boolean isStopped;

  /** How quiet the present connection is. */
  private final Silence silence = new Silence();

  Link(ServerAddress server, EventLoop loop, NbdOptions options, Owner owner) {
    this.server = server;
    this.loop = loop;
    this.options = options;
    this.owner = owner;
    this.backoff = options.newBackoff();
  }

  boolean isReady() {
    return phase == Phase.READY;
  }

  boolean isParked() {
    return phase == Phase.PARKED;
  }

  /** The connection to send on; null unless {@link #isReady}. */
  @Nullable Connection ready() {
    return isReady() ? connection : null;
  }

  long openedAtMark() {
    return openedAtMark;
  }

  void openedAtMark(long mark) {
    openedAtMark = mark;
  }

  Silence silence() {
    return silence;
  }

  /** Begins an attempt now. */
  void connect() {
    cancelTimer();
    if (isStopped) {
      return;
    }
    phase = Phase.RESOLVING;
    int mine = ++attempt;
    timer = loop.after(options.connectTimeoutNanos(), () -> timedOut(mine));
    server.resolve(
        loop,
        (addresses, why) -> {
          if (mine != attempt || phase != Phase.RESOLVING) {
            return;
          }
          if (addresses.isEmpty()) {
            attemptFailed(why);
          } else {
            candidates = addresses;
            candidate = 0;
            connectToCandidate();
          }
        });
  }

  /** Begins an attempt after the delay that is due. */
  void connectLater() {
    cancelTimer();
    if (!isStopped) {
      phase = Phase.WAITING;
      timer = loop.after(backoff.nextDelayNanos(), this::connect);
    }
  }

  /** Gives up waiting for the next attempt; one that has begun goes on. */
  void parkIfWaiting() {
    if (phase == Phase.WAITING) {
      cancelTimer();
      phase = Phase.PARKED;
    }
  }

  /** Ends for good; {@link Owner#stopped} follows once no buffer is in use any more. */
  void stop() {
    isStopped = true;
    cancelTimer();
    Connection standing = connection;
    if (standing != null) {
      standing.disconnect();
    } else {
      attempt++; // Whoever connects from now on is sent away.
      phase = Phase.PARKED;
      owner.stopped(this);
    }
  }

  private void connectToCandidate() {
    phase = Phase.CONNECTING;
    int mine = ++attempt;
    cancelTimer();
    timer = loop.after(options.connectTimeoutNanos(), () -> timedOut(mine));
    loop.connect(candidates.get(candidate), new Attempt(mine));
  }

  private void timedOut(int timedOutAttempt) {
    if (timedOutAttempt != attempt) {
      return;
    }
    String why = "no answer within " + shown(options.connectTimeoutNanos());
    Connection negotiating = connection;
    switch (phase) {
      case RESOLVING -> attemptFailed(why + " when looking up the host's name");
      case CONNECTING -> candidateFailed(why);
      case NEGOTIATING -> {
        if (negotiating != null) {
          negotiating.abandon(
              "connected, but no NBD handshake within " + shown(options.connectTimeoutNanos()));
        }
      }
      case PARKED, WAITING, READY -> {}
    }
  }

  static String shown(long nanos) {
    long millis = TimeUnit.NANOSECONDS.toMillis(nanos);
    return millis % 1000 == 0 ? millis / 1000 + " s" : millis + " ms";
  }

  private void candidateFailed(String why) {
    candidate++;
    if (candidate < candidates.size()) {
      connectToCandidate();
    } else {
      attemptFailed("cannot connect: " + why);
    }
  }

  private void attemptFailed(String why) {
    cancelTimer();
    attempt++;
    phase = Phase.PARKED;
    owner.attemptFailed(this, why);
  }

  private void cancelTimer() {
    EventLoop.Timer running = timer;
    timer = null;
    if (running != null) {
      running.cancel();
    }
  }

  /** Hears of one connect and, when it succeeds, of the connection. */
  private final class Attempt implements EventLoop.Connector, Connection.Owner {
    private final int mine;

    Attempt(int mine) {
      this.mine = mine;
    }

    @Override
    public void connected(Stream stream) {
      if (mine != attempt) {
        stream.close();
        return;
      }
      phase = Phase.NEGOTIATING;
      Connection begun =
          new Connection(stream, server.exportName(), options.inFlightPerConnection(), this);
      connection = begun;
      begun.start();
    }

    @Override
    public void failed(IOException why) {
      if (mine == attempt) {
        candidateFailed(why.getMessage() == null ? why.toString() : why.getMessage());
      }
    }

    @Override
    public void ready(Connection ready, Export export) {
      cancelTimer();
      phase = Phase.READY;
      silence.begin(System.nanoTime());
      owner.ready(Link.this, export);
    }

    @Override
    public void lost(Connection gone, String why, @Nullable Command culprit) {
      boolean wasReady = phase == Phase.READY;
      cancelTimer();
      connection = null;
      phase = Phase.PARKED;
      if (gone.hasAnswered()) {
        backoff.reset();
      }
      if (wasReady) {
        owner.lost(Link.this, gone, why, culprit);
      } else if (!isStopped) {
        owner.attemptFailed(Link.this, why);
      }
      if (isStopped) {
        owner.stopped(Link.this);
      }
    }
  }
}
