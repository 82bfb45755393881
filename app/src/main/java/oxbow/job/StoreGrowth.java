package oxbow.job;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import oxbow.block.Sectors;
import oxbow.console.Console;
import oxbow.console.Progress;
import oxbow.console.UserException;
import oxbow.device.file.FileDevice;
import oxbow.mapped.MappedDevice;
import oxbow.target.MessageException;
import oxbow.target.snapshot.SnapshotFigures;
import oxbow.target.snapshot.SnapshotState;

/**
 * Makes the file of a store longer whenever so much of it is in use that the snapshot warns. The
 * file is longer for good before the snapshot hears of it: exceptions that point behind the end of
 * a store would make it unreadable.
 */
final class StoreGrowth {
  /** The target asks its store for the size again. */
  private static final List<String> STORE_GREW = List.of("store_grew");

  private static final long PERCENT = 100;

  /** No file system has files as large as this; and sums stay far from the end of numbers. */
  private static final long MAX_BYTES = 1L << 60;

  private final FileDevice store;
  private final long chunkBytes;
  private final long stepBytes;
  private final int warnPercent;
  private final Console console;

  /**
   * @param stepBytes whole sectors; 0 for as much as the store has
   */
  StoreGrowth(FileDevice store, long chunkBytes, long stepBytes, int warnPercent, Console console) {
    this.store = store;
    this.chunkBytes = chunkBytes;
    this.stepBytes = stepBytes;
    this.warnPercent = warnPercent;
    this.console = console;
  }

  /** Grows the store if it is time to; even when it is full, that heals an overflow. Blocks. */
  void look(SnapshotFigures now, MappedDevice snapshot) {
    if (now.state() != SnapshotState.ACTIVE && now.state() != SnapshotState.OVERFLOW) {
      return;
    }
    long wanted = wantedBytes(Sectors.toBytes(now.allocatedSectors()));
    if (wanted == store.sizeBytes()) {
      return;
    }
    try {
      store.growTo(wanted);
      snapshot.message(STORE_GREW);
      console.event(
          "grown",
          Map.of("bytes", wanted),
          "%s has grown to %s".formatted(store.address(), Progress.human(wanted)));
    } catch (IOException | MessageException failed) {
      String what = "the store cannot grow: " + UserException.reason(failed);
      console.event("warning", Map.of("what", what), "warning: " + what);
    }
  }

  /** The least size, in steps, of which what is in use is less than what is warned of. */
  private long wantedBytes(long usedBytes) {
    long size = store.sizeBytes();
    while (isWarnedOf(usedBytes, size) && size < MAX_BYTES) {
      size += stepBytes == 0 ? size : stepBytes;
    }
    return size;
  }

  /** As the target counts: in whole chunks. It warns once, so this must not be more patient. */
  private boolean isWarnedOf(long usedBytes, long sizeBytes) {
    return usedBytes / chunkBytes * PERCENT >= sizeBytes / chunkBytes * warnPercent;
  }
}
