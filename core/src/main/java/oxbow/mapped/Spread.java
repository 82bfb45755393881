package oxbow.mapped;

import java.util.ArrayDeque;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockRequest;
import oxbow.block.Completion;
import oxbow.block.Errno;
import oxbow.block.Operation;

/**
 * A request to a device of several targets and the parts that go to each. It is answered when the
 * last part has ended, with the first error if there was one.
 */
final class Spread {
  /** What one target gets of it: the context of the request that the target is sent. */
  static final class Part {
    private final BlockRequest io = new BlockRequest();
    private final Completion whenEnded = (request, errno) -> end(errno);
    private final Pool pool;
    private @Nullable Spread whole;

    /** Where the part lies on the device; its request says where on the target. */
    private long atBytes;

    private Part(Pool pool) {
      this.pool = pool;
      io.context = this;
    }

    /** Whether it is one of these, and not of a device above. */
    boolean isOf(Pool parts) {
      return pool == parts;
    }

    /** It has ended, in whatever way. */
    void end(int errno) {
      Spread answered = Objects.requireNonNull(whole);
      whole = null;
      pool.give(this);
      answered.ended(errno);
    }

    /** The target gave it back, untouched: it goes to the targets of that table instead. */
    void sendTo(Table table) {
      Objects.requireNonNull(whole).send(io, atBytes, table);
      end(Errno.OK);
    }
  }

  private final Pool pool;
  private final AtomicInteger outstanding = new AtomicInteger();
  private volatile int firstErrno;
  private @Nullable BlockRequest request;

  private Spread(Pool pool) {
    this.pool = pool;
  }

  /** Sends a request to the targets that it concerns; a flush concerns all. */
  private void begin(BlockRequest whole, Table table) {
    request = whole;
    firstErrno = Errno.OK;
    outstanding.setPlain(1);
    send(whole, whole.offsetBytes(), table);
    ended(Errno.OK);
  }

  /**
   * @param atBytes where it lies on the device; its own offset may be one on a target
   */
  private void send(BlockRequest what, long atBytes, Table table) {
    if (what.operation() == Operation.FLUSH) {
      for (Table.Segment each : table.segments()) {
        send(what, each.startBytes(), 0, 0, each);
      }
      return;
    }
    long end = atBytes + what.lengthBytes();
    for (long at = atBytes; at < end; ) {
      Table.Segment each = table.at(at);
      long length = Math.min(end, each.endBytes()) - at;
      send(what, at, at - atBytes, length, each);
      at += length;
    }
  }

  private void send(BlockRequest what, long at, long done, long length, Table.Segment to) {
    Part part = pool.takePart();
    part.whole = this;
    part.atBytes = at;
    outstanding.incrementAndGet();
    to.target()
        .submit(
            part.io.data(
                what.operation(),
                at - to.startBytes(),
                what.data(),
                what.dataOffset() + done,
                length,
                what.flags(),
                part.whenEnded));
  }

  private void ended(int errno) {
    if (errno != Errno.OK && firstErrno == Errno.OK) {
      firstErrno = errno;
    }
    if (outstanding.decrementAndGet() == 0) {
      BlockRequest whole = Objects.requireNonNull(request);
      int result = firstErrno;
      request = null;
      pool.give(this);
      whole.complete(result);
    }
  }

  /** Those not in use. Any thread. */
  static final class Pool {
    private final ArrayDeque<Spread> spreads = new ArrayDeque<>();
    private final ArrayDeque<Part> parts = new ArrayDeque<>();

    /** Sends a request to the targets of a table, and answers it when all have. */
    void submit(BlockRequest request, Table table) {
      take().begin(request, table);
    }

    private synchronized Spread take() {
      Spread spread = spreads.poll();
      return spread == null ? new Spread(this) : spread;
    }

    private synchronized Part takePart() {
      Part part = parts.poll();
      return part == null ? new Part(this) : part;
    }

    private synchronized void give(Spread spread) {
      spreads.push(spread);
    }

    private synchronized void give(Part part) {
      parts.push(part);
    }
  }
}
