package oxbow.job;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockDevice;
import oxbow.block.Sectors;
import oxbow.console.Console;
import oxbow.console.Progress;
import oxbow.console.UserException;
import oxbow.mapped.DeviceHealth;
import oxbow.mapped.MappedDevice;
import oxbow.target.clone.CloneMode;
import oxbow.target.clone.CloneProgress;

/**
 * {@code oxbow clone}: checks, creates, serves, shows how far hydration is, and ends in order:
 * clients are answered, the destination is flushed, the metadata committed. Used once.
 */
public final class CloneJob extends ForegroundJob {
  private static final String COMMAND = "clone";
  private static final long COLLAPSE_AGAIN_NANOS = TimeUnit.SECONDS.toNanos(30);

  private final CloneOrder order;
  private final Console console;

  /** Null unless the clone shall become its destination. */
  private @Nullable CollapsingClone collapsing;

  /**
   * @param ready takes each URI under which the clone is served, once it is; must not block
   */
  public CloneJob(CloneOrder order, Console console, Consumer<String> ready) {
    super(COMMAND, console, ready);
    this.order = order;
    this.console = console;
  }

  @Override
  int run(DeviceStack devices) throws UserException, IOException, InterruptedException {
    ClonePlan plan = new CloneChecks(order, devices, console).check();
    MappedDevice.Listener listener = listenerOf(null);
    try (CloneTraces traces = CloneTraces.open(order, plan.lengthBytes(), console);
        ControlPoint control =
            ControlPoint.listen(
                COMMAND, console(), order.name(), order.control(), order.destination());
        CloneStack stack =
            CloneStack.build(plan, devices, control.name(), cloneListener(control, listener))) {
      return run(plan, control, stack, traces, devices);
    }
  }

  private MappedDevice.Listener cloneListener(
      ControlPoint control, MappedDevice.Listener listener) {
    if (!order.isCollapsing()) {
      return listener;
    }
    CollapsingClone made = new CollapsingClone(control.name(), listener);
    collapsing = made;
    return made.cloneListener();
  }

  private int run(
      ClonePlan plan,
      ControlPoint control,
      CloneStack stack,
      CloneTraces traces,
      DeviceStack devices)
      throws UserException, IOException, InterruptedException {
    // The device holds requests until it is resumed: nothing is copied unless all can be served.
    CloneVerifier verifier =
        order.isVerified() ? new CloneVerifier(stack.target(), order.destination(), console) : null;
    CollapsingClone becoming = collapsing;
    BlockDevice clone = becoming == null ? stack.mapped() : becoming.begin(stack.mapped());
    BlockDevice device = verifier == null ? clone : verifier.served(clone);
    DeviceService service =
        order.isServed()
            ? DeviceService.serve(
                COMMAND,
                "--listen",
                traces.served(device),
                control.name(),
                order.listen(),
                devices.opener().engine())
            : null;
    devices.keep();
    traces.keep();
    traces.giveOrder(stack.target());
    sayWhatBegins(plan, stack.progress());
    ServedDevice shown = device(plan, stack, service);
    CollapsingDevice changing = becoming == null ? null : new CollapsingDevice(becoming, shown);
    control.registry().add(changing == null ? shown : changing);
    devices.layers(control.name()).forEach(control.registry()::add);
    tellReady(service == null ? List.of() : service.uris());
    // Only now, so that nothing is told before "ready", however soon hydration has completed.
    if (becoming == null) {
      stack.mapped().resume();
    } else {
      becoming.resume();
    }
    String failure;
    try {
      failure = watch(stack, verifier, linear -> show(changing, plan, service, linear));
    } finally {
      if (verifier != null) {
        // It may be waiting for a source that is gone.
        devices.holdNoLonger();
        verifier.close();
      }
    }
    quiesce(devices, service == null ? List.of() : List.of(service));
    int status = end(stack, failure);
    if (verifier != null) {
      verifier.check();
    }
    return status;
  }

  private static ServedDevice device(
      ClonePlan plan, CloneStack stack, @Nullable DeviceService service) {
    return ServedDevice.of(
        stack.mapped(),
        service,
        List.of(
            plan.order().source(), plan.destinationAddress().text(), plan.metadataAddress().text()),
        () -> CloneFigures.of(stack.mapped(), stack.target()));
  }

  private void sayWhatBegins(ClonePlan plan, CloneProgress progress) {
    String size = Progress.human(plan.lengthBytes());
    if (plan.isMetadataNew()) {
      console.say(
          "cloning %s to %s: %s in regions of %s"
              .formatted(
                  order.source(), order.destination(), size, Progress.human(plan.regionBytes())));
    } else if (progress.isDone()) {
      console.say("resuming: " + order.destination() + " is a full copy already");
    } else {
      console.say(
          "resuming: %d %% of %s hydrated"
              .formatted(
                  Progress.percent(progress.hydratedRegions(), progress.totalRegions()), size));
    }
  }

