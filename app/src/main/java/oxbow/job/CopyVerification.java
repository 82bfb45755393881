package oxbow.job;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockDevice;
import oxbow.block.DeviceException;
import oxbow.block.Errno;
import oxbow.device.watch.WriteMarks;
import oxbow.target.clone.CopyChecksums;

/**
 * Reads a finished clone's destination back, around the page cache where it can, and compares it
 * with the sums of what was copied. What users have changed in this run is left out; what an
 * earlier run has hydrated has no sum and is compared with the source, where a difference may be
 * damage or a user's write of that run. Used once.
 *
 * <p>A user may write meanwhile. Regions are marked before they are written, and a mark is looked
 * for after the region was read: what differs and has no mark then was not a write.
 */
final class CopyVerification {
  private static final int CHUNK_BYTES = BulkReader.MAX_BYTES;
  private static final int WORKERS = 4;

  /** How long a source may take to say which byte of a region is damaged. */
  private static final long SOURCE_PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(2);

  private final BlockDevice destination;
  private final BlockDevice source;
  private final long deviceBytes;
  private final long regionBytes;
  private final long regionCount;
  private final CopyChecksums checksums;
  private final WriteMarks marks;
  private final boolean hasEarlier;
  private final ExtentWalk destinationExtents;
  private final ExtentWalk sourceExtents;
  private volatile boolean isStopped;

  // Guarded by this.
  private long nextRegion;
  private Counts total = new Counts(0, 0, 0, 0, 0, 0);
  private long firstDamaged = Long.MAX_VALUE;
  private @Nullable IOException failure;

  /**
   * Regions by what was found of them.
   *
   * @param checked hold what was copied in this run
   * @param leftOut users have changed them in this run
   * @param earlier hydrated before this run, and equal to the source
   * @param earlierDiffering hydrated before this run, and not equal to the source
   * @param earlierUnread hydrated before this run; the source could not be read there
   * @param damaged hold something else than what was copied in this run
   */
  record Counts(
      long checked,
      long leftOut,
      long earlier,
      long earlierDiffering,
      long earlierUnread,
      long damaged) {
    Counts plus(Counts other) {
      return new Counts(
          checked + other.checked,
          leftOut + other.leftOut,
          earlier + other.earlier,
          earlierDiffering + other.earlierDiffering,
          earlierUnread + other.earlierUnread,
          damaged + other.damaged);
    }
  }

  /**
   * What was found.
   *
   * @param damageBytes offset of the first byte that is not what was copied, or, where the source
   *     cannot tell which byte of a region that is, of the region; -1 if there is no damage
   */
  record Result(Counts counts, long damageBytes) {}

  /**
   * The devices stay the caller's.
   *
   * @param hasEarlier regions were hydrated before this run; if none were the source is not asked
   */
  CopyVerification(
      BlockDevice destination,
      BlockDevice source,
      long deviceBytes,
      long regionBytes,
      CopyChecksums checksums,
      WriteMarks marks,
      boolean hasEarlier) {
    this.destination = destination;
    this.source = source;
    this.deviceBytes = deviceBytes;
    this.regionBytes = regionBytes;
    this.regionCount = Math.ceilDiv(deviceBytes, regionBytes);
    this.checksums = checksums;
    this.marks = marks;
    this.hasEarlier = hasEarlier;
    this.destinationExtents = new ExtentWalk(destination);
    this.sourceExtents = new ExtentWalk(source);
  }

  /** Has {@link #run} end soon; from any thread. */
  void stop() {
    isStopped = true;
  }

  /**
   * Reads all of it back. Blocks.
   *
   * @return null if it was stopped
   * @throws IOException when the destination cannot be read
   */
  @Nullable Result run() throws IOException, InterruptedException {
    List<Thread> workers = new ArrayList<>();
    for (int i = 0; i < WORKERS; i++) {
      workers.add(Thread.ofPlatform().daemon().name("verify-" + i).start(this::work));
    }
    for (Thread worker : workers) {
      worker.join();
    }
    synchronized (this) {
      if (failure != null) {
        throw failure;
      }
      if (isStopped) {
        return null;
      }
      return new Result(total, total.damaged == 0 ? -1 : firstDamagedByte(firstDamaged));
    }
  }

  /**
   * Regions to look at together: no more than a chunk holds, or a large one, or a hole of any
   * length.
   *
   * @param isZero known to read as zeros, without being read; in the source too, where that counts
   */
  private record Run(long first, long end, boolean isZero) {}

  private synchronized @Nullable Run next() {
    if (isStopped || failure != null || nextRegion >= regionCount) {
      return null;
    }
    long first = nextRegion;
    long zeroEnd = zeroEnd(destinationExtents, first);
    if (zeroEnd > first && hasEarlier) {
      zeroEnd = Math.min(zeroEnd, zeroEnd(sourceExtents, first));
    }
    boolean isZero = zeroEnd > first;
    long atOnce = Math.max(1, CHUNK_BYTES / regionBytes);
    nextRegion = isZero ? zeroEnd : Math.min(regionCount, first + atOnce);
    return new Run(first, nextRegion, isZero);
  }

  /**
   * End of the regions from one on that a device says are wholly zeros; the region itself if not.
   */
  private long zeroEnd(ExtentWalk extents, long region) {
    ExtentWalk.Extent extent = extents.at(region * regionBytes, deviceBytes);
    if (!extent.isZero()) {
      return region;
    }
    long end = extent.endBytes();
    return Math.max(region, end >= deviceBytes ? regionCount : end / regionBytes);
  }

