package oxbow.job;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import oxbow.block.ByteSize;
import oxbow.console.Console;
import oxbow.console.Progress;
import oxbow.console.UserException;
import oxbow.inspect.ByteRange;
import oxbow.inspect.ExtFreeSpace;
import oxbow.mapped.MappedDevice;
import oxbow.target.bow.BowArgs;
import oxbow.target.bow.BowState;
import oxbow.target.bow.BowStatus;
import oxbow.target.bow.BowTarget;
import oxbow.target.bow.BowTargetType;

/**
 * {@code oxbow bow DEVICE}: checks, learns what is free, serves the device, and ends in order, in
 * whatever state it is: a checkpoint stays on the device, and it is said how to end it. Used once.
 */
public final class BowJob extends ForegroundJob {
  private static final String COMMAND = BowChecks.COMMAND;

  private final BowOrder order;
  private final Console console;

  /** The device, and its target, which is asked under the device's lock. */
  private record Served(BowPlan plan, MappedDevice mapped, BowTarget target) {
    BowStatus figures() {
      return mapped.ask(asked -> target.figures());
    }

    Map<String, @Nullable Object> fields() {
      return mapped.ask(asked -> BowFields.of(mapped, target));
    }
  }

  /**
   * @param ready takes each URI once the device is served; must not block
   */
  public BowJob(BowOrder order, Console console, Consumer<String> ready) {
    super(COMMAND, console, ready);
    this.order = order;
    this.console = console;
  }

  @Override
  int run(DeviceStack devices) throws UserException, IOException, InterruptedException {
    BowPlan plan = new BowChecks(order, devices).check();
    try (ControlPoint control =
        ControlPoint.listen(COMMAND, console(), order.name(), order.control(), order.device())) {
      return run(build(plan, devices, control.name()), control, devices);
    }
  }

  private Served build(BowPlan plan, DeviceStack devices, String name)
      throws UserException, IOException {
    devices.name("device", plan.device());
    BowTarget target =
        (BowTarget)
            devices.target(
                BowTargetType.NAME,
                plan.device().sizeBytes(),
                plan.words(),
                Map.of(plan.address().text(), plan.device()),
                DeviceStack.UNCHANGED);
    MappedDevice mapped = devices.map(name, target, listenerOf(null));
    mapped.ask(
        asked -> {
          target.setPolicy(order.whenFull(), order.warnPercent());
          for (ByteRange range : plan.free()) {
            target.free(range.offsetBytes(), range.lengthBytes());
          }
          return target;
        });
    return new Served(plan, mapped, target);
  }

  private int run(Served served, ControlPoint control, DeviceStack devices)
      throws UserException, IOException, InterruptedException {
    DeviceService service =
        DeviceService.serve(
            COMMAND,
            "--listen",
            served.mapped(),
            control.name(),
            order.listen(),
            devices.opener().engine());
    control
        .registry()
        .add(
            ServedDevice.of(
                served.mapped(), service, List.of(served.plan().address().text()), served::fields));
    devices.layers(control.name()).forEach(control.registry()::add);
    sayWhatBegins(served);
    served.mapped().resume();
    tellReady(service.uris());
    watch(served);
    quiesce(devices, List.of(service));
    return end(served);
  }

  private void sayWhatBegins(Served served) {
    long blockBytes = order.blockBytes().orElse(BowArgs.DEFAULT_BLOCK_BYTES);
    console.say(
        "%s: %s in blocks of %s; discards tell what is free"
            .formatted(
                order.device(),
                Progress.human(served.mapped().sizeBytes()),
                ByteSize.format(blockBytes)));
    sayWhatIsLearnt(served.plan(), served.figures().freeBytes());
    console.say(
        "what is learnt of free space is lost if this ends before: oxbow bow checkpoint "
            + served.mapped().name());
  }