  /**
   * Shows progress until it is time to end.
   *
   * @return null, or why the destination will not become a full copy though that was asked for
   */
  private @Nullable String watch(
      CloneStack stack, @Nullable CloneVerifier verifier, Consumer<MappedDevice> collapsed)
      throws UserException, IOException, InterruptedException {
    CloneProgress now = stack.progress();
    boolean wasDone = now.isDone();
    Progress shown =
        new Progress(
            stack.mapped().name(), now.deviceBytes(), now.hydratedBytes(), System.nanoTime());
    try (ProgressDisplay display = new ProgressDisplay(console, shown)) {
      while (true) {
        boolean isVerified = verifier == null || verifier.hasEnded();
        if (now.isDone() && order.isUntilHydrated() && isVerified) {
          return null;
        }
        if (now.isDone() && !wasDone) {
          wasDone = true;
          console.endBar();
          if (!order.isUntilHydrated()) {
            console.say(order.destination() + " is a full copy now; it is served until stopped");
          }
        }
        boolean isToCollapse = now.isDone() && isVerified && !stack.isCollapsed();
        boolean isHeldUp = isToCollapse && !collapse(stack, collapsed);
        if (now.isDone() && verifier != null) {
          verifier.begin(() -> wake(Wakeup.WORK_ENDED));
        }
        String obstacle = stack.isCollapsed() ? null : obstacle(stack, now);
        if (obstacle != null && order.isUntilHydrated()) {
          return obstacle;
        }
        // When all is done there is nothing more to show: sleep until something happens.
        long sleepNanos = isHeldUp ? COLLAPSE_AGAIN_NANOS : display.interval().toNanos();
        Wakeup why = wasDone && !isHeldUp ? await() : await(sleepNanos);
        if (why == Wakeup.STOP) {
          return null;
        }
        now = stack.progress();
        if (!wasDone) {
          display.show(now.hydratedBytes(), now.copiedBytes(), now.failures(), note(stack, now));
        }
      }
    }
  }

  /**
   * @return false if it shall collapse and cannot now
   */
  private boolean collapse(CloneStack stack, Consumer<MappedDevice> collapsed) throws IOException {
    CollapsingClone becoming = collapsing;
    if (becoming == null) {
      return true;
    }
    try {
      collapsed.accept(stack.collapse(becoming));
      return true;
    } catch (UserException busy) {
      console.say(busy.toUserText());
      return false;
    }
  }

  /** The verbs see the destination from now on. */
  private void show(
      @Nullable CollapsingDevice device,
      ClonePlan plan,
      @Nullable DeviceService service,
      MappedDevice linear) {
    if (device != null) {
      device.become(
          ServedDevice.of(
              linear,
              service,
              List.of(plan.destinationAddress().text()),
              () -> TargetFigures.of(linear)));
    }
    console.event(
        "collapsed",
        Map.of("destination", order.destination()),
        "the clone has become " + order.destination() + "; the source is not needed any more");
  }

  /** Why hydration goes no further by itself; null while it may. */
  private static @Nullable String obstacle(CloneStack stack, CloneProgress now) {
    String fault = stack.mapped().fault();
    if (fault != null) {
      return "device failed: " + fault;
    }
    return now.mode() == CloneMode.READ_WRITE
        ? now.pausedReason()
        : "device is in mode " + now.mode().word() + ": " + now.modeReason();
  }

  /** What keeps the job waiting; null if nothing does. */
  private static @Nullable String note(CloneStack stack, CloneProgress now) {
    for (DeviceHealth device : stack.mapped().health()) {
      if (device.state() != DeviceHealth.State.GOOD) {
        return device.toSentence();
      }
    }
    return obstacle(stack, now);
  }

  private int end(CloneStack stack, @Nullable String failure) throws UserException {
    CloneProgress last = stack.progress();
    if (failure != null) {
      throw UserException.failed(COMMAND + ": not fully hydrated", failure)
          .advise("The same command goes on where this one stopped.");
    }
    String fault = stack.mapped().fault();
    if (fault != null) {
      throw UserException.failed(COMMAND + ": the device failed", fault);
    }
    if (last.mode() != CloneMode.READ_WRITE) {
      throw UserException.failed(
          COMMAND, "ended in mode " + last.mode().word() + ": " + last.modeReason());
    }
    flushDestination(stack);
    String share =
        last.isDone()
            ? order.destination() + " is a full copy"
            : Progress.percent(last.hydratedRegions(), last.totalRegions())
                + " % hydrated; the same command goes on from here";
    console.event(
        "stopped",
        Map.of(
            "hydratedRegions", last.hydratedRegions(),
            "totalRegions", last.totalRegions(),
            "sectors", Sectors.fromBytes(last.deviceBytes()),
            "done", last.isDone()),
        "stopped: " + share + " (" + Progress.human(last.copiedBytes()) + " copied)");
    return 0;
  }

  private static void flushDestination(CloneStack stack) throws UserException {
    try {
      stack.flushDestination();
    } catch (IOException failed) {
      throw UserException.failed(COMMAND + ": the last writes may be lost", failed)
          .advise("What clients have flushed is safe.");
    }
  }
}
