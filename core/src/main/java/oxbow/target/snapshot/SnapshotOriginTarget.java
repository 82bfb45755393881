package oxbow.target.snapshot;

import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockDevice;
import oxbow.block.Limits;
import oxbow.block.Operation;
import oxbow.target.Effects;
import oxbow.target.Family;
import oxbow.target.Mapping;
import oxbow.target.Moment;
import oxbow.target.Piece;
import oxbow.target.Target;

/**
 * The origin of snapshots: reads and flushes pass straight through (O5), writes when all snapshots
 * have saved what they overwrite ({@link OriginWrites}).
 */
public final class SnapshotOriginTarget implements Target {
  private static final int ORIGIN = 0;

  private final long lengthBytes;
  private final BlockDevice origin;
  private final OriginFamily family;
  private @Nullable OriginWrites writes;

  SnapshotOriginTarget(long lengthBytes, BlockDevice origin, OriginFamily family) {
    this.lengthBytes = lengthBytes;
    this.origin = origin;
    this.family = family;
  }

  @Override
  public Family family() {
    return family.family();
  }

  @Override
  public void attach(Effects own) {
    OriginWrites made = new OriginWrites(family, ORIGIN, own);
    family.add(made);
    writes = made;
  }

  private OriginWrites writes() {
    return Objects.requireNonNull(writes, "not attached");
  }

  @Override
  public String typeName() {
    return SnapshotOriginTargetType.NAME;
  }

  @Override
  public long lengthBytes() {
    return lengthBytes;
  }

  @Override
  public Limits limits() {
    return origin.limits();
  }

  @Override
  public List<BlockDevice> devices() {
    return List.of(origin);
  }

  @Override
  public String role(int slot) {
    return "origin";
  }

  @Override
  public void map(Operation operation, long offsetBytes, long length, int flags, Mapping answer) {
    switch (operation) {
      case READ, CACHE, FLUSH -> answer.remap(ORIGIN, offsetBytes, length);
      case WRITE, WRITE_ZEROES, DISCARD -> writes().map(offsetBytes, length, answer);
    }
  }

  @Override
  public boolean endIo(int ticket) {
    return family.originWrites().leave(ticket);
  }

  @Override
  public void queue(Piece piece, Moment now, Effects out) {
    writes().queue(piece);
  }

  @Override
  public void wake(Moment now, Effects out) {
    family.lookAgain();
  }

  @Override
  public void remove(Moment now, Effects out) {
    family.remove(writes());
  }

  @Override
  public void close() {
    family.left();
  }

  @Override
  public String status() {
    return ""; // T2
  }

  @Override
  public String table() {
    return origin.address();
  }
}
