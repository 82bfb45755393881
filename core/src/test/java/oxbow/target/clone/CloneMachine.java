package oxbow.target.clone;

import java.io.IOException;
import java.util.BitSet;
import java.util.List;
import oxbow.block.Errno;
import oxbow.sim.SimDisk;
import oxbow.sim.SimMachine;

/**
 * A whole clone on a machine whose power can fail: the core and its user ({@link CloneWorld}), the
 * metadata code that writes to one simulated disk, and the destination on another. A commit runs in
 * one go, but each of its writes and flushes is an event of the machine, before which power may
 * fail and other I/O may end. The user never has two requests for the same sectors in flight, so
 * the clone must not either (O1).
 *
 * <p>The world's few regions lie far apart in the metadata ({@link #metadataRegion}): each has its
 * bit in a sector of its own, and many of them need several array blocks, so that a torn write
 * shows.
 */
final class CloneMachine {
  /** More than the bits of a sector, less than those of an array block. */
  private static final int METADATA_REGIONS = 5000;

  final SimMachine events = new SimMachine();
  final SimDisk metadataDisk;
  final CloneWorld world;

  private CloneMachine(CloneWorld.Plan plan, int[] source, SimDisk metadata, SimDisk destination)
      throws IOException {
    metadataDisk = events.add(metadata);
    DefectiveIo io = new DefectiveIo(plan.defect(), metadataDisk);
    CloneMetadata opened = metadataOf(plan).open(io);
    CloneCommitter once =
        regions -> commit(new MetadataCommitter(opened, "metadata", "destination"), regions);
    world =
        new CloneWorld(
            plan,
            source,
            events.add(destination).refuseOverlaps(),
            hydrated(opened),
            plan.defect() == Defect.REUSE_FREED_BLOCKS ? io.committingTwice(once) : once);
  }

  /** Which region of the metadata stands for a region of the world. */
  private static int metadataRegion(int region) {
    return region * METADATA_REGIONS;
  }

  private static MetadataModel metadataOf(CloneWorld.Plan plan) {
    return MetadataModel.ofRegions(metadataRegion(plan.regionCount()));
  }

  /** Regions of the world that are hydrated according to sound metadata on a disk. */
  static BitSet hydrated(CloneWorld.Plan plan, SimDisk metadata) throws IOException {
    try (CloneMetadata opened = metadataOf(plan).open(metadata)) {
      return hydrated(opened);
    }
  }

  private static BitSet hydrated(CloneMetadata metadata) throws IOException {
    BitSet hydrated = new BitSet();
    for (int region : MetadataModel.hydrated(metadata).stream().toArray()) {
      if (region % METADATA_REGIONS != 0) {
        throw new AssertionError("metadata has region " + region + " hydrated, which nobody uses");
      }
      hydrated.set(region / METADATA_REGIONS);
    }
    return hydrated;
  }

  /** A commit fails only if the disk does. */
  private int commit(CloneCommitter committer, RegionSet regions) {
    int failuresBefore = metadataDisk.failureCount();
    RegionSet spread = new RegionSet(metadataRegion((int) regions.regionCount()));
    for (int region = 0; region < regions.regionCount(); region++) {
      spread.add(metadataRegion(region), regions.contains(region) ? 1 : 0);
    }
    int errno = committer.commit(spread);
    if (errno != Errno.OK && metadataDisk.failureCount() == failuresBefore) {
      throw new AssertionError("a commit has failed on a sound disk: " + errno);
    }
    return errno;
  }

  private static CloneMachine open(
      CloneWorld.Plan plan, int[] source, SimDisk metadata, SimDisk destination) {
    try {
      return new CloneMachine(plan, source, metadata, destination);
    } catch (IOException e) {
      throw new AssertionError("a crash leaves a clone that does not open: " + e.getMessage(), e);
    }
  }

  /** A new clone; a run of zeros in the source is a hole. */
  static CloneMachine fresh(CloneWorld.Plan plan, int[] source) {
    try {
      SimDisk metadata = metadataOf(plan).formattedDisk();
      SimDisk destination = CloneWorld.freshDestination(plan);
      return withHoles(open(plan, source, metadata, destination));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** What comes up after a crash; the images become its disks. */
  CloneMachine afterCrash(List<SimDisk> images) {
    return afterCrash(images, world.plan.afterCrash());
  }

  /** The same with another plan for the same regions. */
  CloneMachine afterCrash(List<SimDisk> images, CloneWorld.Plan plan) {
    return withHoles(open(plan, world.source, images.get(0), images.get(1)));
  }

  private static CloneMachine withHoles(CloneMachine machine) {
    for (int i = 0; i < machine.world.sectors; i++) {
      machine.world.sourceHoles.set(i, machine.world.source[i] == 0);
    }
    return machine;
  }

  /** The n-th operation from now on the metadata disk fails, and as many after it as told. */
  void failMetadata(int n, int more) {
    for (int i = 0; i <= more; i++) {
      metadataDisk.failOperation(metadataDisk.operationCount() + n + i);
    }
  }
}
