package oxbow.device.nbd;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.io.TempDir;
import oxbow.block.BlockDevice;
import oxbow.device.BlockDeviceContractTest;
import oxbow.device.mem.MemDevice;
import oxbow.engine.Engine;
import oxbow.nbd.client.NbdAddress;
import oxbow.nbd.server.Export;
import oxbow.nbd.server.NbdServer;
import oxbow.nbd.server.ServerOptions;

/** Aim: the contract, through our own server and several connections. */
class NbdDeviceOnOwnServerContractTest extends BlockDeviceContractTest {
  private final NbdServer server;
  private final Engine engine;
  private final Path socket;

  /** Closed after the device, which the contract closes when each test ends. */
  @AutoClose final AutoCloseable rig;

  NbdDeviceOnOwnServerContractTest(@TempDir Path directory) throws IOException {
    Engine started = TestEngine.create();
    NbdServer serving = new NbdServer(started, ServerOptions.DEFAULT);
    engine = started;
    server = serving;
    socket = directory.resolve("sock");
    rig =
        () -> {
          serving.close();
          started.close();
        };
  }

  @Override
  protected BlockDevice open(long sizeBytes) throws IOException {
    server.add(Export.of("disk", new MemDevice(sizeBytes)));
    server.listen(UnixDomainSocketAddress.of(socket));
    return NbdDevice.open(
        NbdAddress.unix(socket.toString(), "disk"), engine, NbdOptions.defaults());
  }
}
