package oxbow.sim;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.Arrays;
import oxbow.block.Errno;
import oxbow.block.Flags;
import oxbow.block.Operation;
import oxbow.target.Piece;

/**
 * A request of a simulated user, in sectors, and what has become of it. Each sector holds a number,
 * its stamp: those of a WRITE ascend from {@link #stamp}, so that a sector in the wrong place is
 * noticed.
 */
public final class SimRequest {
  private static final int SECTOR = SimDisk.SECTOR_BYTES;

  /** Where a READ has brought nothing. */
  private static final byte GARBAGE = (byte) 0x9e;

  private final SimTarget target;
  private final Operation operation;
  private final int firstSector;
  private final int sectors;
  private final int stamp;
  private final int flags;
  private final byte[] data;
  private int outstanding = 1;
  private int errno;

  /** A part of the request, as targets see it. */
  static final class SimPiece extends Piece {
    private final SimRequest request;
    private boolean isWithTarget;
    private boolean isEnded;

    private SimPiece(SimRequest request) {
      this.request = request;
    }

    SimRequest request() {
      return request;
    }

    void giveToTarget() {
      isWithTarget = true;
    }

    /** The target hands it back. */
    SimPiece takeFromTarget() {
      if (!isWithTarget) {
        throw new AssertionError("handed back, but not the target's: " + this);
      }
      isWithTarget = false;
      return this;
    }

    /** The data of a part; zeros for operations that have none. */
    byte[] bytes(long partOffsetBytes, long partLengthBytes) {
      byte[] bytes = new byte[Math.toIntExact(partLengthBytes)];
      if (operation() == Operation.WRITE) {
        int at = Math.toIntExact(dataOffset() + partOffsetBytes);
        System.arraycopy(request.data, at, bytes, 0, bytes.length);
      }
      return bytes;
    }

    /** A READ brings this. */
    void fill(byte[] bytes, int from) {
      int at = Math.toIntExact(dataOffset());
      System.arraycopy(bytes, from, request.data, at, Math.toIntExact(lengthBytes()));
    }
  }

  SimRequest(
      SimTarget target, Operation operation, int firstSector, int sectors, int stamp, int flags) {
    this.target = target;
    this.operation = operation;
    this.firstSector = firstSector;
    this.sectors = sectors;
    this.stamp = operation == Operation.WRITE ? stamp : 0;
    this.flags = flags;
    boolean hasData = operation == Operation.READ || operation == Operation.WRITE;
    data = new byte[hasData ? sectors * SECTOR : 0];
    if (operation == Operation.READ) {
      Arrays.fill(data, GARBAGE);
    } else if (operation == Operation.WRITE) {
      System.arraycopy(stamped(stamp, sectors), 0, data, 0, data.length);
    }
  }

  /** Sectors with ascending stamps. */
  public static byte[] stamped(int firstStamp, int sectors) {
    ByteBuffer bytes = ByteBuffer.allocate(sectors * SECTOR);
    for (int i = 0; i < sectors; i++) {
      bytes.putInt(i * SECTOR, firstStamp + i);
    }
    return bytes.array();
  }

  /** The part at an offset; counted as outstanding from now on. */
  SimPiece piece(long atBytes, long lengthBytes) {
    SimPiece piece = new SimPiece(this);
    long dataOffset = data.length == 0 ? 0 : atBytes - offsetBytes();
    MemorySegment memory = data.length == 0 ? MemorySegment.NULL : MemorySegment.ofArray(data);
    piece.set(operation, atBytes, lengthBytes, flags, memory, dataOffset);
    outstanding++;
    return piece;
  }

  /** A piece has ended; whether the request has with it. */
  boolean ended(SimPiece piece, int result) {
    if (piece.isEnded || piece.isWithTarget) {
      throw new AssertionError("ended twice, or while the target has it: " + piece);
    }
    piece.isEnded = true;
    return ended(result);
  }

  /** A piece, or the splitting itself, has ended. */
  boolean ended(int result) {
    if (errno == Errno.OK) {
      errno = result;
    }
    return --outstanding == 0;
  }

  public SimTarget target() {
    return target;
  }

  public Operation operation() {
    return operation;
  }

  public int firstSector() {
    return firstSector;
  }

  public int sectors() {
    return sectors;
  }

  public int endSector() {
    return firstSector + sectors;
  }

  long offsetBytes() {
    return (long) firstSector * SECTOR;
  }

  long endBytes() {
    return (long) endSector() * SECTOR;
  }

  public int flags() {
    return flags;
  }

  public boolean isFua() {
    return (flags & Flags.FUA) != 0;
  }

  /** Of the first sector; 0 for what writes no data. */
  public int stamp() {
    return stamp;
  }

  /** What the request writes to a sector of its range: zeros for all but WRITE. */
  public int stampOf(int sector) {
    return stamp == 0 ? 0 : stamp + sector - firstSector;
  }

  /** What a READ found in a sector of its range. */
  public int found(int sector) {
    return ByteBuffer.wrap(data).getInt((sector - firstSector) * SECTOR);
  }

  public boolean isDone() {
    return outstanding == 0;
  }

  /** The first error of its pieces so far. */
  public int errno() {
    return errno;
  }

  @Override
  public String toString() {
    return "%s: %s %d+%d%s%s%s"
        .formatted(
            target.name(),
            operation,
            firstSector,
            sectors,
            stamp == 0 ? "" : " of " + stamp,
            isFua() ? " FUA" : "",
            isDone() ? " answered " + errno : "");
  }
}
