package oxbow.inspect;

import java.io.IOException;
import java.nio.ByteBuffer;
import oxbow.block.BlockingIo;
import oxbow.block.Sectors;
import oxbow.format.bow.BowLog;

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
   * Rolls forward. Blocks.
   *
   * @param report of this device as it is now
   * @throws IllegalArgumentException if the report does not allow it
   */
  public static void run(BlockingIo device, BowLogReport report) throws IOException {
    if (!report.canRollForward()) {
      throw new IllegalArgumentException("no roll-forward: " + report.whyNotForward());
    }
    BowLog log = report.newest();
    byte[] block0 = new byte[log.blockSizeBytes()];
    device.read(Sectors.toBytes(log.header().sector0()), ByteBuffer.wrap(block0));
    Block0.write(device, block0);
  }
}
