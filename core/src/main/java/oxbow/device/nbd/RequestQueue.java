package oxbow.device.nbd;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockRequest;
import oxbow.block.Errno;
import oxbow.block.Flags;
import oxbow.block.Operation;
import oxbow.nbd.client.Command;
import oxbow.nbd.client.Export;
import oxbow.nbd.wire.Nbd;

/**
 * Requests that wait, cut into commands that the server takes, in the order in which they came; and
 * the putting together of what became of the parts. Knows no connection. On the device's loop only;
 * no allocation per request.
 *
 * <p>Commands that a lost connection had in flight come first, since someone has waited for them
 * longest. Flushes stand apart: not every connection may carry them ({@link FlushLedger}).
 */
final class RequestQueue {
  /** How many connections the replies to one command may cost before it is the command's fault. */
  private static final int MAX_VIOLATIONS = 3;

  /** Longest command without a payload; nobody has trouble with so much, and few take more. */
  private static final long MAX_RANGE_BYTES = 1L << 30;

  private static final int ZEROES_BYTES = 256 << 10;

  private final Export export;
  private final FlushLedger ledger;
  private final Runnable whenWorkIsLeft;

  private @Nullable Command idleParts;
  private @Nullable Progress idleProgress;

  /** Commands to be sent again, the oldest first. */
  private @Nullable Command firstAgain;

  private @Nullable Command lastAgain;
  private final ArrayDeque<ExtentsQuery> queries = new ArrayDeque<>();

  /** FLUSHes, and writes whose FUA is made of a flush, the oldest first. */
  private @Nullable Progress firstFlush;

  private @Nullable Progress lastFlush;

  /** The request that is being cut. */
  private @Nullable Progress head;

  private @Nullable BlockRequest firstWaiting;
  private @Nullable BlockRequest lastWaiting;

  /** What zeros are written from when the server has no WRITE_ZEROES. */
  private @Nullable MemorySegment zeroes;

  /**
   * @param maxParts the most commands that can be in flight on all connections together
   * @param whenWorkIsLeft called when a command has ended while others wait
   */
  RequestQueue(Export export, FlushLedger ledger, int maxParts, Runnable whenWorkIsLeft) {
    this.export = export;
    this.ledger = ledger;
    this.whenWorkIsLeft = whenWorkIsLeft;
    for (int i = 0; i < maxParts; i++) {
      giveBack(new Part(this));
    }
  }

  /** Takes a request; completes it at once if there is nothing to send or something is wrong. */
  void add(BlockRequest request) {
    int errno = check(request);
    if (errno != Errno.OK || isNothing(request)) {
      request.complete(errno);
      return;
    }
    request.next = null;
    if (request.operation() == Operation.FLUSH) {
      addFlush(begin(request));
      return;
    }
    BlockRequest last = lastWaiting;
    if (last == null) {
      firstWaiting = request;
    } else {
      last.next = request;
    }
    lastWaiting = request;
  }

  void add(ExtentsQuery query) {
    queries.addLast(query);
  }

  /** A command that was in flight on a lost connection. */
  void addAgain(Part part, boolean isCulprit) {
    boolean isFlush = part.type() == Nbd.CMD_FLUSH;
    if (isCulprit && (isFlush || ++part.violations == MAX_VIOLATIONS)) {
      ended(part, Errno.EIO);
      return;
    }
    Progress progress = part.progress;
    if (isFlush && progress != null) {
      progress.partsOut--;
      giveBack(part);
      addFlush(progress);
      return;
    }
    part.next = null;
    Command last = lastAgain;
    if (last == null) {
      firstAgain = part;
    } else {
      last.next = part;
    }
    lastAgain = part;
  }

  /**
   * The next command for a connection; null when there is none for it.
   *
   * @param openedAtMark the ledger's mark when the connection was opened
   */
  @Nullable Part next(long openedAtMark) {
    if (firstAgain instanceof Part again) {
      firstAgain = again.next;
      if (firstAgain == null) {
        lastAgain = null;
      }
      return again;
    }
    boolean hasFlush = firstFlush != null && ledger.mayCarryFlush(openedAtMark);
    boolean hasWork = hasFlush || !queries.isEmpty() || head != null || firstWaiting != null;
    if (!hasWork || !(idleParts instanceof Part part)) {
      return null;
    }
    idleParts = part.next;
    ExtentsQuery query = hasFlush ? null : queries.pollFirst();
    if (hasFlush) {
      nextFlush(part);
    } else if (query != null) {
      nextQuery(part, query);
    } else {
      nextOfHead(part);
    }
    return part;
  }

  boolean hasFlush() {
    return firstFlush != null;
  }

  /** F2: fails the flushes that nobody may carry any more. */
  void failLostFlushes() {
    while (ledger.isLost() && firstFlush != null) {
      finish(takeFlush(), Errno.EIO);
    }
  }

