package oxbow.nbd.server;

import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import oxbow.block.BlockDevice;
import oxbow.device.file.FileOpener;
import oxbow.engine.Engine;
import oxbow.engine.WorkerDiskPool;

/** Serves memory or a file over NBD, to be measured: {@code ServeMain SOCKET MIB|FILE LOOPS}. */
final class ServeMain {
  private ServeMain() {}

  public static void main(String[] args) throws Exception {
    WorkerDiskPool disks = new WorkerDiskPool();
    BlockDevice device =
        args[1].startsWith("/")
            ? new FileOpener(disks).openWritable(Path.of(args[1]), FileOpener.OddTail.DROP)
            : new ArenaDevice(Long.parseLong(args[1]) << 20);
    Engine engine = new Engine(Integer.parseInt(args[2]), disks);
    NbdServer server = new NbdServer(engine, ServerOptions.DEFAULT);
    server.add(Export.of("bench", device));
    System.out.println("ready " + server.listen(UnixDomainSocketAddress.of(args[0])).uri("bench"));
    new CountDownLatch(1).await();
  }
}
