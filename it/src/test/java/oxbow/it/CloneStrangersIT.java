package oxbow.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Aim: the clients people have use a clone without complaint from its first moment on, while it
 * hydrates. Method: an ext4 image behind a slow nbdkit is cloned; each client works on the clone in
 * its middle; at the end DEST alone is the source with what the client wrote.
 */
class CloneStrangersIT {
  private static final int SIZE_MIB = 32;
  private static final int MIB = 1 << 20;

  @TempDir Path directory;

  private Path source = Path.of("");
  private AutoCloseable slowServer = () -> {};
  private TestClone clone = new TestClone(Path.of(""), "");

  @BeforeEach
  void serveSlowlyAndClone() {
    source = Images.ext4(directory.resolve("source.img"), SIZE_MIB);
    Server slow =
        Server.nbdkit(
            directory.resolve("source.sock"), "-r", "--filter=delay", "file", source, "rdelay=5ms");
    slowServer = slow;
    clone = new TestClone(directory, slow.uri());
    // Ten MiB of data at this rate take longer than any client here.
    clone.start("--rate", "256KiB");
  }

  @AfterEach
  void end() throws Exception {
    clone.close();
    slowServer.close();
  }

  @Test
  void nbdinfoSeesWhatTheServerOffersAndATruthfulMap() throws IOException {
    Path nbdinfo = Tool.require("nbdinfo", "libnbd-bin");

    JsonNode export = json(Proc.of(nbdinfo, "--json", clone.uri())).path("exports").path(0);
    JsonNode map = json(Proc.of(nbdinfo, "--map=base:allocation", "--json", clone.uri()));
    JsonNode list = json(Proc.of(nbdinfo, "--list", "--json", clone.uri())).path("exports");
    clone.assertIsHydrating();

    assertThat(export.path("export-size").asLong()).isEqualTo(SIZE_MIB * (long) MIB);
    for (String can : List.of("flush", "fua", "multi_conn", "trim", "zero", "cache", "df")) {
      assertThat(export.path("can_" + can).asBoolean()).as("can_%s: %s", can, export).isTrue();
    }
    assertThat(export.path("is_read_only").asBoolean(true)).isFalse();
    assertThat(list.path(0).path("export-name").asText()).isEqualTo(clone.name());
    assertIsTruthful(map);
    finishAndCompareWith(source);
    Images.assertExt4IsClean(clone.destination());
  }

  /** All is covered; what is said to be zero is; and the holes of the source are not hidden. */
  private void assertIsTruthful(JsonNode map) {
    long next = 0;
    long zeroBytes = 0;
    for (JsonNode extent : map) {
      long offset = extent.path("offset").asLong();
      long length = extent.path("length").asLong();
      assertThat(offset).isEqualTo(next);
      next = offset + length;
      if ((extent.path("type").asInt() & 2) != 0) {
        assertThat(Images.isZero(source, offset, length)).as("zeros at %s", extent).isTrue();
        zeroBytes += length;
      }
    }
    assertThat(next).isEqualTo(SIZE_MIB * (long) MIB);
    assertThat(zeroBytes).isGreaterThan(SIZE_MIB * (long) MIB / 3);
  }

  @Test
  void nbdcopyTakesTheWholeCloneOverFourConnections() throws IOException {
    Path copy = directory.resolve("copy.img");

    Proc.of(Tool.require("nbdcopy", "libnbd-bin"), "--connections=4", clone.uri(), copy).run().ok();
    clone.assertIsHydrating();

    Images.assertSameContent(copy, source);
    finishAndCompareWith(source);
  }

  @Test
  void nbdcopyFillsTheCloneWithAnotherImage() throws IOException {
    Path other = Images.sparse(directory.resolve("other.img"), SIZE_MIB * (long) MIB);
    Images.random(other, 3 * MIB + 512, 2 * MIB, 77);
    Images.random(other, SIZE_MIB * (long) MIB - 5000, 5000, 78);

    // Without --destination-is-zero it must make the holes itself, with zeroings.
    Proc.of(Tool.require("nbdcopy", "libnbd-bin"), "--flush", other, clone.uri()).run().ok();
    clone.kill();
    clone.start("--no-hydration");
    assertThat(clone.hydratedRegions()).isEqualTo(SIZE_MIB * 256L);

    finishAndCompareWith(other);
  }

  @Test
  void qemuImgConvertsAndCompares() throws IOException {
    Path qemuImg = Tool.require("qemu-img", "qemu-utils");
    Path copy = directory.resolve("copy.qcow2");

    Proc.of(qemuImg, "convert", "-f", "raw", "-O", "qcow2", clone.uri(), copy).run().ok();
    Proc.of(qemuImg, "compare", "-f", "raw", "-F", "qcow2", clone.uri(), copy).run().ok();
    Proc.of(qemuImg, "compare", "-f", "raw", "-F", "raw", source, clone.uri()).run().ok();
    clone.assertIsHydrating();

    finishAndCompareWith(source);
    Images.assertExt4IsClean(clone.destination());
  }