  /** Fails all that waits; what is in flight is not in here. */
  void failAll(int errno) {
    while (firstAgain instanceof Part again) {
      firstAgain = again.next;
      ended(again, errno);
    }
    lastAgain = null;
    while (firstFlush != null) {
      finish(takeFlush(), errno);
    }
    for (ExtentsQuery query = queries.pollFirst(); query != null; query = queries.pollFirst()) {
      query.fail(errno);
    }
    Progress begun = head;
    head = null;
    if (begun != null) {
      begun.errno = begun.errno == Errno.OK ? errno : begun.errno;
      begun.issuedBytes = begun.request().lengthBytes();
      if (begun.partsOut == 0) {
        finish(begun, begun.errno);
      }
    }
    while (firstWaiting != null) {
      BlockRequest request = takeWaiting(firstWaiting);
      request.complete(errno);
    }
  }

  /** A command has ended, in whatever way. */
  void ended(Part part, int errno) {
    ExtentsQuery query = part.query;
    Progress progress = part.progress;
    if (query != null) {
      long askedFromBytes = part.offsetBytes();
      giveBack(part);
      if (errno == Errno.OK) {
        query.answer(askedFromBytes);
      } else {
        query.fail(errno);
      }
    } else if (progress != null) {
      if (errno == Errno.OK) {
        succeeded(part);
      } else if (progress.errno == Errno.OK) {
        progress.errno = errno;
      }
      boolean isFlush = part.type() == Nbd.CMD_FLUSH;
      giveBack(part);
      progress.partsOut--;
      if (isFlush) {
        finish(progress, progress.errno);
      } else {
        afterPart(progress);
      }
    }
    if (hasWork()) {
      whenWorkIsLeft.run();
    }
  }

  private boolean hasWork() {
    return firstAgain != null
        || firstFlush != null
        || head != null
        || firstWaiting != null
        || !queries.isEmpty();
  }

  private int check(BlockRequest request) {
    Operation operation = request.operation();
    if (operation == Operation.FLUSH) {
      return ledger.isLost() ? Errno.EIO : Errno.OK;
    }
    if (request.offsetBytes() < 0
        || request.lengthBytes() < 0
        || request.lengthBytes() > export.sizeBytes() - request.offsetBytes()) {
      return Errno.EINVAL;
    }
    if (operation.changesData()) {
      if (export.isReadOnly()) {
        return Errno.EPERM;
      }
      long lowBits = request.offsetBytes() | request.lengthBytes();
      if ((lowBits & (export.minBlockBytes() - 1)) != 0) {
        return Errno.EINVAL;
      }
    }
    boolean isOffered =
        switch (operation) {
          case READ, WRITE, FLUSH -> true;
          case DISCARD -> export.canTrim();
          case CACHE -> export.canCache();
          case WRITE_ZEROES -> (request.flags() & Flags.FAST_ZERO) == 0 || export.canFastZero();
        };
    return isOffered ? Errno.OK : Errno.ENOTSUP;
  }

  /** Whether there is nothing to be sent; a server without FLUSH has no cache that it admits to. */
  private boolean isNothing(BlockRequest request) {
    return request.operation() == Operation.FLUSH ? !export.canFlush() : request.lengthBytes() == 0;
  }

  private void nextFlush(Part part) {
    Progress progress = takeFlush();
    part.request(progress, Nbd.CMD_FLUSH, 0, 0, 0);
    part.sentAtMark = ledger.mark();
    progress.partsOut++;
  }

  private void nextQuery(Part part, ExtentsQuery query) {
    long at = query.offsetBytes() & -(long) export.minBlockBytes();
    long end = roundUp(query.offsetBytes() + query.lengthBytes());
    part.query(query, at, Math.min(end - at, MAX_RANGE_BYTES));
  }

  private void nextOfHead(Part part) {
    Progress progress = head;
    if (progress == null) {
      BlockRequest first = firstWaiting;
      if (first == null) {
        throw new IllegalStateException("nothing waits");
      }
      progress = begin(takeWaiting(first));
    }
    cut(part, progress);
    progress.partsOut++;
    head = progress.issuedBytes < progress.request().lengthBytes() ? progress : null;
  }

  /** Fills in a part with the next piece of a request. */
  private void cut(Part part, Progress progress) {
    BlockRequest request = progress.request();
    long at = request.offsetBytes() + progress.issuedBytes;
    long leftBytes = request.lengthBytes() - progress.issuedBytes;
    long bufferAt = request.dataOffset() + progress.issuedBytes;
    int fua = request.isFua() && export.canFua() ? Nbd.CMD_FLAG_FUA : 0;
    long lengthBytes =
        switch (request.operation()) {
          case READ -> cutRead(part, progress, at, leftBytes, bufferAt);
          case WRITE -> {
            long payloadBytes = Math.min(leftBytes, export.maxPayloadBytes());
            part.request(progress, Nbd.CMD_WRITE, fua, at, payloadBytes, request.data(), bufferAt);
            yield payloadBytes;
          }
          case WRITE_ZEROES -> cutZeroes(part, progress, fua, at, leftBytes);
          case DISCARD -> {
            long rangeBytes = Math.min(leftBytes, MAX_RANGE_BYTES);
            part.request(progress, Nbd.CMD_TRIM, fua, at, rangeBytes);
            yield rangeBytes;
          }
          case CACHE -> {
            // Some servers hold what they cache in a buffer: no more at once than can be read.
            long start = at & -(long) export.minBlockBytes();
            long end = Math.min(roundUp(at + leftBytes), start + export.maxPayloadBytes());
            part.request(progress, Nbd.CMD_CACHE, 0, start, end - start);
            yield Math.min(leftBytes, end - at);
          }
          case FLUSH -> throw new IllegalStateException("a flush among the others");
        };
    progress.issuedBytes += lengthBytes;
  }

