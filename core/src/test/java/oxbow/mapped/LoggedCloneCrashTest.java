package oxbow.mapped;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import oxbow.block.BlockDevice;
import oxbow.block.BlockingDevice;
import oxbow.block.Errno;
import oxbow.block.Flags;
import oxbow.block.Operation;
import oxbow.block.Sectors;
import oxbow.device.Requests;
import oxbow.device.mem.MemDevice;
import oxbow.sim.CrashStates;
import oxbow.sim.Histories;
import oxbow.sim.SimDisk;
import oxbow.target.MessageException;
import oxbow.target.TargetDevices;
import oxbow.target.TargetException;
import oxbow.target.TestFrame;
import oxbow.target.clone.CloneMetadata;
import oxbow.target.clone.CloneOptions;
import oxbow.target.logwrites.LogReader;
import oxbow.target.logwrites.LogWritesTargetType;

/**
 * Aim: whenever power fails, the clone opens, and holds what it said was safe. Method: a running
 * clone, threads and all, whose destination and metadata write to one log; a mark in the log after
 * each flush and FUA write that was answered. Then every cut of the log, some of its crash states:
 * the metadata is clean, the clone opens, and each sector reads as it was last made safe, or as
 * something written to it since.
 *
 * @see "docs/testing/crash.md"
 */
class LoggedCloneCrashTest {
  private static final int SECTOR = 512;
  private static final int REGION_SECTORS = 8;
  private static final int SECTORS = 64 * REGION_SECTORS;
  private static final int SIZE = SECTORS * SECTOR;
  private static final int METADATA_SIZE = 256 << 10;
  private static final int BATCHES = 25;
  private static final int HISTORIES = 4;
  private static final int STATES_PER_CUT = 6;

  /** What no user has written: it was on the destination before. */
  private static final int LEFTOVER = -7;

  private static final int SOURCE = 0;

  private int stateCount;

  @Test
  @DisplayName("M1 F1-F6 W D: thousands of crash states of a running clone")
  @Timeout(value = 365, unit = TimeUnit.DAYS) // For a soak; the build has its own limit.
  void whateverWasFlushedIsThereAfterACrashAtAnyMoment() {
    Histories histories = new Histories("LoggedCloneCrashTest", this::run).run(HISTORIES);
    System.out.println("running clone: " + stateCount + " crash states in " + histories);
    assertThat(stateCount).isGreaterThan(Long.getLong("oxbow.seed") == null ? 1000 : 0);
  }