  @Test
  void qemuIoWritesZeroesDiscardsAndFlushesAtAnyAlignment() throws IOException {
    Path qemuIo = Tool.require("qemu-io", "qemu-utils");
    Path model = Files.copy(source, directory.resolve("model.img"));
    List<String> writes =
        List.of(
            "write -P 0x11 1000001 77777",
            "write -P 0x12 3145728 1048576",
            "write -f -P 0x13 8k 4k",
            "write -P 0x14 8191 2",
            "write -z 5000000 333333",
            "write -z -u 6M 1M",
            "write -P 0x15 33554431 1",
            "discard 10M 2M",
            "discard 2113536 4096",
            "write -P 0x16 10500000 5000",
            "flush",
            "aio_write -P 0x17 20M 64k",
            "aio_write -P 0x18 21234567 65537",
            "aio_flush");
    List<String> checks =
        List.of(
            "read -P 0x11 1000001 77777",
            "read -P 0x12 3145728 1048576",
            "read -P 0x14 8191 2",
            "read -P 0x13 8193 4095",
            "read -P 0 5000000 333333",
            "read -P 0 6M 1M",
            "read -P 0x15 33554431 1",
            "read -P 0x16 10500000 5000",
            "read -P 0 2113536 4096",
            "read -P 0x17 20M 64k",
            "read -P 0x18 21234567 65537");

    runQemuIo(qemuIo, writes, "--discard=unmap", "--image-opts", options(model));
    runQemuIo(qemuIo, writes, "-f", "raw", "--discard=unmap", clone.uri());
    runQemuIo(qemuIo, checks, "-f", "raw", clone.uri());
    clone.assertIsHydrating();

    // All of it was flushed, so a crash takes nothing away.
    clone.kill();
    clone.start();
    runQemuIo(qemuIo, checks, "-f", "raw", clone.uri());
    finishAndCompareWith(model);
  }

  private static String options(Path model) {
    return "driver=raw,discard=unmap,file.driver=file,file.filename=" + model;
  }

  private static void runQemuIo(Path qemuIo, List<String> commands, Object... where) {
    List<Object> words = new ArrayList<>();
    for (String command : commands) {
      words.addAll(List.of("-c", command));
    }
    words.addAll(List.of(where));
    String out = Proc.of(qemuIo, words.toArray()).run().ok().out();
    assertThat(out).doesNotContainIgnoringCase("fail").doesNotContain("error");
  }

  @Test
  void nbdshReadsThirtyTwoMebibytesAtOnceAndItsCacheRequestHydrates() throws IOException {
    Path nbdsh = Tool.require("nbdsh", "python3-libnbd");
    long before = clone.hydratedRegions();
    String script =
        """
        import hashlib
        assert h.can_multi_conn() and h.can_cache() and h.can_fua() and h.can_df()
        assert h.get_size() == 32 << 20
        whole = h.pread(32 << 20, 0)
        extents = []
        def collect(context, offset, entries, error):
            assert context == "base:allocation" and error.value == 0
            extents.extend(entries)
        h.block_status(32 << 20, 0, collect)
        covered = sum(extents[0::2])
        assert 0 < covered <= 32 << 20, extents
        h.block_status(4096, 8 << 20, collect, nbd.CMD_FLAG_REQ_ONE)
        try:
            h.set_strict_mode(0)
            h.pread(4096, (32 << 20) - 512)
            assert False, "read beyond the end"
        except nbd.Error as e:
            assert e.errno == "EINVAL", e
        assert h.pread(512, 512) == whole[512:1024], "the connection is still in step"
        h.cache(4 << 20, 28 << 20)
        print(hashlib.sha256(whole).hexdigest())
        """;

    // nbdsh starts the python3 it finds first, which must be the one it was packaged for.
    Proc.Result result =
        Proc.of(nbdsh, "--base-allocation", "-u", clone.uri(), "-c", script)
            .with("PATH", "/usr/bin:" + System.getenv("PATH"))
            .run()
            .ok();

    assertThat(result.out().strip()).isEqualTo(Images.sha256(source));
    assertThat(clone.hydratedRegions()).isGreaterThanOrEqualTo(before + 4 * 256);
    clone.assertIsHydrating();
    finishAndCompareWith(source);
  }

  @Test
  void fioVerifiesRandomReadsAndWritesOfTwoConnections() throws IOException {
    Path fio = Tool.require("fio", "fio");
    Path seen = directory.resolve("seen.img");

    Proc.of(fio, fioWords("--ioengine=nbd", "--uri=" + clone.uri(), "--end_fsync=1"))
        .in(directory)
        .run()
        .ok();
    clone.assertIsHydrating();
    Proc.of(Tool.require("nbdcopy", "libnbd-bin"), clone.uri(), seen).run().ok();

    finishAndCompareWith(seen);
    Proc.of(fio, fioWords("--ioengine=psync", "--filename=" + clone.destination(), "--verify_only"))
        .in(directory)
        .run()
        .ok();
    Proc.of("cmp", "-n", 4 * MIB, source, clone.destination()).run().ok();
    Proc.of("cmp", "-i", 20 * MIB, source, clone.destination()).run().ok();
  }

  /** Two jobs, each with its connection, on 8 MiB each behind the first 4 MiB. */
  private static Object[] fioWords(Object... more) {
    List<Object> words =
        new ArrayList<>(
            List.of(
                "--name=strangers",
                "--rw=randrw",
                "--rwmixwrite=60",
                "--bsrange=512-32k",
                "--iodepth=16",
                "--numjobs=2",
                "--offset=4M",
                "--offset_increment=8M",
                "--size=8M",
                "--randseed=11",
                "--verify=crc32c",
                "--verify_fatal=1"));
    words.addAll(List.of(more));
    return words.toArray();
  }

  /** Stops in order, goes on to the end, and looks at DEST alone. */
  private void finishAndCompareWith(Path expected) {
    clone.stop();
    clone.finish();
    Images.assertSameContent(clone.destination(), expected);
  }

  private static JsonNode json(Proc proc) throws IOException {
    return new ObjectMapper().readTree(proc.run().ok().out());
  }
}
