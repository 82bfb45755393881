package oxbow.nbd.server;

import java.net.UnixDomainSocketAddress;
import java.util.concurrent.CountDownLatch;
import oxbow.engine.Engine;
import oxbow.engine.WorkerDiskPool;

/** Serves memory over NBD, to be measured: {@code ServeMain SOCKET SIZE-MIB LOOPS}. */
final class ServeMain {
  private ServeMain() {}

  public static void main(String[] args) throws Exception {
    long sizeBytes = Long.parseLong(args[1]) << 20;
    WorkerDiskPool disks = new WorkerDiskPool();
    Engine engine = new Engine(Integer.parseInt(args[2]), disks);
    NbdServer server = new NbdServer(engine, ServerOptions.DEFAULT);
    server.add(Export.of("bench", new ArenaDevice(sizeBytes)));
    System.out.println("ready " + server.listen(UnixDomainSocketAddress.of(args[0])).uri("bench"));
    new CountDownLatch(1).await();
  }
}
