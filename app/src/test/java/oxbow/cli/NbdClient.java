package oxbow.cli;

import java.io.IOException;
import java.nio.ByteBuffer;
import oxbow.block.BlockDevice;
import oxbow.block.BlockingDevice;
import oxbow.console.UserException;
import oxbow.job.DeviceOpener;

/**
 * Somebody who uses a served device: reads and writes, one at a time, and nothing else. Unlike a
 * command it does not look whether the device holds a checkpoint.
 */
public final class NbdClient implements AutoCloseable {
  private final DeviceOpener opener = new DeviceOpener(line -> {});
  private final BlockDevice device;
  private final BlockingDevice io;

  /**
   * Connects.
   *
   * @param ready the line that tells the device's URI
   */
  public NbdClient(String ready) throws IOException, UserException {
    String uri = ready.substring(ready.indexOf(' ') + 1);
    device = opener.openCheckpointed(DeviceOpener.parse("test", uri), true);
    io = new BlockingDevice(device);
  }

  public byte[] read(long offsetBytes, int lengthBytes) throws IOException {
    byte[] bytes = new byte[lengthBytes];
    io.read(offsetBytes, ByteBuffer.wrap(bytes));
    return bytes;
  }

  public void write(long offsetBytes, byte[] bytes) throws IOException {
    io.write(offsetBytes, ByteBuffer.wrap(bytes));
  }

  public void flush() throws IOException {
    io.flush();
  }

  /** When its server is gone it learns that at once. */
  public void holdNoLonger() {
    DeviceOpener.holdNoLonger(device);
  }

  @Override
  public void close() throws IOException {
    io.close();
    device.close();
    opener.close();
  }
}
