package oxbow.job;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
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
public final class CloneJob {
  private static final String COMMAND = "clone";

  private final CloneOrder order;
  private final Console console;
  private final Consumer<String> ready;
  private final WarningFilter warnings = new WarningFilter();
  private final LinkedBlockingQueue<Wakeup> wakeups = new LinkedBlockingQueue<>();

  /** Why the job looks up from waiting. */
  private enum Wakeup {
    STOP,
    DEVICE_EVENT,
    VERIFIED
  }

  /**
   * @param ready takes each URI under which the clone is served, once it is; must not block
   */
  public CloneJob(CloneOrder order, Console console, Consumer<String> ready) {
    this.order = order;
    this.console = console;
    this.ready = ready;
  }

  /** Ends the job in order, as a signal does; from any thread. */
  public void stop() {
    wakeups.add(Wakeup.STOP);
  }

  /**
   * Runs until a signal, or until the destination is a full copy if that was asked for. Blocks.
   *
   * @return the exit status
   */
  public int run() throws UserException, IOException, InterruptedException {
    StopSignals signals = StopSignals.onFirst(this::stop);
    try (signals;
        DeviceOpener opener = new DeviceOpener(console::say)) {
      ClonePlan plan = new CloneChecks(order, opener, console).check();
      try (CloneTraces traces = traces(plan);
          ControlPoint control = listen(plan);
          CloneStack stack = CloneStack.build(plan, control.name(), opener, listener())) {
        return run(plan, control, stack, traces, opener);
      }
    }
  }

  private CloneTraces traces(ClonePlan plan) throws UserException, IOException {
    try {
      return CloneTraces.open(order, plan.lengthBytes(), console);
    } catch (UserException refused) {
      plan.close();
      throw refused;
    }
  }

  private ControlPoint listen(ClonePlan plan) throws UserException, IOException {
    try {
      return ControlPoint.listen(COMMAND, order.name(), order.control(), order.destination());
    } catch (UserException refused) {
      plan.close();
      throw refused;
    }
  }

  private MappedDevice.Listener listener() {
    return new MappedDevice.Listener() {
      @Override
      public void event(long number, String why) {
        console.event(
            "event", Map.of("number", number, "why", why), "event " + number + ": " + why);
        wakeups.add(Wakeup.DEVICE_EVENT);
      }

      @Override
      public void warning(String what) {
        String shown = warnings.show(what);
        if (!shown.isEmpty()) {
          console.event("warning", Map.of("what", what), "warning: " + shown);
        }
      }
    };
  }

  private int run(
      ClonePlan plan,
      ControlPoint control,
      CloneStack stack,
      CloneTraces traces,
      DeviceOpener opener)
      throws UserException, IOException, InterruptedException {
    // The device holds requests until it is resumed: nothing is copied unless all can be served.
    CloneVerifier verifier =
        order.isVerified() ? new CloneVerifier(stack.target(), order.destination(), console) : null;
    BlockDevice device = verifier == null ? stack.mapped() : verifier.served(stack.mapped());
    DeviceService service =
        order.isServed()
            ? DeviceService.serve(
                COMMAND, traces.served(device), control.name(), order.listen(), opener.engine())
            : null;
    stack.keep();
    traces.keep();
    traces.giveOrder(stack.target());
    sayWhatBegins(plan, stack.progress());
    List<String> uris = service == null ? List.of() : service.uris();
    control.registry().add(device(plan, stack, service, uris));
    stack.layers().forEach(control.registry()::add);
    uris.forEach(ready);
    // Only now, so that nothing is told before "ready", however soon hydration has completed.
    stack.mapped().resume();
    String failure;
    try {
      failure = watch(stack, verifier);
    } finally {
      if (verifier != null) {
        // It may be waiting for a source that is gone.
        stack.holdNoLonger();
        verifier.close();
      }
    }
    int status = end(stack, service, failure);
    if (verifier != null) {
      verifier.check();
    }
    return status;
  }

  private static CloneDevice device(
      ClonePlan plan, CloneStack stack, @Nullable DeviceService service, List<String> uris) {
    return new CloneDevice(
        stack.mapped(),
        stack.target(),
        uris.isEmpty() ? "-" : uris.getFirst(),
        List.of(
            plan.order().source(), plan.destinationAddress().text(), plan.metadataAddress().text()),
        () -> service == null ? 0 : service.clients());
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
  private @Nullable String watch(CloneStack stack, @Nullable CloneVerifier verifier)
      throws InterruptedException {
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
        if (now.isDone() && verifier != null) {
          verifier.begin(() -> wakeups.add(Wakeup.VERIFIED));
        }
        String obstacle = obstacle(stack, now);
        if (obstacle != null && order.isUntilHydrated()) {
          return obstacle;
        }
        // When all is done there is nothing more to show: sleep until something happens.
        Wakeup why =
            wasDone
                ? wakeups.take()
                : wakeups.poll(display.interval().toNanos(), TimeUnit.NANOSECONDS);
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

  private int end(CloneStack stack, @Nullable DeviceService service, @Nullable String failure)
      throws UserException, IOException {
    stack.holdNoLonger();
    boolean isDrained = service == null || service.drain();
    boolean isSuspended = stack.suspend();
    CloneProgress last = stack.progress();
    if (!isDrained || !isSuspended) {
      throw UserException.failed(COMMAND, "a device did not answer; what was flushed is safe");
    }
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
