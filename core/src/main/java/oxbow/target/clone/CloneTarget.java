package oxbow.target.clone;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockDevice;
import oxbow.block.Limits;
import oxbow.block.Operation;
import oxbow.block.Remote;
import oxbow.block.Sectors;
import oxbow.block.TimeSpan;
import oxbow.target.Effects;
import oxbow.target.Geometry;
import oxbow.target.Job;
import oxbow.target.Mapping;
import oxbow.target.MessageException;
import oxbow.target.Moment;
import oxbow.target.Piece;
import oxbow.target.Target;
import oxbow.target.TaskPlace;

/**
 * The callbacks of the clone target: thin. What is hot is decided by {@link CloneMapper} from the
 * map of regions, lock-free; everything else by {@link CloneCore}.
 */
public final class CloneTarget implements Target {
  private final CloneArgs args;
  private final Geometry geometry;
  private final List<BlockDevice> devices;
  private final CloneMetadata metadata;
  private final RegionMap map;
  private final CloneCore core;
  private final CloneMapper mapper;
  private final Limits limits;

  /** What construction found, told at the first resume. */
  private final List<String> warnings = new ArrayList<>();

  private final Runnable whenClosed;

  /**
   * A clone over open devices. What is checked of them is checked by {@link CloneTargetType}.
   *
   * @param lengthBytes of the target; source and destination are at least as long
   * @param metadata open for this length and region size; closed with the target
   * @param map as loaded from the metadata
   * @param whenClosed releases what the metadata lies on
   */
  CloneTarget(
      CloneArgs args,
      CloneOptions options,
      long lengthBytes,
      BlockDevice destination,
      BlockDevice source,
      CloneMetadata metadata,
      RegionMap map,
      Runnable whenClosed) {
    this.args = args;
    this.whenClosed = whenClosed;
    this.geometry = new Geometry(lengthBytes, args.regionBytes());
    this.devices = List.of(destination, source);
    this.metadata = metadata;
    this.map = map;
    if (metadata.excessBytes() > 0) {
      warnings.add(
          "Metadata device (%s) is larger than metadata can be (C10): %d bytes will not be used."
              .formatted(args.metadata(), metadata.excessBytes()));
    }
    Limits below = destination.limits();
    String discardProblem = discardProblem(destination, args);
    if (!discardProblem.isEmpty() && !args.hasNoDiscardPassdown()) {
      warnings.add(discardProblem + ": Disabling discard passdown.");
    }
    this.core =
        new CloneCore(
            args,
            options,
            geometry,
            map,
            discardProblem.isEmpty() && !args.hasNoDiscardPassdown(),
            new MetadataCommitter(metadata, args.metadata(), destination.address()),
            () -> isAway(source));
    this.mapper = new CloneMapper(geometry, map, core);
    this.limits =
        new Limits(
            false,
            Math.max(below.blockSizeBytes(), source.limits().blockSizeBytes()),
            true,
            core.hasDiscardPassdown() ? below.maxDiscardBytes() : Long.MAX_VALUE,
            // Only whole regions are discarded, and without passdown hydrated ones are left (D5).
            false,
            below.canWriteZeroesFast(),
            true);
  }

  private static boolean isAway(BlockDevice device) {
    Remote remote = device.remote();
    return remote != null && remote.reachability().isAway();
  }

  /**
   * Has sums taken of everything that is copied to the destination, until hydration is done. Before
   * the first resume.
   *
   * @param sums of a clone of this length and region size
   */
  public void sumCopies(CopyChecksums sums) {
    core.sumCopies(sums);
  }

  /**
   * Has background hydration take the regions of these ranges before all others, in this order.
   * Before the first resume; call again for the next range.
   *
   * @param lengthBytes at least 1; the range lies within the device
   */
  public void hydrateFirst(long offsetBytes, long lengthBytes) {
    Objects.checkFromIndexSize(offsetBytes, lengthBytes, geometry.deviceBytes());
    core.background().takeFirst(offsetBytes, lengthBytes);
  }

  @Override
  public String typeName() {
    return "clone";
  }

  @Override
  public long lengthBytes() {
    return geometry.deviceBytes();
  }

  /** Where the copy is; belongs to its opener, as the source does. */
  public BlockDevice destination() {
    return devices.get(CloneCore.DESTINATION);
  }

  /** What is copied. */
  public BlockDevice source() {
    return devices.get(CloneCore.SOURCE);
  }

  @Override
  public Limits limits() {
    return limits;
  }

  @Override
  public List<BlockDevice> devices() {
    return devices;
  }

  @Override
  public String role(int slot) {
    return slot == CloneCore.SOURCE ? "source" : "destination";
  }

  @Override
  public TaskPlace taskPlace() {
    return new TaskPlace("metadata", args.metadata(), metadata.remote());
  }

  @Override
  public void map(
      Operation operation, long offsetBytes, long lengthBytes, int flags, Mapping answer) {
    mapper.map(operation, offsetBytes, lengthBytes, flags, answer);
  }

  @Override
  public void locate(long offsetBytes, long lengthBytes, Mapping answer) {
    mapper.locate(offsetBytes, lengthBytes, answer);
  }

  @Override
  public void queue(Piece piece, Moment now, Effects out) {
    core.queue(piece, now, out);
  }

