package oxbow.target.error;

import java.util.List;
import oxbow.block.BlockDevice;
import oxbow.block.Errno;
import oxbow.block.Limits;
import oxbow.block.Operation;
import oxbow.target.Mapping;
import oxbow.target.Target;

/**
 * Fails every request for bytes with EIO. There is no device underneath, and so nothing that a
 * flush could fail to make durable: as one target of several it does not spoil flushes of the
 * others.
 */
public final class ErrorTarget implements Target {
  private static final Limits LIMITS =
      new Limits(false, 1, true, Long.MAX_VALUE, false, true, false);

  private final long lengthBytes;

  ErrorTarget(long lengthBytes) {
    this.lengthBytes = lengthBytes;
  }

  @Override
  public String typeName() {
    return ErrorTargetType.NAME;
  }

  @Override
  public long lengthBytes() {
    return lengthBytes;
  }

  @Override
  public Limits limits() {
    return LIMITS;
  }

  @Override
  public List<BlockDevice> devices() {
    return List.of();
  }

  @Override
  public void map(Operation operation, long offsetBytes, long length, int flags, Mapping answer) {
    answer.complete(length, operation == Operation.FLUSH ? Errno.OK : Errno.EIO);
  }

  @Override
  public String status() {
    return "";
  }

  @Override
  public String table() {
    return "";
  }
}
