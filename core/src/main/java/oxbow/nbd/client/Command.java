package oxbow.nbd.client;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import oxbow.nbd.wire.Nbd;

/**
 * One command of the transmission phase and the state of its reply. Allocated once, filled in again
 * and again by whoever subclasses it. From {@link Connection#send} until {@link #ended}, or until
 * it is taken back from a lost connection, it belongs to the connection.
 */
public abstract class Command {
  private int type;
  private int flags;
  private long offsetBytes;
  private long lengthBytes;
  private MemorySegment data = MemorySegment.NULL;
  private long dataOffset;
  private @Nullable ExtentList extents;

  /** Link of the queue it stands in, the connection's or its owner's. */
  public @Nullable Command next;

  /** The name it goes by on the wire, while it is in a {@link SlotTable}. */
  long cookie;

  /** Whether it was given to the stream; before that no reply to it can be true. */
  boolean isSent;

  /** What error chunks have told so far; the first one counts. */
  int errno;

  final Coverage coverage = new Coverage();

  /**
   * Fills the command in.
   *
   * @param commandType one of {@code Nbd.CMD_...}, not DISC
   * @param commandFlags bits {@code Nbd.CMD_FLAG_...}
   * @param atBytes where in the export; 0 for FLUSH
   * @param length 0 to 2^32 - 1; 0 for FLUSH
   * @param buffer native memory for READ and WRITE, else NULL
   * @param bufferOffset where in it the first byte lies
   */
  protected final void ask(
      int commandType,
      int commandFlags,
      long atBytes,
      long length,
      MemorySegment buffer,
      long bufferOffset) {
    this.type = commandType;
    this.flags = commandFlags;
    this.offsetBytes = atBytes;
    this.lengthBytes = length;
    this.data = buffer;
    this.dataOffset = bufferOffset;
    this.extents = null;
  }

  /** Fills in a question for base:allocation; the answer is gathered in the list. */
  protected final void askStatus(long atBytes, long length, ExtentList into) {
    ask(Nbd.CMD_BLOCK_STATUS, 0, atBytes, length, MemorySegment.NULL, 0);
    this.extents = into;
  }

  /**
   * The reply is complete: a READ's every byte is in the buffer, a BLOCK_STATUS has at least one
   * extent. Called on the loop; the command is its owner's again.
   *
   * @param error 0, or one of {@link oxbow.block.Errno}
   */
  protected abstract void ended(int error);

  /** Forgets what a reply has told, before it is asked for (again). */
  final void prepare() {
    isSent = false;
    errno = 0;
    coverage.clear();
    ExtentList list = extents;
    if (list != null) {
      list.clear();
    }
  }

  public final int type() {
    return type;
  }

  public final int flags() {
    return flags;
  }

  public final long offsetBytes() {
    return offsetBytes;
  }

  public final long lengthBytes() {
    return lengthBytes;
  }

  public final long endBytes() {
    return offsetBytes + lengthBytes;
  }

  public final MemorySegment data() {
    return data;
  }

  public final long dataOffset() {
    return dataOffset;
  }

  public final @Nullable ExtentList extents() {
    return extents;
  }

  /** Forgets buffers, so that an idle command keeps nothing of its last user's alive. */
  protected final void forget() {
    data = MemorySegment.NULL;
    extents = null;
  }

  @Override
  public String toString() {
    return Nbd.commandName(type) + " " + offsetBytes + "+" + lengthBytes;
  }
}
