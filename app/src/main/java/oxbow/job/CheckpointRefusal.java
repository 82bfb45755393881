package oxbow.job;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import oxbow.block.BlockDevice;
import oxbow.block.BlockRequest;
import oxbow.block.Errno;
import oxbow.block.Operation;
import oxbow.block.Sectors;
import oxbow.device.file.FileDevice;
import oxbow.format.bow.BowMagic;

/**
 * Refuses a device that holds a checkpoint to whoever does not know what that is: its block 0 is a
 * log, and what seems to be its contents is neither the old nor the new.
 */
final class CheckpointRefusal {
  /** A server that says nothing is waited for by those who read it, who can tell the user so. */
  private static final long PATIENCE_SECONDS = 5;

  private CheckpointRefusal() {}

  /**
   * Looks at the first sector. Blocks. One that cannot be read is left to whoever needs it.
   *
   * @param text the device's address, for the message
   * @param log takes a line when the device does not answer
   * @throws IOException names both ways out of a checkpoint
   */
  static void check(BlockDevice device, String text, Consumer<String> log) throws IOException {
    switch (magicOf(device, text, log)) {
      case BOW ->
          throw new IOException(
              "%s: holds a checkpoint of backup-on-write: put it back with: oxbow bow restore %s,"
                      .formatted(text, text)
                  + " or keep what was written since with: oxbow bow commit --offline "
                  + text);
      case WOB ->
          throw new IOException(
              "%s: is being rolled back to a checkpoint: finish that with: oxbow bow restore %s"
                      .formatted(text, text)
                  + " (oxbow bow commit --offline "
                  + text
                  + " is no longer possible)");
      // Nobody can read these logs, and so nobody can lead out of them.
      case BIG_ENDIAN, BIG_ENDIAN_WOB, NONE -> {}
    }
  }

  private static BowMagic magicOf(BlockDevice device, String text, Consumer<String> log) {
    int length =
        device instanceof FileDevice
            ? Sectors.SIZE_BYTES
            : Math.max(Sectors.SIZE_BYTES, device.limits().blockSizeBytes());
    if (device.sizeBytes() < length) {
      return BowMagic.NONE;
    }
    // A device that never answers keeps the buffer; so nobody may free it but the collector.
    MemorySegment buffer = Arena.ofAuto().allocate(length, Long.BYTES);
    Semaphore ended = new Semaphore(0);
    int[] errno = new int[1];
    device.submit(
        new BlockRequest()
            .data(
                Operation.READ,
                0,
                buffer,
                0,
                length,
                0,
                (read, result) -> {
                  errno[0] = result;
                  ended.release();
                }));
    if (!endsInTime(ended)) {
      log.accept(text + ": does not answer: whether it holds a checkpoint is not known");
      return BowMagic.NONE;
    }
    byte[] head = new byte[BowMagic.SIZE_BYTES];
    MemorySegment.copy(buffer, ValueLayout.JAVA_BYTE, 0, head, 0, head.length);
    return errno[0] == Errno.OK ? BowMagic.of(head, 0) : BowMagic.NONE;
  }

  private static boolean endsInTime(Semaphore ended) {
    try {
      return ended.tryAcquire(PATIENCE_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException nobodyDoesThat) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
