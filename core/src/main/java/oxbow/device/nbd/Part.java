package oxbow.device.nbd;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import oxbow.engine.IoBuffer;
import oxbow.nbd.client.Command;

/**
 * One command for a part of a request, or for a question for extents. Pooled by {@link
 * RequestQueue}.
 */
final class Part extends Command {
  private final RequestQueue queue;

  /** The request that it is a part of; null for a question. */
  @Nullable Progress progress;

  /** The question that it carries; null for a part of a request. */
  @Nullable ExtentsQuery query;

  /** FLUSH: the ledger's mark when it was sent. */
  long sentAtMark;

  /** How many connections its replies have cost. */
  int violations;

  /** How many connections were given up because it got no answer; they were ever more patient. */
  int silences;

  /** One block of an export whose blocks are larger than what is read; made when first needed. */
  private @Nullable IoBuffer block;

  /** How many bytes of the block are wanted; 0 when the data goes straight to the request. */
  private int wantedBytes;

  private int wantedAt;
  private long wantedTo;

  Part(RequestQueue queue) {
    this.queue = queue;
  }

  void request(Progress of, int type, int flags, long atBytes, long length) {
    request(of, type, flags, atBytes, length, MemorySegment.NULL, 0);
  }

  void request(
      Progress of,
      int type,
      int flags,
      long atBytes,
      long length,
      MemorySegment data,
      long dataOffset) {
    clear();
    progress = of;
    ask(type, flags, atBytes, length, data, dataOffset);
  }

  /** Reads a whole block and keeps some of it for the request. */
  void requestOfBlock(
      Progress of, int type, long blockAtBytes, int blockBytes, int from, int length, long to) {
    IoBuffer buffer = block;
    if (buffer == null) {
      buffer = IoBuffer.allocate(blockBytes);
      block = buffer;
    }
    request(of, type, 0, blockAtBytes, blockBytes, buffer.segment(), 0);
    wantedAt = from;
    wantedBytes = length;
    wantedTo = to;
  }

  void query(ExtentsQuery asked, long atBytes, long length) {
    clear();
    query = asked;
    askStatus(atBytes, length, asked.found());
  }

  /** Copies what was wanted of a block, after a successful read. */
  void takeFromBlock() {
    IoBuffer buffer = block;
    Progress of = progress;
    if (wantedBytes > 0 && buffer != null && of != null) {
      MemorySegment.copy(buffer.segment(), wantedAt, of.request().data(), wantedTo, wantedBytes);
    }
  }

  void clear() {
    forget();
    progress = null;
    query = null;
    violations = 0;
    silences = 0;
    wantedBytes = 0;
  }

  @Override
  protected void ended(int error) {
    queue.ended(this, error);
  }
}
