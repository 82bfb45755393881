package oxbow.target.linear;

import java.util.List;
import oxbow.block.BlockDevice;
import oxbow.block.Limits;
import oxbow.block.Operation;
import oxbow.target.Mapping;
import oxbow.target.Target;
import oxbow.target.Underlay;

/** Sends every request to the device, so much further on. There is nothing else to decide. */
public final class LinearTarget implements Target {
  private final LinearArgs args;
  private final long lengthBytes;
  private final Underlay below;

  /** Over an open device. */
  LinearTarget(LinearArgs args, long lengthBytes, Underlay below) {
    this.args = args;
    this.lengthBytes = lengthBytes;
    this.below = below;
  }

  @Override
  public String typeName() {
    return LinearTargetType.NAME;
  }

  @Override
  public long lengthBytes() {
    return lengthBytes;
  }

  @Override
  public Limits limits() {
    return below.device().limits();
  }

  @Override
  public List<BlockDevice> devices() {
    return List.of(below.device());
  }

  @Override
  public void map(Operation operation, long offsetBytes, long length, int flags, Mapping answer) {
    long base = operation == Operation.FLUSH ? 0 : below.offsetBytes();
    answer.remap(0, base + offsetBytes, length);
  }

  @Override
  public String status() {
    return "";
  }

  @Override
  public String table() {
    return args.toTableLine();
  }
}
