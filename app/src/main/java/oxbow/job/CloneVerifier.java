package oxbow.job;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockDevice;
import oxbow.console.Console;
import oxbow.console.UserException;
import oxbow.device.watch.WatchedDevice;
import oxbow.device.watch.WriteMarks;
import oxbow.target.clone.CloneProgress;
import oxbow.target.clone.CloneTarget;
import oxbow.target.clone.CopyChecksums;

/**
 * {@code clone --verify}: has sums taken while the clone hydrates, and once that has completed
 * reads the destination back, on a thread of its own, while the clone may be in use. Used once.
 */
final class CloneVerifier implements AutoCloseable {
  private final String destination;
  private final Console console;
  private final WriteMarks marks;
  private @Nullable Thread thread;

  /** Null when it has ended: sums and marks are not kept for as long as the clone is served. */
  private volatile @Nullable CopyVerification verification;

  // Written by the thread before it ends.
  private volatile boolean hasEnded;
  private volatile CopyVerification.@Nullable Result result;
  private volatile @Nullable IOException failure;

  /**
   * Has sums taken from now on. Before the target is resumed for the first time.
   *
   * @param destination as the user calls it
   */
  CloneVerifier(CloneTarget target, String destination, Console console) {
    this.destination = destination;
    this.console = console;
    CloneProgress before = target.progress();
    CopyChecksums checksums = new CopyChecksums(before.deviceBytes(), before.regionBytes());
    this.marks = new WriteMarks(before.deviceBytes(), before.regionBytes());
    target.sumCopies(checksums);
    this.verification =
        new CopyVerification(
            target.destination(),
            target.source(),
            before.deviceBytes(),
            before.regionBytes(),
            checksums,
            marks,
            before.hydratedRegions() > 0);
  }

  /** What is served: a device that tells of writes before it takes them. */
  BlockDevice served(BlockDevice device) {
    return new WatchedDevice(device, marks);
  }

  /** Hydration is done: begins to read back, unless that has begun before. */
  void begin(Runnable whenEnded) {
    CopyVerification work = verification;
    if (work == null || thread != null) {
      return;
    }
    console.say("verifying: reading " + destination + " back");
    thread =
        Thread.ofPlatform()
            .daemon()
            .name("verify")
            .start(
                () -> {
                  try {
                    result = work.run();
                  } catch (IOException failed) {
                    failure = failed;
                  } catch (InterruptedException nobodyDoesThat) {
                    Thread.currentThread().interrupt();
                  } finally {
                    tell();
                    marks.release();
                    verification = null;
                    hasEnded = true;
                    whenEnded.run();
                  }
                });
  }

  /** Whether all has been read back, or cannot be. */
  boolean hasEnded() {
    return hasEnded;
  }

  private void tell() {
    CopyVerification.Result found = result;
    if (found == null) {
      return;
    }
    CopyVerification.Counts counts = found.counts();
    Map<String, @Nullable Object> fields = new LinkedHashMap<>();
    fields.put("checked", counts.checked());
    fields.put("leftOut", counts.leftOut());
    fields.put("earlier", counts.earlier());
    fields.put("earlierDiffering", counts.earlierDiffering());
    fields.put("earlierUnread", counts.earlierUnread());
    fields.put("damaged", counts.damaged());
    fields.put("firstDamage", found.damageBytes() < 0 ? null : found.damageBytes());
    console.event("verified", fields, line(found));
  }

  private String line(CopyVerification.Result found) {
    CopyVerification.Counts counts = found.counts();
    StringBuilder line = new StringBuilder();
    if (counts.damaged() > 0) {
      line.append("damage: ").append(damage(found)).append("; ");
    } else {
      line.append("verified: ");
    }
    line.append(counts.checked()).append(" regions are as they were copied");
    line.append(", ").append(counts.leftOut()).append(" left out (written by users)");
    long earlier = counts.earlier() + counts.earlierDiffering() + counts.earlierUnread();
    if (earlier > 0) {
      line.append(", ").append(earlier).append(" hydrated before this run");
      line.append(" (").append(counts.earlier()).append(" equal the source, ");
      line.append(counts.earlierDiffering()).append(" differ: written by users then, or damaged");
      if (counts.earlierUnread() > 0) {
        line.append("; ").append(counts.earlierUnread()).append(" could not be compared");
      }
      line.append(')');
    }
    return line.toString();
  }

  private String damage(CopyVerification.Result found) {
    return "%s is not what was copied, first at byte %d, in %d regions"
        .formatted(destination, found.damageBytes(), found.counts().damaged());
  }

  /** The job fails if what was copied is not there; to be asked when all has come to its end. */
  void check() throws UserException {
    IOException failed = failure;
    if (failed != null) {
      throw UserException.failed("clone: verify", failed);
    }
    CopyVerification.Result found = result;
    if (found != null && found.damageBytes() >= 0) {
      throw UserException.failed("clone: verify", damage(found))
          .advise("Do not rely on it: check the disk, then clone anew.");
    }
    if (found == null) {
      console.say("not verified: stopped before all was read back");
    }
  }

  /** Ends reading back soon, and waits for that. */
  @Override
  public void close() {
    CopyVerification work = verification;
    if (work != null) {
      work.stop();
    }
    Thread begun = thread;
    if (begun != null) {
      try {
        begun.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
