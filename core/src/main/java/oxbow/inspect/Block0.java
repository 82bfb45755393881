package oxbow.inspect;

import java.io.IOException;
import java.nio.ByteBuffer;
import oxbow.block.BlockingIo;
import oxbow.block.Sectors;

/** Replaces a log in block 0, so that the log is whole, or gone. */
final class Block0 {
  private Block0() {}

  /**
   * Writes all sectors but the first, and the first alone once they are durable: until then the
   * header there, and an entry beside it, are the old ones, and a new attempt can begin with them.
   * Durable when it returns.
   */
  static void write(BlockingIo device, byte[] block) throws IOException {
    if (block.length > Sectors.SIZE_BYTES) {
      device.write(
          Sectors.SIZE_BYTES,
          ByteBuffer.wrap(block, Sectors.SIZE_BYTES, block.length - Sectors.SIZE_BYTES));
      device.flush();
    }
    device.write(0, ByteBuffer.wrap(block, 0, Sectors.SIZE_BYTES));
    device.flush();
  }
}
