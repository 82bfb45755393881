package oxbow.target.zero;

import java.util.List;
import oxbow.block.BlockDevice;
import oxbow.block.Limits;
import oxbow.block.Operation;
import oxbow.device.zero.ZeroDevice;
import oxbow.target.Mapping;
import oxbow.target.Target;

/** Leaves all to a device of zeros that is its own, so that zeros are filled in in one place. */
public final class ZeroTarget implements Target {
  private final ZeroDevice zeros;

  ZeroTarget(long lengthBytes) {
    this.zeros = new ZeroDevice(lengthBytes);
  }

  @Override
  public String typeName() {
    return ZeroTargetType.NAME;
  }

  @Override
  public long lengthBytes() {
    return zeros.sizeBytes();
  }

  @Override
  public Limits limits() {
    return zeros.limits();
  }

  @Override
  public List<BlockDevice> devices() {
    return List.of(zeros);
  }

  @Override
  public void map(Operation operation, long offsetBytes, long length, int flags, Mapping answer) {
    answer.remap(0, offsetBytes, length);
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