  /** Whole blocks go straight to the request; of a block at a ragged end only a piece is kept. */
  private long cutRead(Part part, Progress progress, long at, long leftBytes, long bufferAt) {
    int blockBytes = export.minBlockBytes();
    int intoBlock = (int) (at & (blockBytes - 1));
    if (intoBlock == 0 && leftBytes >= blockBytes) {
      long lengthBytes = Math.min(leftBytes & -(long) blockBytes, export.maxPayloadBytes());
      part.request(progress, Nbd.CMD_READ, 0, at, lengthBytes, progress.request().data(), bufferAt);
      return lengthBytes;
    }
    int wantedBytes = (int) Math.min(blockBytes - intoBlock, leftBytes);
    part.requestOfBlock(
        progress, Nbd.CMD_READ, at - intoBlock, blockBytes, intoBlock, wantedBytes, bufferAt);
    return wantedBytes;
  }

  private long cutZeroes(Part part, Progress progress, int fua, long at, long leftBytes) {
    int flags = progress.request().flags();
    if (export.canWriteZeroes()) {
      int wireFlags =
          fua
              | ((flags & Flags.NO_HOLE) != 0 ? Nbd.CMD_FLAG_NO_HOLE : 0)
              | ((flags & Flags.FAST_ZERO) != 0 ? Nbd.CMD_FLAG_FAST_ZERO : 0);
      long rangeBytes = Math.min(leftBytes, MAX_RANGE_BYTES);
      part.request(progress, Nbd.CMD_WRITE_ZEROES, wireFlags, at, rangeBytes);
      return rangeBytes;
    }
    MemorySegment source = zeroes;
    if (source == null) {
      source = Arena.ofAuto().allocate(ZEROES_BYTES);
      zeroes = source;
    }
    long payloadBytes = Math.min(leftBytes, Math.min(ZEROES_BYTES, export.maxPayloadBytes()));
    part.request(progress, Nbd.CMD_WRITE, fua, at, payloadBytes, source, 0);
    return payloadBytes;
  }

  private long roundUp(long bytes) {
    return (bytes + export.minBlockBytes() - 1) & -(long) export.minBlockBytes();
  }

  private void succeeded(Part part) {
    switch (part.type()) {
      case Nbd.CMD_READ -> part.takeFromBlock();
      case Nbd.CMD_FLUSH -> ledger.flushAnswered(part.sentAtMark);
      case Nbd.CMD_WRITE, Nbd.CMD_WRITE_ZEROES, Nbd.CMD_TRIM -> {
        if (export.canFlush() && (part.flags() & Nbd.CMD_FLAG_FUA) == 0) {
          ledger.writeAnswered();
        }
      }
      default -> {}
    }
  }

  /** Ends a request when its last part has, with a flush first if its FUA is to be made of one. */
  private void afterPart(Progress progress) {
    if (progress.errno != Errno.OK && progress == head) {
      head = null; // Nobody wants the rest.
      progress.issuedBytes = progress.request().lengthBytes();
    }
    if (progress.partsOut > 0 || progress.issuedBytes < progress.request().lengthBytes()) {
      return;
    }
    if (progress.errno == Errno.OK && progress.needsFlush) {
      addFlush(progress);
    } else {
      finish(progress, progress.errno);
    }
  }

  private Progress begin(BlockRequest request) {
    Progress progress = idleProgress;
    if (progress == null) {
      progress = new Progress(); // There will be as many as were ever needed at once.
    } else {
      idleProgress = progress.next;
    }
    progress.begin(request, request.isFua() && !export.canFua() && export.canFlush());
    return progress;
  }

  private void finish(Progress progress, int errno) {
    BlockRequest request = progress.request();
    progress.request = null;
    progress.next = idleProgress;
    idleProgress = progress;
    request.complete(errno);
  }

  private void giveBack(Part part) {
    part.clear();
    part.next = idleParts;
    idleParts = part;
  }

  private void addFlush(Progress progress) {
    progress.next = null;
    Progress last = lastFlush;
    if (last == null) {
      firstFlush = progress;
    } else {
      last.next = progress;
    }
    lastFlush = progress;
  }

  private Progress takeFlush() {
    Progress first = firstFlush;
    if (first == null) {
      throw new IllegalStateException("no flush waits");
    }
    firstFlush = first.next;
    if (firstFlush == null) {
      lastFlush = null;
    }
    return first;
  }

  private BlockRequest takeWaiting(BlockRequest first) {
    firstWaiting = first.next;
    if (firstWaiting == null) {
      lastWaiting = null;
    }
    first.next = null;
    return first;
  }
}
