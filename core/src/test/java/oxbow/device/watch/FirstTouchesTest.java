package oxbow.device.watch;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import oxbow.block.Errno;
import oxbow.block.Operation;
import oxbow.device.Requests;
import oxbow.device.mem.MemDevice;

/** Aim: each block is told once, in the order of first touches. Method: few touches, and many. */
class FirstTouchesTest {
  private static final long BLOCK = 4096;

  private static List<String> drain(FirstTouches touches) {
    List<String> ranges = new ArrayList<>();
    touches.drain((offset, length) -> ranges.add(offset / BLOCK + "+" + length / BLOCK));
    return ranges;
  }

  @Test
  void blocksAreToldOnceAndInOrder() {
    FirstTouches touches = new FirstTouches(1 << 20);
    touches.accessed(Operation.READ, 200 * BLOCK + 5, 10);
    touches.accessed(Operation.WRITE, 3 * BLOCK, 2 * BLOCK);
    touches.accessed(Operation.READ, 5 * BLOCK, 1);
    touches.accessed(Operation.READ, 2 * BLOCK, 6 * BLOCK);
    assertThat(drain(touches)).containsExactly("200+1", "3+3", "2+1", "6+2");
    touches.accessed(Operation.READ, 2 * BLOCK, 7 * BLOCK);
    assertThat(drain(touches)).containsExactly("8+1");
    assertThat(drain(touches)).isEmpty();
  }

  @Test
  void whatNobodyWaitsForIsNoTouch() {
    FirstTouches touches = new FirstTouches(1 << 20);
    for (Operation operation :
        List.of(Operation.DISCARD, Operation.WRITE_ZEROES, Operation.CACHE, Operation.FLUSH)) {
      touches.accessed(operation, 0, 1 << 20);
    }
    assertThat(drain(touches)).isEmpty();
  }

  @Test
  void theLastBlockEndsWithTheDevice() {
    FirstTouches touches = new FirstTouches(10 * BLOCK + 512);
    List<Long> lengths = new ArrayList<>();
    touches.accessed(Operation.READ, 9 * BLOCK, BLOCK + 512);
    touches.drain((offset, length) -> lengths.add(length));
    assertThat(lengths).containsExactly(BLOCK + 512);
  }

  @Test
  void largeDevicesHaveLargerBlocks() {
    assertThat(new FirstTouches(32L << 30).blockBytes()).isEqualTo(4096);
    assertThat(new FirstTouches((32L << 30) + 1).blockBytes()).isEqualTo(8192);
    assertThat(new FirstTouches(1L << 50).blockBytes()).isEqualTo(128 << 20);
  }

  @Test
  void touchesThatFoundTheRingFullAreToldWhenTheyComeAgain() {
    long blocks = 200_000;
    FirstTouches touches = new FirstTouches(blocks * BLOCK);
    // Every other block: no two are one run.
    for (long block = 0; block < blocks; block += 2) {
      touches.accessed(Operation.READ, block * BLOCK, 1);
    }
    int first = drain(touches).size();
    assertThat(first).isBetween(1, 99_999);
    for (long block = 0; block < blocks; block += 2) {
      touches.accessed(Operation.READ, block * BLOCK, 1);
    }
    assertThat(first + drain(touches).size()).isEqualTo(100_000);
  }

  @Test
  void manyThreadsLoseNoTouchAndTellNoneTwice() throws Exception {
    int blocks = 30_000;
    FirstTouches touches = new FirstTouches(blocks * BLOCK);
    int threads = 4;
    CountDownLatch left = new CountDownLatch(threads);
    for (int i = 0; i < threads; i++) {
      Random random = new Random(i);
      new Thread(
              () -> {
                for (int n = 0; n < 200_000; n++) {
                  long first = random.nextInt(blocks - 20);
                  touches.accessed(Operation.READ, first * BLOCK, BLOCK * (1 + random.nextInt(20)));
                }
                left.countDown();
              })
          .start();
    }
    BitSet told = new BitSet();
    boolean isOver;
    do {
      isOver = left.getCount() == 0;
      touches.drain(
          (offset, length) -> {
            int first = (int) (offset / BLOCK);
            int end = first + (int) (length / BLOCK);
            assertThat(told.get(first, end).cardinality()).as("told twice").isZero();
            told.set(first, end);
          });
    } while (!isOver);
    assertThat(told.cardinality()).isBetween(blocks - 1, blocks);
  }

  @Test
  void notingMakesNoGarbage() {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    for (AccessWatcher watcher :
        List.of(new FirstTouches(1L << 30), new WriteMarks(1L << 30, BLOCK))) {
      long before = 0;
      for (int round = 0; round < 2; round++) {
        before = threads.getCurrentThreadAllocatedBytes();
        for (long block = 0; block < 100_000; block++) {
          watcher.accessed(Operation.READ, (block * 7919 & 0xffff) * BLOCK, 3 * BLOCK);
          watcher.accessed(Operation.WRITE, (block * 104_729 & 0xffff) * BLOCK, 3 * BLOCK);
        }
      }
      assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(10_000);
    }
  }

  @Test
  void aWatchedDeviceTellsOfRequestsAndServesThem() {
    MemDevice below = new MemDevice(1 << 20);
    List<String> heard = new ArrayList<>();
    WatchedDevice device =
        new WatchedDevice(
            below, (operation, offset, length) -> heard.add(operation + " " + offset));
    Requests.write(device, 8192, new byte[] {1, 2, 3});
    assertThat(Requests.read(device, 8193, 2)).containsExactly(2, 3);
    assertThat(Requests.run(device, Operation.DISCARD, 4096, 4096, 0)).isEqualTo(Errno.OK);
    assertThat(Requests.extents(device, 0, 1 << 20, 8))
        .hasSameSizeAs(Requests.extents(below, 0, 1 << 20, 8));
    assertThat(heard).containsExactly("WRITE 8192", "READ 8193", "DISCARD 4096");
    assertThat(Requests.tryRead(device, 1 << 20, 1, 0)).isEqualTo(Errno.EINVAL);
    assertThat(heard).as("what lies beyond the end is no access").hasSize(3);
  }
}
