package oxbow.inspect;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import oxbow.block.BlockingIo;
import oxbow.block.Sectors;
import oxbow.format.bow.BowFormat;
import oxbow.format.bow.BowLog;
import oxbow.format.bow.BowMagic;
import oxbow.sim.SimDisk;

/**
 * Aim: no step of a roll-back could be left out or change places, and the crash tests would notice.
 * Method: between the roll-back and the disk sits something that breaks one rule; one of the
 * histories must then come out wrong.
 */
class BowRestoreOrderTest {
  private static final int MAX_SEEDS = 300;

  /** What is broken. */
  enum Broken {
    /** R1. */
    NO_MARK_BEFORE_THE_FIRST_UNDO,
    /** R2. */
    NO_SAVE_POINT,
    NO_FLUSH_BEFORE_A_HEADER,
    NO_FLUSH_AFTER_A_SAVE_POINT,
    /** R3. */
    LOG_NOT_SHORTENED_BEFORE_IT_IS_REPLACED,
    NO_FLUSH_BEFORE_THE_REST_OF_BLOCK_0,
    NO_FLUSH_BETWEEN_THE_REST_AND_SECTOR_0,
    SECTOR_0_FIRST,
    /** R4. */
    OLDER_LOG_KEEPS_ITS_MAGIC,
    NO_FLUSH_AT_THE_END
  }

  @ParameterizedTest
  @EnumSource
  void aBrokenOrderIsNoticed(Broken broken) {
    assertThat(isNoticed(broken)).isTrue();
  }

  private static boolean isNoticed(Broken broken) {
    for (long seed = 0; seed < MAX_SEEDS; seed++) {
      Random random = new Random(seed);
      BowHistory history =
          seed % 2 == 0
              ? BowHistory.chained(random, 1024, 2)
              : BowHistory.random(random, BowFormat.V1, 1024, 25);
      try {
        BowCrashes.ofRollBack(history, random, disk -> new Meddler(disk, broken));
      } catch (AssertionError | UncheckedIOException | IllegalArgumentException wrong) {
        return true;
      }
    }
    return false;
  }

  /** What a write is for. */
  private enum Step {
    NONE,
    DATA,
    /** Sector 0. */
    HEADER,
    /** The other sectors of block 0. */
    REST
  }

  /** Passes everything on but what it breaks. A flush waits until it is known what follows. */
  private static final class Meddler implements BlockingIo {
    private final SimDisk disk;
    private final Broken broken;
    private Step last = Step.NONE;
    private boolean isFlushDue;
    private int headers;
    private @Nullable ByteBuffer lateRest;

    Meddler(SimDisk disk, Broken broken) {
      this.disk = disk;
      this.broken = broken;
    }

    @Override
    public String address() {
      return disk.address();
    }

    @Override
    public long sizeBytes() {
      return disk.sizeBytes();
    }

    @Override
    public void read(long offsetBytes, ByteBuffer into) throws IOException {
      disk.read(offsetBytes, into);
    }

    @Override
    public void flush() throws IOException {
      if (last == Step.HEADER && hasEnded()) {
        // The last one; nothing follows that would show it.
        if (broken != Broken.NO_FLUSH_AT_THE_END) {
          disk.flush();
        }
        return;
      }
      isFlushDue = true;
    }

    /** Whether what was written last is the block 0 of the checkpoint. */
    private boolean hasEnded() {
      return !BowMagic.of(disk.bytes(0, BowMagic.SIZE_BYTES), 0).isLog();
    }

    @Override
    public void write(long offsetBytes, ByteBuffer from) throws IOException {
      Step step =
          offsetBytes == 0
              ? Step.HEADER
              : offsetBytes == Sectors.SIZE_BYTES ? Step.REST : Step.DATA;
      if (isFlushDue && !isFlushLeftOut(step)) {
        disk.flush();
      }
      isFlushDue = false;
      if (step == Step.HEADER) {
        writeHeader(from);
      } else if (step == Step.REST && broken == Broken.SECTOR_0_FIRST) {
        lateRest = from.duplicate();
      } else {
        disk.write(offsetBytes, from);
      }
      last = step;
    }

    private boolean isFlushLeftOut(Step next) {
      return switch (broken) {
        case NO_FLUSH_BEFORE_A_HEADER -> last == Step.DATA && next == Step.HEADER;
        case NO_FLUSH_AFTER_A_SAVE_POINT -> last == Step.HEADER && next == Step.DATA;
        case NO_FLUSH_BEFORE_THE_REST_OF_BLOCK_0 -> next == Step.REST;
        case NO_FLUSH_BETWEEN_THE_REST_AND_SECTOR_0 -> last == Step.REST && next == Step.HEADER;
        case NO_MARK_BEFORE_THE_FIRST_UNDO,
            NO_SAVE_POINT,
            LOG_NOT_SHORTENED_BEFORE_IT_IS_REPLACED,
            SECTOR_0_FIRST,
            OLDER_LOG_KEEPS_ITS_MAGIC,
            NO_FLUSH_AT_THE_END ->
            false;
      };
    }

    private void writeHeader(ByteBuffer from) throws IOException {
      BowLog log = BowLog.decode(from.array(), from.arrayOffset(), Sectors.SIZE_BYTES);
      BowLog there = BowLog.decode(disk.bytes(0, Sectors.SIZE_BYTES), 0, Sectors.SIZE_BYTES);
      boolean isSameLog = log.magic().isLog() && log.sequence() == there.sequence();
      boolean isLeftOut =
          switch (broken) {
            case NO_MARK_BEFORE_THE_FIRST_UNDO -> headers++ == 0;
            case NO_SAVE_POINT -> isSameLog && headers++ > 0 && log.count() > 1;
            case LOG_NOT_SHORTENED_BEFORE_IT_IS_REPLACED -> isSameLog && log.count() == 1;
            default -> false;
          };
      if (broken == Broken.OLDER_LOG_KEEPS_ITS_MAGIC && log.magic().isLog() && !isSameLog) {
        log.with(BowMagic.BOW, log.count()).encode(from.array(), from.arrayOffset());
      }
      if (!isLeftOut) {
        disk.write(0, from);
      }
      ByteBuffer rest = lateRest;
      if (rest != null) {
        lateRest = null;
        disk.flush();
        disk.write(Sectors.SIZE_BYTES, rest);
      }
    }
  }
}
