package oxbow.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import oxbow.block.BlockDevice;
import oxbow.block.BlockRequest;
import oxbow.block.Errno;
import oxbow.block.Limits;
import oxbow.block.Operation;
import oxbow.device.mem.MemDevice;
import oxbow.device.watch.WatchedDevice;
import oxbow.device.watch.WriteMarks;
import oxbow.target.clone.CopyChecksums;

/**
 * Aim: a write of a user is never taken for damage, nor damage for a write. Method: devices in
 * memory with the sums of what they hold; writes before, beside and in the midst of reading back.
 */
class CopyVerificationTest {
  private static final int REGION = 4096;
  private static final int REGIONS = 3000;
  private static final int SIZE = REGIONS * REGION - 512;

  private final Arena arena = Arena.ofShared();
  private final MemDevice source = new MemDevice(SIZE);
  private final MemDevice destination = new MemDevice(SIZE);
  private final CopyChecksums checksums = new CopyChecksums(SIZE, REGION);
  private final WriteMarks marks = new WriteMarks(SIZE, REGION);
  private final WatchedDevice served = new WatchedDevice(destination, marks);
  private final MemorySegment junk = arena.allocate(REGION).fill((byte) 0x77);

  @AfterEach
  void close() {
    source.close();
    destination.close();
    arena.close();
  }

  /** Random bytes in both devices; sums of all regions from the first copied one on. */
  private CopyVerification verification(BlockDevice read, int firstCopied) {
    byte[] bytes = new byte[SIZE];
    new Random(1).nextBytes(bytes);
    MemorySegment data = arena.allocate(SIZE);
    MemorySegment.copy(bytes, 0, data, ValueLayout.JAVA_BYTE, 0, SIZE);
    assertThat(source.writeNow(0, data, 0, SIZE)).isEqualTo(Errno.OK);
    assertThat(destination.writeNow(0, data, 0, SIZE)).isEqualTo(Errno.OK);
    long at = (long) firstCopied * REGION;
    checksums.add(new CRC32C(), at, data.asSlice(at), SIZE - at);
    return new CopyVerification(read, source, SIZE, REGION, checksums, marks, firstCopied > 0);
  }

  private static CopyVerification.Result run(CopyVerification verification) throws Exception {
    return Objects.requireNonNull(verification.run());
  }

  private void change(BlockDevice device, int region) {
    assertThat(device.writeNow((long) region * REGION, junk, 0, 100)).isEqualTo(Errno.OK);
  }

  @Test
  void writesBeforeItAreLeftOutAndDamageIsCounted() throws Exception {
    CopyVerification verification = verification(destination, 0);
    change(served, 17);
    change(served, 2999);
    change(destination, 1001);
    change(destination, 1000);
    CopyVerification.Result found = run(verification);
    assertThat(found.counts()).isEqualTo(new CopyVerification.Counts(REGIONS - 4, 2, 0, 0, 0, 2));
    assertThat(found.damageBytes()).isEqualTo(1000L * REGION);
  }

  @Test
  void whatHasNoSumIsComparedWithTheSource() throws Exception {
    CopyVerification verification = verification(destination, 10);
    change(destination, 3);
    change(served, 4);
    CopyVerification.Result found = run(verification);
    assertThat(found.counts()).isEqualTo(new CopyVerification.Counts(REGIONS - 10, 1, 8, 1, 0, 0));
    assertThat(found.damageBytes()).isEqualTo(-1);
  }

  @Test
  void aSourceThatIsGoneIsNeededForEarlierRegionsAlone() throws Exception {
    verification(destination, 10);
    change(destination, 500);
    CopyVerification gone =
        new CopyVerification(
            destination,
            new Shaped(request -> request.complete(Errno.EIO)),
            SIZE,
            REGION,
            checksums,
            marks,
            true);
    CopyVerification.Result found = run(gone);
    assertThat(found.counts()).isEqualTo(new CopyVerification.Counts(REGIONS - 11, 0, 0, 0, 10, 1));
    assertThat(found.damageBytes()).as("the region, not the byte").isEqualTo(500L * REGION);
  }

  @Test
  void aDestinationThatCannotBeReadIsAFailure() {
    verification(destination, 0);
    CopyVerification verification =
        new CopyVerification(
            new Shaped(request -> request.complete(Errno.EIO)),
            source,
            SIZE,
            REGION,
            checksums,
            marks,
            false);
    assertThatThrownBy(verification::run)
        .isInstanceOf(IOException.class)
        .hasMessageContaining("read at byte ");
  }

  @Test
  void aWriteInTheMidstOfAReadIsLeftOut() throws Exception {
    Interrupting device = new Interrupting();
    CopyVerification.Result found = run(verification(device, 0));
    assertThat(device.hasWritten).isTrue();
    assertThat(found.counts()).isEqualTo(new CopyVerification.Counts(REGIONS - 1, 1, 0, 0, 0, 0));
  }

  @Test
  void writesOfManyUsersBesideItAreNeverDamage() throws Exception {
    for (int round = 0; round < 20; round++) {
      CopyVerification verification = verification(destination, round % 2 * 500);
      AtomicBoolean isOver = new AtomicBoolean();
      Random random = new Random(round);
      Thread user =
          new Thread(
              () -> {
                while (!isOver.get()) {
                  change(served, random.nextInt(REGIONS));
                }
              });
      user.start();
      CopyVerification.Counts found = run(verification).counts();
      isOver.set(true);
      user.join();
      assertThat(found.damaged()).isZero();
      assertThat(found.earlierDiffering()).isZero();
      assertThat(found.checked() + found.leftOut() + found.earlier()).isEqualTo(REGIONS);
    }
  }

  @Test
  void stoppedItSaysNothing() throws Exception {
    CopyVerification verification = verification(destination, 0);
    verification.stop();
    assertThat(verification.run()).isNull();
  }

  @Test
  void damageIsToldThoughTheSourceDoesNotAnswer() throws Exception {
    verification(destination, 0);
    change(destination, 500);
    CopyVerification mute =
        new CopyVerification(
            destination, new Shaped(request -> {}), SIZE, REGION, checksums, marks, false);
    assertThat(run(mute).damageBytes()).isEqualTo(500L * REGION);
  }

  /** While its region 700 is read a user writes there. */
  private final class Interrupting extends Shaped {
    volatile boolean hasWritten;

    Interrupting() {
      super(destination::submit);
    }

    @Override
    public void submit(BlockRequest request) {
      boolean isTheOne =
          request.operation() == Operation.READ
              && request.offsetBytes() <= 700L * REGION
              && request.endBytes() > 700L * REGION;
      if (isTheOne) {
        change(served, 700);
        hasWritten = true;
      }
      super.submit(request);
    }
  }

  /** A device that does with requests what the test wants. */
  private class Shaped implements BlockDevice {
    private final Consumer<BlockRequest> way;

    Shaped(Consumer<BlockRequest> way) {
      this.way = way;
    }

    @Override
    public String address() {
      return "shaped";
    }

    @Override
    public long sizeBytes() {
      return SIZE;
    }

    @Override
    public Limits limits() {
      return destination.limits();
    }

    @Override
    public void submit(BlockRequest request) {
      way.accept(request);
    }

    @Override
    public void close() {}
  }
}
