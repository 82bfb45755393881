package oxbow.device.file;

import oxbow.block.BlockRequest;
import oxbow.block.Errno;
import oxbow.block.Extents;
import oxbow.block.Operation;
import oxbow.engine.DiskPool;
import oxbow.linux.DiskFile;

/**
 * One walk along data and holes of a file, on the disk pool, since it may have to read metadata.
 */
final class ExtentsQuery implements DiskPool.Work {
  private final DiskFile file;
  private final long fileEndBytes;
  private final long endBytes;
  private final int maxExtents;
  private final Extents receiver;
  private final BlockRequest request;
  private long atBytes;
  private int reported;

  /**
   * @param fileEndBytes where the file ended when it was opened or grew
   */
  ExtentsQuery(
      DiskFile file,
      long fileEndBytes,
      long offsetBytes,
      long lengthBytes,
      int maxExtents,
      Extents receiver) {
    this.file = file;
    this.fileEndBytes = fileEndBytes;
    this.endBytes = offsetBytes + lengthBytes;
    this.maxExtents = maxExtents;
    this.receiver = receiver;
    this.atBytes = offsetBytes;
    // The pool queues requests; this one only stands for the query.
    this.request =
        new BlockRequest()
            .range(
                Operation.CACHE,
                offsetBytes,
                lengthBytes,
                0,
                (ended, errno) -> receiver.end(errno));
  }

  void start(DiskPool pool) {
    pool.submit(request, this);
  }

  @Override
  public void execute(BlockRequest queued) {
    int errno = Errno.OK;
    while (errno == Errno.OK && atBytes < endBytes && reported < maxExtents) {
      errno = step();
    }
    queued.complete(errno);
  }

  @Override
  public boolean mayWaitForRequests() {
    return false;
  }

  /** Reports the hole or the data at the present place. */
  private int step() {
    long data = file.seekData(atBytes);
    if (FileErrors.isNothingThere(data)) {
      // Nothing but a hole up to the end, provided that the end is where it was (F4).
      long end = Math.max(atBytes, file.sizeBytes());
      if (end < Math.min(endBytes, fileEndBytes)) {
        return Errno.EIO;
      }
      report(endBytes, Extents.HOLE | Extents.ZERO);
      return Errno.OK;
    }
    if (FileErrors.isUnsupported(data)) {
      report(endBytes, 0);
      return Errno.OK;
    }
    if (data < 0) {
      return FileErrors.errnoOf(data);
    }
    if (data > atBytes) {
      report(data, Extents.HOLE | Extents.ZERO);
      return Errno.OK;
    }
    long hole = file.seekHole(atBytes);
    if (hole < 0) {
      return FileErrors.errnoOf(hole);
    }
    // At or before the present place when it was punched between the two calls: look again.
    if (hole > atBytes) {
      report(hole, 0);
    }
    return Errno.OK;
  }

  private void report(long extentEndBytes, int state) {
    long end = Math.min(extentEndBytes, endBytes);
    receiver.extent(end - atBytes, state);
    atBytes = end;
    reported++;
  }
}
