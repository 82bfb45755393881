package oxbow.target.clone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static oxbow.target.clone.MetadataModel.assertClean;
import static oxbow.target.clone.MetadataModel.regions;

import java.io.IOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import oxbow.sim.SimDisk;

/**
 * Aim: whenever power fails, the metadata opens, is sound, and shows the last acknowledged commit
 * or the one that was interrupted (P1, P3, D3). Method: small worlds with every crash point and
 * every subset of unflushed blocks; long random runs with torn writes; and the proof that each
 * flush is needed: a disk that ignores one must be found out.
 */
class CloneMetadataCrashTest {
  private static final int BLOCK = 4096;
  private static final MetadataModel MODEL = MetadataModel.ofRegions(1000);

  private static final List<BitSet> COMMITS =
      List.of(regions(1), regions(2, 3, 999), regions(0), regions(500));

  /** How far a scenario came before power failed. */
  private static final class Progress {
    BitSet acknowledged = new BitSet();
    BitSet attempted = new BitSet();
    boolean isDone;
  }

  private static SimDisk formatted() throws IOException {
    return MODEL.formattedDisk();
  }

  private static Progress commitAll(SimDisk disk) throws IOException {
    Progress progress = new Progress();
    try (CloneMetadata metadata = MODEL.open(disk)) {
      for (BitSet commit : COMMITS) {
        progress.attempted.or(commit);
        metadata.commit(MODEL.set(commit));
        progress.acknowledged.or(commit);
      }
      progress.isDone = true;
    } catch (SimDisk.PowerFailure e) {
      // What the caller compares is how far it came.
      progress.isDone = false;
    }
    return progress;
  }

  @Test
  void anyCrashDuringCommitsLeavesTheLastOrTheInterruptedCommit() throws IOException {
    SimDisk start = formatted();
    boolean isDone = false;
    for (int operation = 0; !isDone; operation++) {
      SimDisk disk = start.resized(start.sizeBytes()).failPowerBefore(operation);
      Progress progress = commitAll(disk);
      disk.forEachCrashImage(BLOCK, image -> assertSurvived(image, progress));
      isDone = progress.isDone;
    }
  }