  @Override
  public void ended(Job job, int errno, Moment now, Effects out) {
    core.ended(job, errno, now, out);
  }

  @Override
  public void everySecond(Moment now, Effects out) {
    core.everySecond(now, out);
  }

  @Override
  public void wake(Moment now, Effects out) {
    core.wake(now, out);
  }

  @Override
  public void suspend(Moment now, Effects out) {
    core.suspend(now, out);
  }

  @Override
  public boolean isSuspended() {
    return core.isSuspended();
  }

  @Override
  public boolean hasUncommittedChanges() {
    return !core.isClean();
  }

  /** D7: why discards cannot be passed down, in device-mapper's words; empty when they can. */
  private static String discardProblem(BlockDevice destination, CloneArgs args) {
    String device = "Destination device (" + destination.address() + ")";
    if (!destination.limits().canDiscard()) {
      return device + " discard unsupported";
    }
    return destination.limits().maxDiscardBytes() < args.regionBytes()
        ? device + " max discard sectors smaller than a region"
        : "";
  }

  @Override
  public void resume(Moment now, Effects out) {
    warnings.forEach(out::warn);
    warnings.clear();
    core.resume(now, out);
  }

  /**
   * The four messages of the kernel's target, and Oxbow's own: about reads that hydrate, and
   * devices that can go away; names are case-insensitive.
   */
  @Override
  public String message(List<String> words, Moment now, Effects out) throws MessageException {
    String name = words.isEmpty() ? "" : words.get(0).toLowerCase(Locale.ROOT);
    switch (name) {
      case "enable_hydration" -> core.background().enable();
      case "disable_hydration" -> core.background().disable();
      case "enable_hydrate_on_read" -> core.hints().enableHydrateOnRead();
      case "disable_hydrate_on_read" -> core.hints().disableHydrateOnRead();
      case CloneArgs.HYDRATION_THRESHOLD -> core.pace().setThreshold(value(words));
      case CloneArgs.HYDRATION_BATCH_SIZE -> core.pace().setBatchSize(value(words));
      case "source_hold" -> setHold(words, devices.get(CloneCore.SOURCE).remote());
      case "destination_hold" -> setHold(words, devices.get(CloneCore.DESTINATION).remote());
      case "metadata_hold" -> setHold(words, metadata.remote());
      case "source_timeout" -> setTimeout(words, devices.get(CloneCore.SOURCE).remote());
      default -> throw new MessageException("Invalid argument: " + String.join(" ", words));
    }
    core.wake(now, out);
    return "";
  }

  private static void setHold(List<String> words, @Nullable Remote remote) throws MessageException {
    remote(words, remote).holdNanos(nanos(words, TimeSpan::parseHold));
  }

  private static void setTimeout(List<String> words, @Nullable Remote remote)
      throws MessageException {
    long nanos = nanos(words, TimeSpan::parse);
    if (nanos == 0) {
      throw new MessageException("Invalid argument: " + words.get(0) + " takes a time above 0");
    }
    remote(words, remote).silenceNanos(nanos);
  }

  private static Remote remote(List<String> words, @Nullable Remote remote)
      throws MessageException {
    if (remote == null) {
      throw new MessageException(
          "Invalid argument: " + words.get(0) + ": the device is on no server that could go away");
    }
    return remote;
  }

  private static long nanos(List<String> words, ToLongFunction<String> parser)
      throws MessageException {
    if (words.size() != 2) {
      throw new MessageException("Invalid argument: " + words.get(0) + " takes one time");
    }
    try {
      return parser.applyAsLong(words.get(1));
    } catch (IllegalArgumentException wrong) {
      throw new MessageException("Invalid argument: " + wrong.getMessage());
    }
  }

  private static long value(List<String> words) throws MessageException {
    long value = words.size() == 2 ? CloneArgs.parseU32(words.get(1)) : -1;
    if (value < 0) {
      throw new MessageException(
          "Invalid argument: " + words.get(0) + " takes one unsigned 32-bit decimal value");
    }
    return value;
  }

  /** The figures of the status line. */
  public CloneStatus figures() {
    return new CloneStatus(
        metadata.usedBlocks(),
        metadata.totalBlocks(),
        Sectors.fromBytes(geometry.partBytes()),
        map.hydratedCount(),
        geometry.count(),
        core.regionsInFlight(),
        !core.background().isEnabled(),
        !core.hasDiscardPassdown(),
        core.hints().hydratesOnRead(),
        core.pace().threshold(),
        core.pace().batchSize(),
        core.mode());
  }

  /** Figures for people; called as {@link #status} is. */
  public CloneProgress progress() {
    return new CloneProgress(
        geometry.deviceBytes(),
        geometry.partBytes(),
        geometry.count(),
        map.hydratedCount(),
        core.regionsInFlight(),
        core.copiedBytes(),
        core.background().failureCount() + core.hints().failureCount(),
        core.commitCount(),
        core.isDone(),
        core.background().pausedReason(),
        core.mode(),
        core.modeReason());
  }

  @Override
  public String status() {
    return figures().toStatusLine();
  }

  @Override
  public String table() {
    return args.toTableLine();
  }

  @Override
  public void close() {
    metadata.close();
    whenClosed.run();
  }
}