  private void run(long seed) {
    try {
      new History(seed).runAndCrash();
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  /** Sectors that tell who wrote them, and where. */
  private static byte[] stamps(int firstSector, int count, int writer) {
    ByteBuffer bytes = ByteBuffer.allocate(count * SECTOR).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < count; i++) {
      for (int word = 0; word < SECTOR / 8; word++) {
        bytes.putLong(((long) writer << 32) | (firstSector + i));
      }
    }
    return bytes.array();
  }

  /**
   * What was safe at a mark.
   *
   * @param writers of each sector
   * @param flushedBelow operations from this one on may have been lost
   * @param begunBelow operations from this one on were begun after the mark
   */
  private record Safe(int[] writers, BitSet isAnything, int flushedBelow, int begunBelow) {}

  /** A write or a discard (then anything may be read) of whole sectors. */
  private record Done(int number, int firstSector, int count, boolean isDiscard) {}

  /** One clone, what was done to it, and its crashes. */
  private final class History {
    private final Random random;
    private final MemDevice source = new MemDevice(SIZE);
    private final MemDevice log = new MemDevice(64 << 20);
    private final List<Done> done = new ArrayList<>();
    private final List<Safe> safe = new ArrayList<>();
    private final BitSet isAnything = new BitSet();
    private final int[] writers = new int[SECTORS];
    private int nextOperation = 1;

    History(long seed) {
      random = new Random(seed);
      Requests.write(source, 0, stamps(0, SECTORS, SOURCE));
    }

    void runAndCrash() throws Exception {
      byte[] leftovers = stamps(0, SECTORS, LEFTOVER);
      try (ExecutorService disks = Executors.newFixedThreadPool(6)) {
        LogWritesTargetType type = new LogWritesTargetType();
        MemDevice destination = new MemDevice(SIZE);
        Requests.write(destination, 0, leftovers);
        MemDevice metadata = new MemDevice(METADATA_SIZE);
        try (Layer loggedDestination = logged(type, destination, disks);
            Layer loggedMetadata = logged(type, metadata, disks)) {
          String tail = REGION_SECTORS + " 0 4 hydration_threshold 2 hydration_batch_size 2";
          try (TestClone clone =
              new TestClone(
                  source, loggedDestination, loggedMetadata, tail, CloneOptions.TABLE, disks)) {
            use(clone, loggedDestination.mapped());
          }
        }
      }
      crash(leftovers);
    }

    private Layer logged(LogWritesTargetType type, MemDevice device, ExecutorService disks)
        throws Exception {
      BlockDevice below = ShapedDevice.elsewhere(device, disks);
      TargetDevices devices = TestFrame.devices(Map.of("device", below, "log", log));
      long sectors = Sectors.fromBytes(device.sizeBytes());
      var target = type.construct(sectors, List.of("device", "log"), devices);
      MappedDevice.Listener nobody =
          new MappedDevice.Listener() {
            @Override
            public void event(long number, String why) {
              throw new AssertionError(why);
            }

            @Override
            public void warning(String what) {
              throw new AssertionError(what);
            }
          };
      return new Layer(
          "logged", new MappedDevice("logged", target, new TimerLoop(), disks, nobody), List.of());
    }

    // The run.

    private void use(TestClone clone, MappedDevice marks) throws MessageException {
      mark(marks);
      for (int batch = 0; batch < BATCHES; batch++) {
        List<CompletableFuture<Integer>> answers = new ArrayList<>();
        BitSet touched = new BitSet();
        for (int i = random.nextInt(6); i >= 0; i--) {
          begin(clone.device, touched, answers);
        }
        answers.forEach(answer -> assertThat(Requests.await(answer)).isEqualTo(Errno.OK));
        if (random.nextInt(3) == 0) {
          clone.timers.fire();
        }
        switch (random.nextInt(3)) {
          case 0 -> {
            assertThat(Requests.flush(clone.device)).isEqualTo(Errno.OK);
            mark(marks);
          }
          case 1 -> writeThrough(clone.device, marks);
          default -> {
            // Nothing is asked to be durable: the next batch adds to what may be lost.
          }
        }
      }
    }

    private void mark(MappedDevice marks) throws MessageException {
      marks.message(List.of("mark", Integer.toString(safe.size())));
      BitSet anything = (BitSet) isAnything.clone();
      safe.add(new Safe(writers.clone(), anything, nextOperation, nextOperation));
    }

    /** Requests that are in flight together do not overlap: nobody could tell who was last. */
    private void begin(
        BlockDevice device, BitSet touched, List<CompletableFuture<Integer>> answers) {
      boolean isDiscard = random.nextInt(5) == 0;
      int unit = isDiscard ? REGION_SECTORS : 1;
      int count = unit * (1 + random.nextInt(isDiscard ? 3 : 20));
      int first = random.nextInt((SECTORS - count) / unit + 1) * unit;
      int next = touched.nextSetBit(first);
      if (next >= 0 && next < first + count) {
        return;
      }
      touched.set(first, first + count);
      int number = note(first, count, isDiscard);
      answers.add(
          CompletableFuture.supplyAsync(
              () ->
                  isDiscard
                      ? Requests.run(
                          device,
                          Operation.DISCARD,
                          (long) first * SECTOR,
                          (long) count * SECTOR,
                          0)
                      : Requests.write(
                          device, (long) first * SECTOR, stamps(first, count, number), 0)));
    }

    private void writeThrough(BlockDevice device, MappedDevice marks) throws MessageException {
      int count = 1 + random.nextInt(12);
      int first = random.nextInt(SECTORS - count);
      Safe before = safe.getLast();
      int number = note(first, count, false);
      byte[] bytes = stamps(first, count, number);
      assertThat(Requests.write(device, (long) first * SECTOR, bytes, Flags.FUA))
          .isEqualTo(Errno.OK);
      // Of all else nothing is known but what was known before.
      int[] now = before.writers.clone();
      BitSet anything = (BitSet) before.isAnything.clone();
      Arrays.fill(now, first, first + count, number);
      anything.clear(first, first + count);
      marks.message(List.of("mark", Integer.toString(safe.size())));
      safe.add(new Safe(now, anything, before.flushedBelow, nextOperation));
    }

    private int note(int first, int count, boolean isDiscard) {
      int number = nextOperation++;
      done.add(new Done(number, first, count, isDiscard));
      Arrays.fill(writers, first, first + count, number);
      isAnything.set(first, first + count, isDiscard);
      return number;
    }

    // The crashes.

    private void crash(byte[] leftovers) throws IOException {
      List<CrashStates.Step> steps;
      try (BlockingDevice io = new BlockingDevice(log)) {
        steps = CrashStates.steps(new LogReader(io), List.of((long) SIZE, (long) METADATA_SIZE));
      }
      List<byte[]> atFirst = List.of(leftovers, new byte[METADATA_SIZE]);
      new CrashStates(atFirst, steps)
          .forEachCut(
              cut -> {
                int states = cut.pendingSectors() == 0 ? 1 : STATES_PER_CUT;
                for (int i = 0; i < states; i++) {
                  check(cut, cut.state(random));
                  stateCount++;
                }
              });
    }

    private void check(CrashStates.Cut cut, List<byte[]> state) throws IOException {
      long marks = cut.marks().stream().filter(text -> !text.startsWith("dm-")).count();
      MemDevice destination = new MemDevice(SIZE);
      Requests.write(destination, 0, state.get(0));
      MemDevice metadata = new MemDevice(METADATA_SIZE);
      Requests.write(metadata, 0, state.get(1));
      if (marks > 0) {
        assertThat(CloneMetadata.probe(SimDisk.of(state.get(1), METADATA_SIZE)).mayBeFormatted())
            .as("%s: what was safe is not formatted again", cut)
            .isFalse();
      }
      // Its metadata is checked when it is closed.
      try (TestClone clone =
          new TestClone(
              source,
              destination,
              metadata,
              REGION_SECTORS + " 1 no_hydration",
              CloneOptions.TABLE,
              Runnable::run)) {
        checkContents(cut, (int) marks - 1, Requests.read(clone.device, 0, SIZE));
      } catch (TargetException e) {
        throw new AssertionError(cut + ": does not open", e);
      }
    }

    private void checkContents(CrashStates.Cut cut, int mark, byte[] found) {
      Safe then = mark < 0 ? new Safe(new int[SECTORS], new BitSet(), 1, 1) : safe.get(mark);
      int begunBelow = mark + 1 < safe.size() ? safe.get(mark + 1).begunBelow : Integer.MAX_VALUE;
      ByteBuffer bytes = ByteBuffer.wrap(found).order(ByteOrder.LITTLE_ENDIAN);
      for (int sector = 0; sector < SECTORS; sector++) {
        long stamp = bytes.getLong(sector * SECTOR);
        boolean isWhole = stamp == bytes.getLong(sector * SECTOR + SECTOR - 8);
        boolean isLawful =
            then.isAnything.get(sector)
                || (isWhole && stamp == stamp(then.writers[sector], sector))
                || isWrittenSince(then, begunBelow, sector, isWhole, stamp);
        if (!isLawful) {
          throw new AssertionError(
              "%s, after mark %d: sector %d holds %#x, was made safe by operation %d"
                  .formatted(cut, mark, sector, stamp, then.writers[sector]));
        }
      }
    }

    private static long stamp(int writer, int sector) {
      return ((long) writer << 32) | sector;
    }

    private boolean isWrittenSince(
        Safe then, int begunBelow, int sector, boolean isWhole, long stamp) {
      int least = Math.max(then.flushedBelow, then.writers[sector]);
      for (int i = least - 1; i < Math.min(done.size(), begunBelow - 1); i++) {
        Done each = done.get(i);
        boolean isHere = sector >= each.firstSector && sector < each.firstSector + each.count;
        if (isHere && (each.isDiscard || (isWhole && stamp == stamp(each.number, sector)))) {
          return true;
        }
      }
      return false;
    }
  }
}
