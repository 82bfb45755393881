package oxbow.mapped;

import java.util.List;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockDevice;
import oxbow.block.Limits;
import oxbow.block.Operation;
import oxbow.target.Effects;
import oxbow.target.Mapping;
import oxbow.target.Moment;
import oxbow.target.Target;

/** A strip of a device; it raises an event and refuses to be resumed when the test wants that. */
final class StripTarget implements Target {
  private final BlockDevice device;
  private final long startBytes;
  private final long lengthBytes;
  private final Limits limits;

  /** Why it cannot be resumed; null if it can. */
  volatile @Nullable String problem;

  /** What happens while it is asked. */
  volatile Runnable whenAsked = () -> {};

  /** Whether it has been closed. */
  volatile boolean isClosed;

  StripTarget(BlockDevice device, long startBytes, long lengthBytes, Limits limits) {
    this.device = device;
    this.startBytes = startBytes;
    this.lengthBytes = lengthBytes;
    this.limits = limits;
  }

  StripTarget(BlockDevice device, long startBytes, long lengthBytes) {
    this(device, startBytes, lengthBytes, device.limits());
  }

  @Override
  public String typeName() {
    return "strip";
  }

  @Override
  public long lengthBytes() {
    return lengthBytes;
  }

  @Override
  public Limits limits() {
    return limits;
  }

  @Override
  public List<BlockDevice> devices() {
    return List.of(device);
  }

  @Override
  public void map(Operation operation, long offset, long length, int flags, Mapping answer) {
    answer.remap(0, operation == Operation.FLUSH ? 0 : startBytes + offset, length);
  }

  /** Any message is an event. */
  @Override
  public String message(List<String> words, Moment now, Effects out) {
    out.event(String.join(" ", words));
    return "";
  }

  @Override
  public @Nullable String resumeProblem() {
    whenAsked.run();
    return problem;
  }

  @Override
  public String status() {
    return "";
  }

  @Override
  public String table() {
    return "";
  }

  @Override
  public void close() {
    isClosed = true;
  }
}
