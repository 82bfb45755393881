package oxbow.sim;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.IntFunction;

/**
 * A machine whose power can fail: several disks, whose submissions and completions have one order.
 *
 * <p>Before each of these events, a cut, the watcher is told which disk it will happen on, and may
 * look at what a crash would leave just then: an image of each disk. Disks keep or lose their
 * unflushed writes independently, so that writes are reordered across disks as well as on each.
 *
 * <p>A crash is known by its cut and its sample: {@link #crash} gives the same images for the same
 * numbers, whoever asks for them and whatever was asked before. Not thread-safe.
 */
public final class SimMachine {
  private final List<SimDisk> disks = new ArrayList<>();
  private Watcher watcher = disk -> {};
  private int cut;

  /** Is told of each event before it happens. */
  @FunctionalInterface
  public interface Watcher {
    /** Called between two events; may cause further ones itself, which then come first. */
    void before(SimDisk disk);
  }

  /** Receives what a crash left: the images of all disks, in the order of {@link #add}. */
  @FunctionalInterface
  public interface CrashVisitor {
    /** An image is a disk of its own. */
    void crash(List<SimDisk> images) throws IOException;
  }

  /** Makes a disk part of the machine. */
  public SimDisk add(SimDisk disk) {
    disks.add(disk);
    disk.beforeEachEvent(
        () -> {
          cut++;
          watcher.before(disk);
        });
    return disk;
  }

  /** Replaces the watcher. */
  public void watch(Watcher next) {
    watcher = next;
  }

  /** Events so far; while the watcher is called, the one that comes next is counted. */
  public int cut() {
    return cut;
  }

  /** Whether there is anything that a crash may lose or keep. */
  public boolean hasPending() {
    return disks.stream().anyMatch(disk -> disk.pendingSectors() > 0);
  }

  /** How many crashes there are that lose or keep all that is pending on each disk. */
  public int cornerCount() {
    return 1 << disks.size();
  }

  /**
   * What is left when power fails now.
   *
   * @param seed of the whole run
   * @param sample below {@link #cornerCount}: each disk has lost all that was pending, or kept all;
   *     above: any lawful choice, made by seed, cut and sample
   */
  public List<SimDisk> crash(long seed, int sample) {
    if (sample < cornerCount()) {
      return images(disk -> disks.get(disk).crashImage(sector -> (sample >> disk & 1) != 0));
    }
    Random random = new Random((seed * 1_000_003 + cut) * 1_000_003 + sample);
    return images(disk -> disks.get(disk).crashImage(random));
  }

  /**
   * Every lawful crash, at a granularity for each disk (see {@link SimDisk#forEachCrashImage}).
   *
   * @throws IllegalStateException if a disk has more than 2^16 images
   */
  public void forEachCrash(int[] granularitiesBytes, CrashVisitor visitor) throws IOException {
    visitAll(granularitiesBytes, new ArrayList<>(), visitor);
  }

  private void visitAll(int[] granularities, List<SimDisk> chosen, CrashVisitor visitor)
      throws IOException {
    int next = chosen.size();
    if (next == disks.size()) {
      visitor.crash(List.copyOf(chosen));
      return;
    }
    disks
        .get(next)
        .forEachCrashImage(
            granularities[next],
            image -> {
              chosen.add(image);
              visitAll(granularities, chosen, visitor);
              chosen.removeLast();
            });
  }

  private List<SimDisk> images(IntFunction<SimDisk> image) {
    List<SimDisk> images = new ArrayList<>();
    for (int disk = 0; disk < disks.size(); disk++) {
      images.add(image.apply(disk));
    }
    return images;
  }
}