  private void sayWhatIsLearnt(BowPlan plan, long freeBytes) {
    if (!plan.isAnythingLearnt()) {
      return;
    }
    long listed = plan.listed().stream().mapToLong(ByteRange::lengthBytes).sum();
    ExtFreeSpace ext = plan.ext();
    Map<String, @Nullable Object> fields = new LinkedHashMap<>();
    fields.put("freeBytes", freeBytes);
    fields.put("fromFreeListBytes", order.freeList() == null ? null : listed);
    fields.put("fromExtBytes", ext == null ? null : ext.freeBytes());
    StringBuilder line = new StringBuilder("learnt: " + Progress.human(freeBytes) + " are free");
    if (order.freeList() != null) {
      line.append("; %s by %s".formatted(Progress.human(listed), order.freeList()));
    }
    if (ext != null) {
      line.append("; %s by the file system".formatted(Progress.human(ext.freeBytes())));
      sayDoubts(ext);
    }
    console.event("learnt", fields, line.toString());
  }

  private void sayDoubts(ExtFreeSpace ext) {
    for (String doubt : ext.doubts()) {
      console.event("warning", Map.of("what", doubt), "warning: " + doubt);
    }
    long more = ext.doubtfulGroupCount() - ext.doubts().size();
    if (more > 0) {
      String rest = "and so do %d more groups".formatted(more);
      console.event("warning", Map.of("what", rest), "warning: " + rest);
    }
  }

  /** Says where things stand now, whenever that has changed, until it is time to end. */
  private void watch(Served served) throws InterruptedException {
    BowState told = BowState.TRIM;
    do {
      BowState now = served.figures().state();
      if (now != told && now == BowState.CHECKPOINT) {
        console.say(
            "from now on nothing is overwritten before it is saved. To keep what is written: oxbow"
                + " bow commit %s; to take it back: stop this, and oxbow bow restore %s"
                    .formatted(served.mapped().name(), order.device()));
      } else if (now != told && now == BowState.COMMITTED) {
        console.say("everything that was written is kept; from now on nothing is saved");
      }
      told = now;
    } while (await() != Wakeup.STOP);
  }

  /** What is flushed is so whatever has failed. */
  private int end(Served served) throws UserException {
    BowStatus last = served.figures();
    IOException unflushed = null;
    try {
      DeviceStack.flush(served.plan().device());
    } catch (IOException failed) {
      unflushed = failed;
    }
    checkEnd(served, last.state());
    if (unflushed != null) {
      throw UserException.failed(COMMAND + ": the last writes may be lost", unflushed)
          .advise("What clients have flushed is safe. " + whatIsThere(last));
    }
    console.event("stopped", BowFields.of(last), "stopped: " + whatIsThere(last));
    return 0;
  }

  private void checkEnd(Served served, BowState state) throws UserException {
    String fault = served.mapped().fault();
    String problem =
        served.mapped().ask(asked -> served.target().hasFailed() ? served.target().problem() : "");
    if (fault != null || !problem.isEmpty()) {
      String what = fault == null ? COMMAND : COMMAND + ": the device failed";
      String advice =
          state == BowState.TRIM || state == BowState.COMMITTED
              ? "See whether a checkpoint is there: oxbow inspect " + order.device()
              : order.device() + " holds a checkpoint: " + order.waysOut();
      throw UserException.failed(what, fault == null ? problem : fault).advise(advice);
    }
  }

  private String whatIsThere(BowStatus last) {
    return switch (last.state()) {
      case TRIM ->
          "no checkpoint was made; %s is as it was written, and what was learnt of free space (%s)"
                  .formatted(order.device(), Progress.human(last.freeBytes()))
              + " is forgotten";
      case CHECKPOINT, CHECKPOINTING, COMMITTING ->
          "%s holds a checkpoint (%s saved): "
                  .formatted(order.device(), Progress.human(last.backedUpBytes()))
              + order.waysOut();
      case COMMITTED ->
          "the checkpoint is committed; " + order.device() + " holds everything that was written";
    };
  }
}
