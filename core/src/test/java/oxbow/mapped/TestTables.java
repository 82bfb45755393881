package oxbow.mapped;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import oxbow.block.BlockDevice;
import oxbow.block.BlockRequest;
import oxbow.block.Operation;
import oxbow.target.Target;

/** A table device and the tables that a test gives it. */
final class TestTables {
  /** Longer than anything that ends takes. */
  static final Duration PATIENCE = Duration.ofSeconds(60);

  /** Long enough to see that something does not end. */
  static final Duration IMPATIENCE = Duration.ofMillis(30);

  final TimerLoop timers = new TimerLoop();
  final List<String> events = Collections.synchronizedList(new ArrayList<>());
  final List<String> warnings = Collections.synchronizedList(new ArrayList<>());
  final TableDevice device;

  TestTables(boolean isReadOnly) {
    device =
        new TableDevice(
            "d",
            isReadOnly,
            new MappedDevice.Listener() {
              @Override
              public void event(long number, String why) {
                events.add(number + " " + why);
              }

              @Override
              public void warning(String what) {
                warnings.add(what);
              }
            });
  }

  TestTables() {
    this(false);
  }

  MappedDevice mapped(Target target) {
    return new MappedDevice("t", target, timers, Runnable::run, device.targetListener());
  }

  Table table(Target... targets) {
    return new Table(Arrays.stream(targets).map(this::mapped).toList());
  }

  /** Strips of one device in its own order, cut at these places. */
  Table strips(BlockDevice below, long... cutsBytes) {
    List<MappedDevice> targets = new ArrayList<>();
    long at = 0;
    for (long cut : cutsBytes) {
      targets.add(mapped(new StripTarget(below, at, cut - at)));
      at = cut;
    }
    targets.add(mapped(new StripTarget(below, at, below.sizeBytes() - at)));
    return new Table(targets);
  }

  /** Suspends, replaces the table and closes the former one. */
  void swap(Table next) throws IOException {
    device.suspend(PATIENCE, true);
    Table former = device.resume(next);
    if (former != null) {
      former.close();
    }
  }

  /** A request without data in flight. */
  static CompletableFuture<Integer> start(
      BlockDevice device, Operation operation, long at, long length) {
    CompletableFuture<Integer> done = new CompletableFuture<>();
    device.submit(
        new BlockRequest()
            .range(operation, at, length, 0, (request, errno) -> done.complete(errno)));
    return done;
  }

  /** Waits for a condition that another thread brings about. */
  static void until(BooleanSupplier condition) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("it does not come about");
      }
      Thread.onSpinWait();
    }
  }

  void close() throws IOException {
    device.suspend(PATIENCE, true);
    device.close();
  }
}
