package oxbow.job;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockDevice;
import oxbow.console.Console;
import oxbow.console.Progress;
import oxbow.console.UserException;
import oxbow.device.Address;

/**
 * {@code oxbow verify A B}: says whether two devices hold the same, and where they first differ.
 */
public final class VerifyJob {
  private static final String COMMAND = "verify";

  private final String a;
  private final String b;
  private final Console console;

  public VerifyJob(String a, String b, Console console) {
    this.a = a;
    this.b = b;
    this.console = console;
  }

  /** Compares; true when the devices are equal. Blocks. */
  public boolean run() throws UserException, IOException, InterruptedException {
    Address addressA = DeviceOpener.parse(COMMAND, a);
    Address addressB = DeviceOpener.parse(COMMAND, b);
    try (DeviceOpener opener = new DeviceOpener(console::say);
        BlockDevice deviceA = open(opener, addressA);
        BlockDevice deviceB = open(opener, addressB)) {
      Comparison comparison = new Comparison(deviceA, deviceB);
      Comparison.@Nullable Difference difference = watch(comparison, deviceA, deviceB);
      return tell(deviceA, deviceB, comparison, difference);
    }
  }

  private static BlockDevice open(DeviceOpener opener, Address address) throws UserException {
    try {
      return opener.openCheckpointed(address, false);
    } catch (IOException failed) {
      throw UserException.failed(COMMAND, failed);
    }
  }

  private Comparison.@Nullable Difference watch(
      Comparison comparison, BlockDevice deviceA, BlockDevice deviceB)
      throws IOException, InterruptedException {
    long total = Math.min(deviceA.sizeBytes(), deviceB.sizeBytes());
    AtomicReference<Comparison.@Nullable Difference> found = new AtomicReference<>();
    AtomicReference<@Nullable IOException> failure = new AtomicReference<>();
    Thread work =
        Thread.ofVirtual()
            .name(COMMAND)
            .start(
                () -> {
                  try {
                    found.set(comparison.run());
                  } catch (IOException failed) {
                    failure.set(failed);
                  } catch (InterruptedException nobodyDoesThat) {
                    Thread.currentThread().interrupt();
                  }
                });
    try (ProgressDisplay display =
        new ProgressDisplay(console, new Progress(COMMAND, total, 0, System.nanoTime()))) {
      while (!work.join(display.interval())) {
        display.show(comparison.comparedBytes(), comparison.readBytes(), 0, null);
      }
    }
    IOException failed = failure.get();
    if (failed != null) {
      throw failed;
    }
    return found.get();
  }

  private boolean tell(
      BlockDevice deviceA,
      BlockDevice deviceB,
      Comparison comparison,
      Comparison.@Nullable Difference difference) {
    long sizeA = deviceA.sizeBytes();
    long sizeB = deviceB.sizeBytes();
    boolean isEqual = difference == null && sizeA == sizeB;
    if (console.isJson()) {
      Map<String, @Nullable Object> fields = new LinkedHashMap<>();
      fields.put("equal", isEqual);
      fields.put("sizeA", sizeA);
      fields.put("sizeB", sizeB);
      fields.put("readBytes", comparison.readBytes());
      if (difference != null) {
        fields.put("firstDifference", difference.offsetBytes());
        fields.put("byteA", difference.a());
        fields.put("byteB", difference.b());
      }
      console.result(fields);
      return isEqual;
    }
    if (difference != null) {
      console.result(
          String.format(
              Locale.ROOT,
              "%s and %s differ at byte %d: 0x%02x and 0x%02x",
              a,
              b,
              difference.offsetBytes(),
              difference.a(),
              difference.b()));
    }
    if (sizeA != sizeB) {
      String same = difference == null ? ", and equal as far as both go" : "";
      console.result(a + " has " + sizeA + " bytes, " + b + " has " + sizeB + same);
    }
    if (isEqual) {
      console.result(a + " and " + b + " are equal: " + sizeA + " bytes");
    }
    return isEqual;
  }
}
