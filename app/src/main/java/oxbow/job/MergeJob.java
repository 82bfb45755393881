package oxbow.job;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockDevice;
import oxbow.block.Sectors;
import oxbow.console.Console;
import oxbow.console.Progress;
import oxbow.console.UserException;
import oxbow.mapped.DeviceHealth;
import oxbow.mapped.MappedDevice;
import oxbow.target.snapshot.SnapshotFigures;
import oxbow.target.snapshot.SnapshotMergeTarget;
import oxbow.target.snapshot.SnapshotState;

/**
 * {@code oxbow merge}: copies what a store holds back into its origin, newest first, shows how far
 * it is, and ends when the store is empty. Stopped before, it goes on when run again (M8); until
 * then the origin by itself is neither what it was nor what it will be (M11). Used once.
 */
public final class MergeJob extends ForegroundJob {
  private static final String COMMAND = MergeChecks.COMMAND;

  private final MergeOrder order;
  private final Console console;

  /** What is merging, as long as the job lives. */
  private record Merge(MergeChecks.Plan plan, MappedDevice mapped, SnapshotMergeTarget target) {
    SnapshotFigures figures() {
      return mapped.ask(asked -> target.figures());
    }

    long leftBytes(SnapshotFigures figures) {
      return figures.exceptions() * Sectors.toBytes(plan.chunkSectors());
    }
  }

  /**
   * @param ready takes each URI once the merging device is served; must not block
   */
  public MergeJob(MergeOrder order, Console console, Consumer<String> ready) {
    super(COMMAND, console, ready);
    this.order = order;
    this.console = console;
  }

  @Override
  int run(DeviceStack devices) throws UserException, IOException, InterruptedException {
    MergeChecks.Plan plan = new MergeChecks(order, devices, console).check();
    try (ControlPoint control =
        ControlPoint.listen(COMMAND, console(), order.name(), order.control(), order.origin())) {
      Merge merge = build(plan, devices, control.name());
      return run(merge, control, devices);
    }
  }

  private Merge build(MergeChecks.Plan plan, DeviceStack devices, String name)
      throws UserException, IOException {
    devices.name("origin", plan.origin());
    devices.name("cow", plan.store());
    String origin = plan.originAddress().text();
    String store = plan.storeAddress().text();
    List<String> words = List.of(origin, store, "P", Long.toString(plan.chunkSectors()));
    Map<String, BlockDevice> below = Map.of(origin, plan.origin(), store, plan.store());
    SnapshotMergeTarget target =
        (SnapshotMergeTarget)
            devices.target(
                "snapshot-merge",
                plan.origin().sizeBytes(),
                words,
                below,
                StoreChecks.lookAt(plan.storeAddress()));
    return new Merge(plan, devices.map(name, target, listenerOf(null)), target);
  }

  private int run(Merge merge, ControlPoint control, DeviceStack devices)
      throws UserException, IOException, InterruptedException {
    DeviceService service =
        order.listen().isEmpty()
            ? null
            : DeviceService.serve(
                COMMAND,
                "--listen",
                merge.mapped(),
                control.name(),
                order.listen(),
                devices.opener().engine());
    List<DeviceService> services = service == null ? List.of() : List.of(service);
    control
        .registry()
        .add(
            ServedDevice.of(
                merge.mapped(),
                service,
                List.of(merge.plan().storeAddress().text(), merge.plan().originAddress().text()),
                () -> SnapshotFields.of(merge.mapped(), merge.target().figures())));
    devices.layers(control.name()).forEach(control.registry()::add);
    SnapshotFigures first = merge.figures();
    console.say(
        "merging %s into %s: %s to copy"
            .formatted(order.store(), order.origin(), Progress.human(merge.leftBytes(first))));
    merge.mapped().resume();
    services.forEach(served -> tellReady(served.uris()));
    watch(merge, merge.leftBytes(first));
    quiesce(devices, services);
    return end(merge, merge.leftBytes(first));
  }

  /** Shows progress until all is merged, or no more will be, or a signal comes. */
  private void watch(Merge merge, long totalBytes) throws InterruptedException {
    Progress shown = new Progress(merge.mapped().name(), totalBytes, 0, System.nanoTime());
    try (ProgressDisplay display = new ProgressDisplay(console, shown)) {
      Wakeup why = null;
      while (why != Wakeup.STOP) {
        SnapshotFigures now = merge.figures();
        long doneBytes = totalBytes - merge.leftBytes(now);
        boolean isOver = now.isEmpty() || now.state() != SnapshotState.ACTIVE;
        if (isOver || merge.mapped().fault() != null) {
          return;
        }
        display.show(doneBytes, doneBytes, 0, note(merge));
        why = await(display.interval().toNanos());
      }
    }
  }

  /** What keeps the merge waiting; null if nothing does. */
  private static @Nullable String note(Merge merge) {
    for (DeviceHealth device : merge.mapped().health()) {
      if (device.state() != DeviceHealth.State.GOOD) {
        return device.toSentence();
      }
    }
    return null;
  }

  private int end(Merge merge, long totalBytes) throws UserException {
    SnapshotFigures last = merge.figures();
    String goesOn =
        "oxbow merge %s %s goes on; until it has finished, do not use %s by itself."
            .formatted(order.origin(), order.store(), order.origin());
    String fault = merge.mapped().fault();
    if (fault != null) {
      throw UserException.failed(COMMAND + ": the device failed", fault).advise(goesOn);
    }
    if (last.state() != SnapshotState.ACTIVE) {
      throw UserException.failed(COMMAND + ": Merge failed", last.why()).advise(goesOn);
    }
    flush(merge, goesOn);
    boolean isDone = last.isEmpty();
    Map<String, @Nullable Object> fields = new LinkedHashMap<>(SnapshotFields.of(last));
    fields.put("done", isDone);
    long doneBytes = totalBytes - merge.leftBytes(last);
    console.event(
        "stopped",
        fields,
        isDone
            ? "merged: %s holds everything, and %s is an empty store"
                .formatted(order.origin(), order.store())
            : "stopped: %d %% merged; %s"
                .formatted(Progress.percent(doneBytes, totalBytes), goesOn));
    return 0;
  }

  private static void flush(Merge merge, String goesOn) throws UserException {
    try {
      // What clients wrote; the merge has flushed what it copied.
      DeviceStack.flush(merge.plan().origin());
      DeviceStack.flush(merge.plan().store());
    } catch (IOException failed) {
      throw UserException.failed(COMMAND + ": the last writes may be lost", failed).advise(goesOn);
    }
  }
}
