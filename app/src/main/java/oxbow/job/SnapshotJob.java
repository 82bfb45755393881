package oxbow.job;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockDevice;
import oxbow.block.Sectors;
import oxbow.console.Console;
import oxbow.console.Progress;
import oxbow.console.UserException;
import oxbow.control.ControlDirectory;
import oxbow.device.file.FileDevice;
import oxbow.engine.Engine;
import oxbow.mapped.MappedDevice;
import oxbow.target.snapshot.SnapshotArgs;
import oxbow.target.snapshot.SnapshotFigures;
import oxbow.target.snapshot.SnapshotState;

/**
 * {@code oxbow snapshot}: checks, creates, serves the snapshot and, where that is asked for, the
 * origin, lets the store grow, and ends in order: clients are answered, exceptions committed, what
 * was written flushed. Used once.
 */
public final class SnapshotJob extends ForegroundJob {
  private static final String COMMAND = SnapshotChecks.COMMAND;

  private final SnapshotOrder order;
  private final Console console;

  /**
   * @param ready takes each URI once its device is served, those of the snapshot first; must not
   *     block
   */
  public SnapshotJob(SnapshotOrder order, Console console, Consumer<String> ready) {
    super(COMMAND, console, ready);
    this.order = order;
    this.console = console;
  }

  @Override
  int run(DeviceStack devices) throws UserException, IOException, InterruptedException {
    SnapshotPlan plan = new SnapshotChecks(order, devices, console).check();
    try (ControlPoint control =
            ControlPoint.listen(COMMAND, console(), order.name(), order.control(), order.store());
        SnapshotStack stack =
            SnapshotStack.build(
                plan, devices, control.name(), originName(control.name()), this::listener)) {
      return run(plan, control, stack, devices);
    }
  }

  /** Two devices of one job have two names. */
  private String originName(String snapshotName) {
    String given = order.originName();
    String name = given == null ? ControlDirectory.nameFrom(order.origin()) : given;
    return name.equals(snapshotName) ? name + "-origin" : name;
  }

  /** The device's name stands in front where there are two. */
  private MappedDevice.Listener listener(String name) {
    return listenerOf(order.isOriginServed() ? name : null);
  }

  private int run(SnapshotPlan plan, ControlPoint control, SnapshotStack stack, DeviceStack devices)
      throws UserException, IOException, InterruptedException {
    MappedDevice origin = stack.origin();
    Engine engine = devices.opener().engine();
    List<DeviceService> services = new ArrayList<>();
    DeviceService service =
        DeviceService.serve(
            COMMAND, "--listen", stack.snapshot(), control.name(), order.listen(), engine);
    services.add(service);
    control
        .registry()
        .add(
            ServedDevice.of(
                stack.snapshot(),
                service,
                List.of(plan.storeAddress().text(), plan.originAddress().text()),
                () -> SnapshotFields.of(stack.snapshot(), stack.figures())));
    if (origin != null) {
      DeviceService ofOrigin = serveOrigin(origin, service, engine);
      services.add(ofOrigin);
      control
          .registry()
          .add(
              ServedDevice.of(
                  origin, ofOrigin, List.of(plan.originAddress().text()), () -> Map.of()));
    }
    devices.layers(control.name()).forEach(control.registry()::add);
    devices.keep();
    sayWhatBegins(plan, stack.figures());
    stack.resume();
    services.forEach(served -> tellReady(served.uris()));
    watch(stack, growth(plan, stack.store()));
    quiesce(devices, services);
    return end(stack);
  }

  private DeviceService serveOrigin(MappedDevice origin, DeviceService other, Engine engine)
      throws UserException, IOException {
    try {
      return DeviceService.serve(
          COMMAND, "--origin-listen", origin, origin.name(), order.originListen(), engine);
    } catch (UserException refused) {
      other.close();
      throw refused;
    }
  }

  private void sayWhatBegins(SnapshotPlan plan, SnapshotFigures figures) {
    String size = Progress.human(plan.lengthBytes());
    if (plan.isStoreNew()) {
      console.say(
          "snapshot of %s: %s in chunks of %s, its changes in %s"
              .formatted(
                  order.origin(),
                  size,
                  Progress.human(Sectors.toBytes(plan.chunkSectors())),
                  order.store()));
    } else {
      console.say(
          "resuming: %s, %d %% of it in use".formatted(order.store(), usedPercent(figures)));
    }
  }

  private static int usedPercent(SnapshotFigures figures) {
    return Progress.percent(figures.allocatedSectors(), figures.totalSectors());
  }

  private @Nullable StoreGrowth growth(SnapshotPlan plan, BlockDevice store) {
    long chunkBytes = Sectors.toBytes(plan.chunkSectors());
    int warnPercent = order.warnPercent().orElse(SnapshotArgs.DEFAULT_WARN_PERCENT);
    return order.growStepBytes().isPresent() && store instanceof FileDevice file
        ? new StoreGrowth(file, chunkBytes, order.growStepBytes().getAsLong(), warnPercent, console)
        : null;
  }

  /** Looks after the store until it is time to end. */
  private void watch(SnapshotStack stack, @Nullable StoreGrowth growth)
      throws InterruptedException {
    SnapshotState told = SnapshotState.ACTIVE;
    do {
      SnapshotFigures now = stack.figures();
      if (growth != null) {
        growth.look(now, stack.snapshot());
      }
      if (now.state() != told) {
        told = now.state();
        console.say(whatNow(told));
      }
    } while (await() != Wakeup.STOP);
  }

  private String whatNow(SnapshotState state) {
    return state == SnapshotState.OVERFLOW
        ? order.store() + " is full: writes to the snapshot fail from now on; what it holds stays"
        : "all requests to the snapshot fail from now on; "
            + order.origin()
            + " is as it should be";
  }

  /** What is flushed is so whatever has failed: the store may be full, the snapshot lost. */
  private int end(SnapshotStack stack) throws UserException {
    SnapshotFigures last = stack.figures();
    IOException unflushed = null;
    try {
      stack.flush();
    } catch (IOException failed) {
      unflushed = failed;
    }
    checkEnd(stack, last);
    if (unflushed != null) {
      throw UserException.failed(COMMAND + ": the last writes may be lost", unflushed)
          .advise("What clients have flushed is safe.");
    }
    console.event(
        "stopped",
        SnapshotFields.of(last),
        order.isTransient()
            ? "stopped: the snapshot was transient, and is gone"
            : "stopped: %s, %d %% of it in use; oxbow snapshot %s %s goes on from here"
                .formatted(order.store(), usedPercent(last), order.origin(), order.store()));
    return 0;
  }

  private void checkEnd(SnapshotStack stack, SnapshotFigures last) throws UserException {
    MappedDevice origin = stack.origin();
    for (MappedDevice device :
        origin == null ? List.of(stack.snapshot()) : List.of(stack.snapshot(), origin)) {
      String fault = device.fault();
      if (fault != null) {
        throw UserException.failed(COMMAND + ": the device failed", device.name() + ": " + fault);
      }
    }
    if (last.state() == SnapshotState.OVERFLOW) {
      throw UserException.failed(COMMAND, order.store() + " is full: writes have failed")
          .advise("What it holds is safe. Make the store larger, or merge it.");
    }
    if (last.state() != SnapshotState.ACTIVE) {
      throw UserException.failed(COMMAND, "the snapshot is invalid: " + last.why())
          .advise(order.origin() + " is as it should be.");
    }
  }
}