  private void work() {
    try (Arena arena = Arena.ofShared()) {
      Worker worker = new Worker(arena);
      for (Run run = next(); run != null; run = next()) {
        worker.look(run);
      }
      add(worker);
    } catch (IOException failed) {
      fail(failed);
    } catch (RuntimeException | Error fault) {
      fail(new IOException("fault in the program: " + fault, fault));
    }
  }

  private synchronized void add(Worker worker) {
    total = total.plus(worker.counts());
    firstDamaged = Math.min(firstDamaged, worker.firstDamaged);
  }

  private synchronized void fail(IOException why) {
    if (failure == null) {
      failure = why;
    }
  }

  private long endOf(long region) {
    return Math.min((region + 1) * regionBytes, deviceBytes);
  }

  /**
   * The source knows which byte of a damaged region it is; if it can be read, and soon: damage is
   * told even while the source is gone.
   */
  private long firstDamagedByte(long region) throws InterruptedException {
    // Not closed under a read that nobody waits for any more.
    Arena arena = Arena.ofAuto();
    BulkReader here = new BulkReader(destination, arena);
    BulkReader there = new BulkReader(source, arena);
    for (long at = region * regionBytes; at < endOf(region); at += CHUNK_BYTES) {
      int length = (int) Math.min(CHUNK_BYTES, endOf(region) - at);
      there.begin(at, length);
      if (here.read(at, length) != Errno.OK
          || !there.hasEndedWithin(SOURCE_PATIENCE_NANOS)
          || there.result() != Errno.OK) {
        break;
      }
      long differs = here.mismatch(there, 0, length);
      if (differs >= 0) {
        return at + differs;
      }
    }
    return region * regionBytes;
  }

  /** What one thread needs and finds. */
  private final class Worker {
    private final BulkReader here;
    private final BulkReader there;
    private final CRC32C crc = new CRC32C();
    private long checked;
    private long leftOut;
    private long earlier;
    private long earlierDiffering;
    private long earlierUnread;
    private long damaged;
    private long firstDamaged = Long.MAX_VALUE;

    Worker(Arena arena) {
      here = new BulkReader(destination, arena);
      there = new BulkReader(source, arena);
    }

    Counts counts() {
      return new Counts(checked, leftOut, earlier, earlierDiffering, earlierUnread, damaged);
    }

    void look(Run run) throws IOException {
      if (run.isZero) {
        lookAtZeros(run);
      } else if (regionBytes > CHUNK_BYTES) {
        lookAtLarge(run.first);
      } else {
        lookAtChunk(run);
      }
    }

    private void lookAtZeros(Run run) {
      for (long region = run.first; region < run.end && !isStopped; region++) {
        if (isEarlier(region)) {
          judgeEarlier(region, true, Errno.OK);
        } else {
          judge(region, checksums.sumOfZeroRegion(region));
        }
      }
    }

    private void lookAtChunk(Run run) throws IOException {
      long start = run.first * regionBytes;
      int length = (int) (endOf(run.end - 1) - start);
      readHere(start, length);
      boolean isThereRead = false;
      int errno = Errno.OK;
      for (long region = run.first; region < run.end; region++) {
        long from = region * regionBytes - start;
        long to = endOf(region) - start;
        if (isEarlier(region)) {
          // Once for all of them: the source may be far away.
          errno = isThereRead ? errno : there.read(start, length);
          isThereRead = true;
          judgeEarlier(region, here.mismatch(there, from, to) < 0, errno);
        } else {
          crc.reset();
          here.addTo(crc, from, to);
          judge(region, CopyChecksums.sumOf(crc));
        }
      }
    }

    private void lookAtLarge(long region) throws IOException {
      boolean isEarlier = isEarlier(region);
      boolean isEqual = true;
      int errno = Errno.OK;
      crc.reset();
      for (long at = region * regionBytes; at < endOf(region) && !isStopped; at += CHUNK_BYTES) {
        int length = (int) Math.min(CHUNK_BYTES, endOf(region) - at);
        readHere(at, length);
        here.addTo(crc, 0, length);
        if (isEarlier && errno == Errno.OK) {
          errno = there.read(at, length);
          isEqual &= here.mismatch(there, 0, length) < 0;
        }
      }
      if (isStopped) {
        return;
      }
      if (isEarlier) {
        judgeEarlier(region, isEqual, errno);
      } else {
        judge(region, CopyChecksums.sumOf(crc));
      }
    }

    private void readHere(long offsetBytes, int lengthBytes) throws IOException {
      int errno = here.read(offsetBytes, lengthBytes);
      if (errno != Errno.OK) {
        throw new DeviceException(errno, destination.address() + ": read at byte " + offsetBytes);
      }
    }

    private boolean isEarlier(long region) {
      return checksums.sum(region) == CopyChecksums.NONE && !marks.isMarked(region);
    }

    /** The mark is looked for after the read: see the class. */
    private void judge(long region, int found) {
      if (marks.isMarked(region)) {
        leftOut++;
      } else if (found == checksums.sum(region)) {
        checked++;
      } else {
        damaged++;
        firstDamaged = Math.min(firstDamaged, region);
      }
    }

    private void judgeEarlier(long region, boolean isEqual, int errno) {
      if (marks.isMarked(region)) {
        leftOut++;
      } else if (errno != Errno.OK) {
        earlierUnread++;
      } else if (isEqual) {
        earlier++;
      } else {
        earlierDiffering++;
      }
    }
  }
}
