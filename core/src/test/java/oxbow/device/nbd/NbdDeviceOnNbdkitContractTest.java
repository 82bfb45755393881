package oxbow.device.nbd;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.io.TempDir;
import oxbow.block.BlockDevice;
import oxbow.device.BlockDeviceContractTest;
import oxbow.engine.Engine;

/** Aim: the contract, through nbdkit with much and with little to offer. */
class NbdDeviceOnNbdkitContractTest {
  @Nested
  class WithAllItHas extends Contract {
    WithAllItHas(@TempDir Path directory) throws IOException {
      super(directory, List.of());
    }
  }

  /** No structured replies, no zeroing: zeros are written. */
  @Nested
  class WithSimpleRepliesAndWithoutZeroing extends Contract {
    WithSimpleRepliesAndWithoutZeroing(@TempDir Path directory) throws IOException {
      super(directory, List.of("--no-sr", "--filter=nozero"));
    }
  }

  /** Requests are cut to 64 KiB, and reads go to whole blocks of 4 KiB. */
  @Nested
  class WithLargeBlocksAndSmallRequests extends Contract {
    WithLargeBlocksAndSmallRequests(@TempDir Path directory) throws IOException {
      super(
          directory,
          List.of("--filter=blocksize-policy"),
          "blocksize-minimum=4096",
          "blocksize-preferred=4096",
          "blocksize-maximum=64k",
          "blocksize-error-policy=error");
    }
  }

  abstract static class Contract extends BlockDeviceContractTest {
    private final Path directory;
    private final List<String> options;
    private final List<String> parameters;

    private final Engine engine;
    private final List<ForeignServer> servers = new ArrayList<>();

    /** Closed after the device, which the contract closes when each test ends. */
    @AutoClose final AutoCloseable rig;

    Contract(Path directory, List<String> options, String... parameters) throws IOException {
      this.directory = directory;
      this.options = options;
      this.parameters = List.of(parameters);
      Engine started = TestEngine.create();
      this.engine = started;
      this.rig =
          () -> {
            started.close();
            servers.forEach(ForeignServer::close);
          };
    }

    @Override
    protected BlockDevice open(long sizeBytes) throws IOException {
      List<String> arguments = new ArrayList<>(options);
      arguments.addAll(List.of("memory", String.valueOf(sizeBytes)));
      arguments.addAll(parameters);
      try {
        ForeignServer started = ForeignServer.nbdkit(directory, arguments.toArray(String[]::new));
        servers.add(started);
        return NbdDevice.open(started.address(), engine, NbdOptions.defaults());
      } catch (InterruptedException e) {
        throw new IOException(e);
      }
    }
  }
}