  /** Each of the eight flushes of four commits, left out. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6, 7})
  @DisplayName("P3: a commit without either of its flushes is found out")
  void everyFlushOfACommitIsNeeded(int ignored) throws IOException {
    SimDisk start = formatted();
    assertThatThrownBy(
            () -> {
              boolean isDone = false;
              for (int operation = 0; !isDone; operation++) {
                SimDisk disk = start.resized(start.sizeBytes()).ignoreFlush(ignored);
                Progress progress = commitAll(disk.failPowerBefore(operation));
                disk.forEachCrashImage(BLOCK, image -> assertSurvived(image, progress));
                isDone = progress.isDone;
              }
            })
        .isInstanceOfAny(AssertionError.class, IOException.class);
  }

  private static void assertSurvived(SimDisk image, Progress progress) throws IOException {
    assertClean(image);
    assertThat(MODEL.hydrated(image)).isIn(progress.acknowledged, progress.attempted);
  }

  @Test
  void anyCrashDuringFormattingLeavesADeviceThatMayBeFormattedOrIs() throws IOException {
    boolean isDone = false;
    for (int operation = 0; !isDone; operation++) {
      SimDisk disk = new SimDisk(1 << 20).failPowerBefore(operation);
      isDone = formats(disk);
      disk.forEachCrashImage(BLOCK, CloneMetadataCrashTest::assertFreshOrFormattable);
      Random random = new Random(operation);
      for (int i = 0; i < 200; i++) {
        assertFreshOrFormattable(disk.crashImage(random));
      }
    }
  }

  private static void assertFreshOrFormattable(SimDisk image) throws IOException {
    Probe probe = CloneMetadata.probe(image);
    if (probe instanceof Probe.Formatted) {
      assertClean(image);
      assertThat(MODEL.hydrated(image)).isEqualTo(regions());
    } else {
      assertThat(probe.mayBeFormatted()).as(probe.toString()).isTrue();
    }
  }

  @Test
  void anyCrashDuringFormattingOfAUsedDeviceLeavesOldOrNewMetadataOrNone() throws IOException {
    assertOldOrNewOrNone(new SimDisk(1 << 20));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2})
  void everyFlushOfFormattingIsNeeded(int ignored) {
    assertThatThrownBy(() -> assertOldOrNewOrNone(new SimDisk(1 << 20), ignored))
        .isInstanceOfAny(AssertionError.class, IOException.class);
  }

  private static void assertOldOrNewOrNone(SimDisk unused, int... ignoredFlushes)
      throws IOException {
    MetadataModel old = MetadataModel.ofRegions(64);
    SimDisk start = unused;
    try (CloneMetadata metadata = old.format(start)) {
      metadata.commit(old.set(regions(7)));
      // The second commit lies where the new format will be written.
      metadata.commit(old.set(regions(8)));
    }
    boolean isDone = false;
    for (int operation = 0; !isDone; operation++) {
      SimDisk disk = start.resized(start.sizeBytes()).failPowerBefore(operation);
      for (int ignored : ignoredFlushes) {
        disk.ignoreFlush(ignored);
      }
      isDone = formats(disk);
      boolean wasAcknowledged = isDone;
      disk.forEachCrashImage(
          BLOCK,
          image -> {
            if (CloneMetadata.probe(image) instanceof Probe.Formatted formatted) {
              assertClean(image);
              boolean isNew = formatted.superblock().targetSectors() == MODEL.targetSectors();
              assertThat((isNew ? MODEL : old).hydrated(image))
                  .isEqualTo(isNew ? regions() : regions(7, 8));
              assertThat(isNew || !wasAcknowledged).isTrue();
            } else {
              assertThat(wasAcknowledged).isFalse();
            }
          });
    }
  }

  private static boolean formats(SimDisk disk) throws IOException {
    try {
      MODEL.format(disk).close();
      return true;
    } catch (SimDisk.PowerFailure e) {
      return false;
    }
  }

  @Test
  void longRandomRunsSurviveTornAndReorderedWrites() throws IOException {
    long seed = Long.getLong("oxbow.seed", 2026L);
    for (long s = seed; s < seed + 60; s++) {
      try {
        randomRun(new Random(s));
      } catch (IOException | RuntimeException | AssertionError e) {
        throw new AssertionError(
            "reproduce with: mvn test -Dtest=CloneMetadataCrashTest -Doxbow.seed=" + s, e);
      }
    }
  }

  /** Several lives of one device; each ends with a crash at a random moment. */
  private static void randomRun(Random random) throws IOException {
    // From one array block to a tree of two levels.
    int pages = new int[] {1, 4, 300}[random.nextInt(3)];
    MetadataModel model =
        MetadataModel.ofRegions(
            (long) RegionSet.REGIONS_PER_PAGE * pages - random.nextInt(RegionSet.REGIONS_PER_PAGE));
    SimDisk disk = model.formattedDisk();
    BitSet known = new BitSet();
    for (int life = 0; life < 6; life++) {
      disk.failPowerBefore(disk.operationCount() + 10 + random.nextInt(60));
      List<BitSet> lawful = liveUntilTheCrash(model, disk, known, random);
      disk = disk.crashImage(random);
      assertClean(disk);
      BitSet found = model.hydrated(disk);
      assertThat(found).isIn(lawful);
      known = found;
    }
  }

  /** Returns the states that the crash may leave. */
  private static List<BitSet> liveUntilTheCrash(
      MetadataModel model, SimDisk disk, BitSet known, Random random) throws IOException {
    BitSet acknowledged = (BitSet) known.clone();
    List<BitSet> lawful = new ArrayList<>(List.of(acknowledged));
    try (CloneMetadata metadata = model.open(disk)) {
      while (true) {
        BitSet recorded = model.randomRegions(random);
        BitSet attempted = (BitSet) acknowledged.clone();
        attempted.or(recorded);
        lawful = List.of(acknowledged, attempted);
        metadata.commit(model.set(recorded));
        acknowledged = attempted;
        lawful = List.of(acknowledged);
      }
    } catch (SimDisk.PowerFailure e) {
      return lawful;
    }
  }
}
