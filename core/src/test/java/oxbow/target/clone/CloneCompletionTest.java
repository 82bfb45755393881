package oxbow.target.clone;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import oxbow.block.Errno;
import oxbow.block.Flags;
import oxbow.block.Operation;
import oxbow.target.Geometry;
import oxbow.target.Mapping;
import oxbow.target.Moment;
import oxbow.target.Piece;

/**
 * Aim: M7, a clone that is done needs no memory of regions and is a linear mapping of its
 * destination. Method: a core of 2^28 regions that one request hydrates, and scripted worlds.
 */
class CloneCompletionTest {
  /** A map of 32 MiB. */
  private static final long REGIONS = 1L << 28;

  private static final int REGION = 4096;
  private static final long TIMEOUT_NANOS = TimeUnit.SECONDS.toNanos(20);

  private final RecordedEffects effects = new RecordedEffects();
  private final Moment now = new Moment().set(1, false);
  private final List<String> committer = new ArrayList<>();

  private CloneCore core(RegionMap map) throws Exception {
    CloneArgs args = CloneArgs.parse(List.of("m", "d", "s", "8", "1", "no_hydration"));
    Geometry geometry = new Geometry(REGIONS * REGION, REGION);
    CloneCommitter noted =
        new CloneCommitter() {
          @Override
          public int commit(RegionSet regions) {
            committer.add("commit " + regions.pageCount());
            return Errno.OK;
          }

          @Override
          public void release() {
            committer.add("release");
          }
        };
    CloneCore core =
        new CloneCore(args, CloneOptions.TABLE, geometry, map, true, noted, () -> false);
    core.resume(now, effects);
    return core;
  }

  private static Piece zeroing(long firstRegion, long count) {
    Piece piece = new Piece();
    piece.set(
        Operation.WRITE_ZEROES, firstRegion * REGION, count * REGION, 0, MemorySegment.NULL, 0);
    return piece;
  }

  private void commit(CloneCore core) {
    int errno = Objects.requireNonNull(effects.task).run();
    core.ended(Objects.requireNonNull(effects.job), errno, now, effects);
  }

  private static long usedHeapBytes() {
    System.gc();
    return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
  }

  @Test
  @DisplayName("M7: the memory of the map is gone once all is committed, and figures stay right")
  void theMapsMemoryIsGoneOnceAllIsCommitted() throws Exception {
    RegionMap map = new RegionMap(REGIONS);
    CloneCore core = core(map);
    core.queue(zeroing(0, REGIONS - 1), now, effects);
    core.ended(Objects.requireNonNull(effects.job), Errno.OK, now, effects);
    long before = usedHeapBytes();
    core.queue(zeroing(REGIONS - 1, 1), now, effects);
    core.ended(Objects.requireNonNull(effects.job), Errno.OK, now, effects);
    assertThat(core.isDone()).as("not before the commit").isFalse();
    commit(core);
    assertThat(effects.take()).contains("release buffers", "event hydration completed");
    assertThat(core.isDone()).isTrue();
    assertThat(committer).containsExactly("commit 8241", "release");
    long mapBytes = REGIONS / Byte.SIZE;
    long end = System.nanoTime() + TIMEOUT_NANOS;
    // Collections may need several rounds until they have found all that is unreachable.
    while (before - usedHeapBytes() < mapBytes * 9 / 10) {
      assertThat(System.nanoTime()).as("the map's memory is still there").isLessThan(end);
    }
    assertThat(map.hydratedCount()).isEqualTo(map.regionCount()).isEqualTo(REGIONS);
    assertThat(core.isClean()).isTrue();
    assertThat(core.regionsInFlight()).isZero();
  }

  @Test
  @DisplayName("M7: a clone that was done before lets go of everything at once")
  void aCloneThatWasDoneBeforeLetsGoAtOnce() throws Exception {
    RegionMap map = new RegionMap(REGIONS);
    map.set(0, REGIONS);
    CloneCore core = core(map);
    assertThat(core.isDone()).isTrue();
    assertThat(committer).containsExactly("release");
    core.everySecond(now, effects);
    assertThat(effects.take()).isEmpty();
  }

  @Test
  @DisplayName(
      "M7 F1 D3 D5: a done clone maps all to the destination, and flushes and discards go on")
  void aDoneCloneMapsAllToTheDestination() {
    CloneWorld world = new CloneWorld("0 4 hydration_threshold 4 hydration_batch_size 4").resume();
    world.runToRest();
    assertThat(world.core.isDone()).isTrue();
    Mapping answer = new Mapping();
    for (Operation operation :
        List.of(Operation.READ, Operation.WRITE, Operation.WRITE_ZEROES, Operation.CACHE)) {
      world.mapper.map(operation, 512, 7 * 512 + 100, Flags.FUA, answer);
      assertThat(answer.isRemap()).isTrue();
      assertThat(answer.slot()).isEqualTo(CloneCore.DESTINATION);
      assertThat(answer.offsetBytes()).isEqualTo(512);
      assertThat(answer.lengthBytes()).isEqualTo(7 * 512 + 100);
    }
    UserRequest flush = world.flush();
    UserRequest discard = world.discard(0, 8);
    UserRequest hint = world.cache(0, 16);
    world.expectInFlight("flush", "user DISCARD destination 0+8", "user CACHE destination 0+16");
    world.finishAll();
    world.second();
    assertThat(world.inFlight).isEmpty();
    for (UserRequest request : List.of(flush, discard, hint)) {
      assertThat(request.isDoneWith(Errno.OK)).isTrue();
    }
    world.suspend();
    assertThat(world.core.isSuspended()).isTrue();
  }

  @Test
  @DisplayName("O3 F7: a flush that fails later makes a done clone read-only, and FUA fails")
  void aFlushThatFailsLaterStillCounts() {
    CloneWorld world = new CloneWorld("0").resume();
    world.runToRest();
    assertThat(world.core.isDone()).isTrue();
    world.failingFlushes = 1;
    UserRequest flush = world.flush();
    world.runToRest();
    assertThat(flush.isDoneWith(Errno.EIO)).isTrue();
    assertThat(world.core.mode()).isEqualTo(CloneMode.READ_ONLY);
    UserRequest fua = world.writeFua(0, 1, 7);
    UserRequest write = world.write(1, 1, 8);
    UserRequest read = world.read(0, 16);
    world.runToRest();
    assertThat(fua.isDoneWith(Errno.EIO)).isTrue();
    assertThat(write.isDoneWith(Errno.OK) && read.isDoneWith(Errno.OK)).isTrue();
  }
}
