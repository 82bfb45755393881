package oxbow.nbd.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import oxbow.device.file.FileDevice;
import oxbow.device.file.FileOpener;
import oxbow.engine.Engine;
import oxbow.engine.WorkerDiskPool;

/**
 * Other people's clients find what they expect. Method: each as its users run it, on a real file
 * with data and a hole. What is not installed is skipped, with a line that says so, except where
 * the environment has CI=true.
 */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ForeignClientsTest {
  private static final int DATA_BYTES = 24 << 20;
  private static final int SIZE_BYTES = 64 << 20;

  @TempDir Path directory;

  private final WorkerDiskPool disks = new WorkerDiskPool(4);
  private final byte[] data = new byte[DATA_BYTES];
  private Path image;
  private FileDevice device;
  private Engine engine;
  private NbdServer server;
  private String uri;

  /** How a program ended, with both its outputs in one. */
  private record Result(int status, String output) {}

  @BeforeEach
  void start() throws IOException {
    image = directory.resolve("image");
    new Random(4711).nextBytes(data);
    try (FileChannel file =
        FileChannel.open(image, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      file.write(ByteBuffer.wrap(data));
      file.write(ByteBuffer.allocate(1), SIZE_BYTES - 1);
    }
    device = new FileOpener(disks).openWritable(image, FileOpener.OddTail.DROP);
    engine = new Engine(2, disks);
    server = new NbdServer(engine, ServerOptions.DEFAULT);
    server.add(new Export("disk", "for everyone", device, false, true, ExportLimits.UNLIMITED));
    uri = server.listen(UnixDomainSocketAddress.of(directory.resolve("socket"))).uri("disk");
  }

  @AfterEach
  void stop() throws IOException {
    assertThat(server.close(Duration.ofSeconds(20))).isTrue();
    engine.close();
    device.close();
    disks.close();
  }

  private Result run(String... command) throws IOException, InterruptedException {
    require(command[0]);
    Path output = Files.createTempFile(directory, "output", "");
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(directory.toFile())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile());
    // nbdsh runs on the python3 of the system, which may not be the first one.
    builder.environment().merge("PATH", "/usr/bin", (path, system) -> system + ":" + path);
    Process process = builder.start();
    process.getOutputStream().close();
    if (!process.waitFor(60, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new AssertionError(List.of(command) + " hangs: " + Files.readString(output));
    }
    return new Result(process.exitValue(), Files.readString(output));
  }

  private String succeed(String... command) throws IOException, InterruptedException {
    Result result = run(command);
    assertThat(result.status()).as(result.output()).isZero();
    return result.output();
  }

  private static void require(String program) {
    boolean isInstalled =
        Stream.of(System.getenv("PATH").split(":", -1))
            .anyMatch(directory -> Files.isExecutable(Path.of(directory, program)));
    if (!isInstalled) {
      String sentence = "SKIPPED: " + program + " is not installed";
      System.err.println(sentence);
      assertThat("true".equals(System.getenv("CI"))).as(sentence).isFalse();
      assumeTrue(false, sentence);
    }
  }

  @Test
  void nbdinfoDescribesTheExport() throws Exception {
    String output = succeed("nbdinfo", uri);

    assertThat(output)
        .contains("protocol: newstyle-fixed without TLS, using structured packets")
        .contains("export=\"disk\"")
        .contains("description: for everyone")
        .contains("export-size: " + SIZE_BYTES)
        .contains("block_size_minimum: 1")
        .contains("block_size_preferred: 4096")
        .contains("block_size_maximum: 33554432")
        .contains("base:allocation")
        .contains("can_multi_conn: true")
        .contains("can_fast_zero: true");
  }

  @Test
  void nbdinfoListsAllExports() throws Exception {
    server.add(Export.of("", new ArenaDevice(4096)));
    server.add(Export.of("another one", new ArenaDevice(8192)));

    assertThat(succeed("nbdinfo", "--list", uri))
        .contains("export=\"\"", "export=\"disk\"", "export=\"another one\"");
  }

  @Test
  void nbdinfoMapsDataAndHole() throws Exception {
    assertThat(succeed("nbdinfo", "--map", uri).lines().toList())
        .anySatisfy(line -> assertThat(line.strip()).matches("0 +" + DATA_BYTES + " +0 +data"))
        .anySatisfy(line -> assertThat(line).contains(" 3 ").contains("hole,zero"));
  }

  @Test
  void nbdcopyCopiesOutAndIn() throws Exception {
    Path copy = directory.resolve("copy");
    succeed("nbdcopy", uri, copy.toString());
    assertThat(copy).hasSameBinaryContentAs(image);

    byte[] other = new byte[SIZE_BYTES];
    new Random(1).nextBytes(other);
    Files.write(copy, other);
    succeed("nbdcopy", "--flush", copy.toString(), uri);
    assertThat(image).hasSameBinaryContentAs(copy);
  }

  @Test
  void nbdcopyUsesSeveralConnectionsOverTcp() throws Exception {
    String tcp =
        server.listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0)).uri("disk");
    Path copy = directory.resolve("copy");
    succeed("nbdcopy", "--connections=4", "--requests=64", tcp, copy.toString());
    assertThat(copy).hasSameBinaryContentAs(image);
  }

  @Test
  void qemuImgComparesAndConverts() throws Exception {
    succeed("qemu-img", "compare", "-f", "raw", "-F", "raw", image.toString(), uri);
    Path copy = directory.resolve("copy.qcow2");
    succeed("qemu-img", "convert", "-f", "raw", "-O", "qcow2", uri, copy.toString());
    succeed("qemu-img", "compare", "-f", "raw", "-F", "qcow2", image.toString(), "" + copy);
    assertThat(succeed("qemu-img", "map", "--output=json", "-f", "raw", uri))
        .contains("\"zero\": true");
  }

  @Test
  void qemuIoReadsBackWhatItWrites() throws Exception {
    String output =
        succeed(
            "qemu-io",
            "-f",
            "raw",
            uri,
            "-c",
            "write -P 0xaa 1000 70001",
            "-c",
            "write -f -P 0xbb 40M 1M",
            "-c",
            "read -P 0xaa 1000 70001",
            "-c",
            "read -P 0xbb 40M 1M",
            "-c",
            "write -z 40M 512K",
            "-c",
            "write -z -u 8M 4M",
            "-c",
            "read -P 0 40M 512K",
            "-c",
            "read -P 0 8M 4M",
            "-c",
            "discard 0 1M",
            "-c",
            "aio_write -P 0xcc 20M 2M",
            "-c",
            "aio_read -P 0xbb 42467328 512",
            "-c",
            "aio_flush",
            "-c",
            "read -P 0xcc 20M 2M",
            "-c",
            "flush");

    assertThat(output).doesNotContain("failed").doesNotContain("error");
    try (FileChannel file = FileChannel.open(image)) {
      ByteBuffer written = ByteBuffer.allocate(2 << 20);
      file.read(written, 20 << 20);
      assertThat(written.array()).containsOnly(0xcc);
    }
  }

  @Test
  void nbdshFindsEveryCommandAndError() throws Exception {
    Path script = directory.resolve("script.py");
    Files.writeString(script, NBDSH_SCRIPT);

    String run = "exec(open('" + script + "').read())";
    assertThat(succeed("nbdsh", "--base-allocation", "-u", uri, "-c", run)).contains("all good");
  }

  private static final String NBDSH_SCRIPT =
      """
      import errno

      def expect(number, call):
          try:
              call()
          except nbd.Error as e:
              assert e.errnum == number, (e, number)
          else:
              raise AssertionError("no error, not even %d" % number)

      size = h.get_size()
      big = 32 << 20
      h.pwrite(b"x" * big, 3, nbd.CMD_FLAG_FUA)
      assert h.pread(big, 3) == b"x" * big
      h.zero(4096, 4096, nbd.CMD_FLAG_NO_HOLE)
      assert h.pread(4098, 4095) == b"x" + bytes(4096) + b"x"
      h.zero(1 << 20, 0, nbd.CMD_FLAG_FAST_ZERO)
      h.trim(1 << 20, 1 << 20, nbd.CMD_FLAG_FUA)
      h.cache(size, 0)
      h.flush()

      chunks = []
      def chunk(data, offset, status, err):
          chunks.append((bytes(data), offset, status))
      h.pread_structured(5, size - 5, chunk, nbd.CMD_FLAG_DF)
      assert chunks == [(bytes(5), size - 5, nbd.READ_DATA)], chunks

      extents = []
      def extent(context, offset, entries, err):
          assert context == "base:allocation"
          extents.extend(entries)
      h.block_status(size, 0, extent)
      assert sum(extents[::2]) <= size and len(extents) >= 2, extents
      del extents[:]
      h.block_status(size, 0, extent, nbd.CMD_FLAG_REQ_ONE)
      assert len(extents) == 2, extents

      h.set_strict_mode(0)
      expect(errno.EINVAL, lambda: h.pread(10, size - 5))
      expect(errno.ENOSPC, lambda: h.pwrite(b"y" * 10, size - 5))
      expect(errno.ENOSPC, lambda: h.zero(10, size - 5))
      expect(errno.EINVAL, lambda: h.trim(10, size - 5))
      expect(errno.EINVAL, lambda: h.flush(nbd.CMD_FLAG_DF))

      buffers = [nbd.Buffer(4096) for _ in range(64)]
      pending = {h.aio_pread(b, 4096 * i) for i, b in enumerate(buffers)}
      while pending:
          h.poll(-1)
          pending = {c for c in pending if not h.aio_command_completed(c)}
      h.shutdown()
      print("all good")
      """;

  @Test
  void fioVerifiesWhatItHasWritten() throws Exception {
    String output =
        succeed(
            "fio",
            "--name=verify",
            "--ioengine=nbd",
            "--uri=" + uri,
            "--rw=randrw",
            "--bssplit=512/10:4k/50:64k/30:300k/10",
            "--iodepth=32",
            "--size=48m",
            "--verify=crc32c",
            "--verify_fatal=1",
            "--fsync=64",
            "--randseed=7");

    assertThat(output).contains("err= 0");
  }
}
