package oxbow.mapped;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import oxbow.block.BlockDevice;
import oxbow.block.BlockingDevice;
import oxbow.block.Sectors;
import oxbow.device.Requests;
import oxbow.device.mem.MemDevice;
import oxbow.inspect.CloneMetadataCheck;
import oxbow.inspect.CloneMetadataReport;
import oxbow.target.TargetException;
import oxbow.target.clone.CloneOptions;
import oxbow.target.clone.CloneProgress;
import oxbow.target.clone.CloneTarget;
import oxbow.target.clone.CloneTargetType;

/**
 * A mapped device of the clone target over devices in memory, resumed. When it is closed its
 * metadata is checked as by {@code oxbow inspect --check}: every test is thereby a test of
 * consistency.
 */
final class TestClone implements AutoCloseable {
  static final long TIMEOUT_NANOS = TimeUnit.SECONDS.toNanos(60);

  final MappedDevice device;
  final BlockDevice metadata;
  final TimerLoop timers = new TimerLoop();
  final List<String> events = Collections.synchronizedList(new ArrayList<>());
  final List<String> warnings = Collections.synchronizedList(new ArrayList<>());

  /**
   * A fresh clone of the source's whole length.
   *
   * @param tail words of the table line from the region size on
   */
  TestClone(BlockDevice source, BlockDevice destination, String tail) throws TargetException {
    this(source, destination, new MemDevice(4 << 20), tail, CloneOptions.TABLE, Runnable::run);
  }

  TestClone(
      BlockDevice source,
      BlockDevice destination,
      BlockDevice metadata,
      String tail,
      CloneOptions options,
      Executor blocking)
      throws TargetException {
    this.metadata = metadata;
    Map<String, BlockDevice> devices =
        Map.of("meta", metadata, "dest", destination, "source", source);
    List<String> words = new ArrayList<>(List.of("meta", "dest", "source"));
    words.addAll(List.of(tail.split(" ")));
    this.device =
        new MappedDevice(
            "c",
            CloneTargetType.construct(
                Sectors.fromBytes(source.sizeBytes()),
                words,
                options,
                (address, isWritable) -> Objects.requireNonNull(devices.get(address))),
            timers,
            blocking,
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
    device.resume();
  }

  /** Random bytes in a new device in memory. */
  static MemDevice random(long sizeBytes, long seed) {
    byte[] bytes = new byte[Math.toIntExact(sizeBytes)];
    new Random(seed).nextBytes(bytes);
    MemDevice device = new MemDevice(sizeBytes);
    Requests.write(device, 0, bytes);
    return device;
  }

  /** Lets timers fire, one-second ticks among them, until all is hydrated. */
  void hydrate() {
    for (int i = 0; progress().hydratedRegions() < progress().totalRegions(); i++) {
      assertThat(i).as("ticks until %s", device.status(true)).isLessThan(1_000_000);
      timers.fire();
      Thread.onSpinWait();
    }
  }

  CloneProgress progress() {
    return device.ask(target -> ((CloneTarget) target).progress());
  }

  /** Hydrated and total regions, without a commit. */
  String hydrated() {
    CloneProgress now = progress();
    return now.hydratedRegions() + "/" + now.totalRegions();
  }

  /** How many regions are hydrated on disk. */
  long committedCount() throws IOException {
    return Objects.requireNonNull(check().bitset()).hydratedCount();
  }

  private CloneMetadataReport check() throws IOException {
    try (BlockingDevice io = new BlockingDevice(metadata)) {
      return CloneMetadataCheck.run(io, 20, 20);
    }
  }

  @Override
  public void close() throws IOException {
    assertThat(device.suspend(TIMEOUT_NANOS)).as("drained").isTrue();
    device.close();
    CloneMetadataReport report = check();
    assertThat(report.problems()).isEmpty();
    assertThat(report.isClean()).isTrue();
  }
}
