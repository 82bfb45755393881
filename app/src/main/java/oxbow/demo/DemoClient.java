package oxbow.demo;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import oxbow.block.BlockingDevice;
import oxbow.console.Console;
import oxbow.console.UserException;

/**
 * Somebody who uses the clone from the first moment on, and remembers what it must hold. Writes
 * stay within a window, so that the memory of them stays small.
 */
final class DemoClient {
  private static final int WINDOW_OFFSET_BYTES = 150 << 20;
  private static final int WINDOW_BYTES = 30 << 20;
  private static final int PAGE_BYTES = 4096;

  /** Nobody works without a pause; one that did would leave hydration its minimum share only. */
  private static final long THINK_NANOS = 3_000_000;

  private final BlockingDevice device;
  private final Console console;
  private final byte[] window = DemoImage.read(WINDOW_OFFSET_BYTES, WINDOW_BYTES);
  private final SplittableRandom random = new SplittableRandom(1);

  DemoClient(BlockingDevice device, Console console) {
    this.device = device;
    this.console = console;
  }

  /** One of each, slowly enough to be read. Blocks. */
  void introduce() throws IOException, UserException {
    tell("reads 4 KiB that are not copied yet", "they come from the source", read(150 << 20));
    tell("writes 1 KiB", "the rest of its region comes from the source", write(1024 + 1, 1024));
    tell("writes 1 MiB", "whole regions need nothing from the source", write(3 << 20, 1 << 20));
    tell("reads back what it wrote", "from the copy", read(WINDOW_OFFSET_BYTES + (3 << 20)));
    long start = System.nanoTime();
    device.flush();
    tell("flushes", "not even a power failure takes it back now", System.nanoTime() - start);
  }

  private void tell(String what, String why, long nanos) {
    console.say(
        String.format(Locale.ROOT, "  a client %-38s %7.2f ms  (%s)", what, millis(nanos), why));
  }

  /** Reads and writes here and there until told to stop; says how that went. Blocks. */
  void work(BooleanSupplier isOver) throws IOException, UserException {
    long[] nanos = new long[1 << 16];
    int count = 0;
    while (!isOver.getAsBoolean()) {
      int page = random.nextInt(WINDOW_BYTES / PAGE_BYTES) * PAGE_BYTES;
      long took =
          random.nextInt(3) == 0
              ? write(page + random.nextInt(512), 1 + random.nextInt(PAGE_BYTES - 512))
              : read(WINDOW_OFFSET_BYTES + page);
      nanos[count++ % nanos.length] = took;
      LockSupport.parkNanos(THINK_NANOS);
    }
    int kept = Math.min(count, nanos.length);
    Arrays.sort(nanos, 0, kept);
    if (kept > 0) {
      console.say(
          String.format(
              Locale.ROOT,
              "  then it read and wrote %d times here and there: half of them took less than"
                  + " %.2f ms, one in a hundred more than %.1f ms",
              count,
              millis(nanos[kept / 2]),
              millis(nanos[(int) (kept * 0.99)])));
    }
  }

  private static double millis(long nanos) {
    return nanos / (double) TimeUnit.MILLISECONDS.toNanos(1);
  }

  /** Reads a page and compares it with what it must be; tells how long the read took. */
  private long read(int offsetBytes) throws IOException, UserException {
    ByteBuffer page = ByteBuffer.allocate(PAGE_BYTES);
    long start = System.nanoTime();
    device.read(offsetBytes, page);
    long took = System.nanoTime() - start;
    if (!Arrays.equals(page.array(), expected(offsetBytes, PAGE_BYTES))) {
      throw UserException.failed("demo", "wrong data at byte " + offsetBytes);
    }
    return took;
  }

  private long write(int offsetInWindow, int lengthBytes) throws IOException {
    byte[] bytes = new byte[lengthBytes];
    random.nextBytes(bytes);
    long start = System.nanoTime();
    device.write(WINDOW_OFFSET_BYTES + offsetInWindow, ByteBuffer.wrap(bytes));
    long took = System.nanoTime() - start;
    System.arraycopy(bytes, 0, window, offsetInWindow, lengthBytes);
    return took;
  }

  /** What a range of the clone must hold: the image, with what was written on top. */
  byte[] expected(int offsetBytes, int lengthBytes) {
    byte[] bytes = DemoImage.read(offsetBytes, lengthBytes);
    int start = Math.max(offsetBytes, WINDOW_OFFSET_BYTES);
    int end = Math.min(offsetBytes + lengthBytes, WINDOW_OFFSET_BYTES + WINDOW_BYTES);
    if (start < end) {
      System.arraycopy(
          window, start - WINDOW_OFFSET_BYTES, bytes, start - offsetBytes, end - start);
    }
    return bytes;
  }
}
