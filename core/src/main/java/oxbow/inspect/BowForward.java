package oxbow.inspect;

import java.io.IOException;
import java.nio.ByteBuffer;
import oxbow.block.BlockingIo;
import oxbow.block.Sectors;
import oxbow.format.bow.BowFormat;
import oxbow.format.bow.BowLog;
import oxbow.format.bow.BowLogHeader;
import oxbow.format.bow.BowMagic;

/**
 * Commits a checkpoint that no process serves: replaces the log in block 0 by the newest contents
 * of that block, after which there is no log. Interrupted, it can be run again, since the header,
 * which knows where these contents are, is overwritten last.
 *
 * @see "docs/format/bow.md, Roll-forward"
 */
public final class BowForward {
  private BowForward() {}

  /**
   * What is in the way of a roll-forward, for people; empty if nothing is. Only the header is
   * needed for it, so that it is possible whatever else of the log is damaged, and finishes a
   * commit that has been interrupted.
   */
  public static String obstacle(BowLog newest, long deviceSectors) {
    if (newest.magic() != BowMagic.BOW) {
      return "a roll-back has begun: what it has restored already cannot be taken forward again";
    }
    if (newest.format() == BowFormat.RFC) {
      return "a log of the RFC format does not record where the newest block 0 is";
    }
    BowLogHeader header = newest.header();
    return header.hasSector0(deviceSectors)
        ? ""
        : "sector0 is %s and blocks have %d bytes: that is no place for the newest block 0"
            .formatted(Long.toUnsignedString(header.sector0()), header.blockSizeBytes());
  }

  /**
   * Rolls forward. Blocks.
   *
   * @param newest the log that is in block 0 of this device now
   * @throws IllegalArgumentException if there is an {@link #obstacle}
   */
  public static void run(BlockingIo device, BowLog newest) throws IOException {
    String obstacle = obstacle(newest, Sectors.fromBytes(device.sizeBytes()));
    if (!obstacle.isEmpty()) {
      throw new IllegalArgumentException(obstacle);
    }
    byte[] block0 = new byte[newest.blockSizeBytes()];
    device.read(Sectors.toBytes(newest.header().sector0()), ByteBuffer.wrap(block0));
    Block0.write(device, block0);
  }
}
