package oxbow.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import oxbow.golden.SnapshotFixture;

/**
 * Aim: stores go back and forth between a real kernel and us, whoever left them and however.
 * Method: the golden stores through {@code oxbow snapshot}; stores of ours through the kernel's
 * targets; the contents are told apart by their sums.
 */
class SnapshotKernelIT {
  private static final int MIB = 1 << 20;
  private static final int SIZE_BYTES = 16 * MIB;
  private static final String NAME = "snap";

  /** Writes to a snapshot and to its origin, and says what the snapshot shows then. */
  private static final String GO_ON =
      """
      set -e
      length=$(blockdev --getsz /dev/disk/origin)
      dmsetup create snap --table "0 $length snapshot /dev/disk/origin /dev/disk/store P 8"
      dmsetup create origin --table "0 $length snapshot-origin /dev/disk/origin"
      dd if=/dev/urandom of=/dev/mapper/snap bs=4096 seek=1000 count=300 conv=fsync 2>/dev/null
      dd if=/dev/urandom of=/dev/mapper/origin bs=4096 seek=1200 count=300 conv=fsync 2>/dev/null
      dmsetup status snap
      sha256sum /dev/mapper/snap
      dmsetup remove origin
      dmsetup remove snap
      """;

  @TempDir Path directory;

  /** How a process of ours ends before the kernel takes over. */
  enum End {
    STOPPED,
    KILLED
  }

  private Path origin() {
    return directory.resolve("origin.img");
  }

  private Path store() {
    return directory.resolve("store.cow");
  }

  static Stream<SnapshotFixture> goldenStores() {
    return SnapshotFixture.all();
  }

  @ParameterizedTest
  @MethodSource("goldenStores")
  void aStoreMadeByTheKernelReadsAsTheKernelReadsIt(SnapshotFixture golden) throws IOException {
    JsonNode expected = expected(golden.name());
    restore(golden.name(), expected, "origin", origin());
    restore(golden.name(), expected, golden.store(), store());
    String content = "";
    for (JsonNode each : expected.path("stores")) {
      if (each.path("cow").asText().equals(golden.store())) {
        content = each.path("snapshot_sha256").asText();
      }
    }
    if (!golden.isValid()) {
      Proc.Result refused = Proc.of(Tool.own("oxbow"), "snapshot", origin(), store()).run();
      assertThat(refused.status(1).err()).contains("the snapshot is invalid");
      return;
    }
    try (Server snapshot = snapshot()) {
      assertThat(status()).isEqualTo(golden.statusLine());
      assertThat(sha256Served(snapshot)).isEqualTo(content);
      assertThat(snapshot.stop()).as(snapshot.standardError()).isZero();
    }
  }

  @ParameterizedTest
  @EnumSource(End.class)
  @DisplayName("O20 to O24: the kernel agrees with what we left, goes on, and so do we")
  void theKernelAgreesWithWhatWeLeftAndGoesOnAndSoDoWe(End end) throws IOException {
    Images.random(Images.sparse(origin(), SIZE_BYTES), 0, SIZE_BYTES - 3 * MIB, 1);
    String served = leave(end);
    assertStoreIsSound();
    JsonNode judged = Oracle.inspectSnapshot(origin(), store());
    assertThat(judged.path("disagreements").isArray()).as("%s", judged).isTrue();
    assertThat(judged.path("disagreements")).as("%s", judged).isEmpty();
    assertThat(judged.path("sha256").asText()).isEqualTo(served);

    List<String> byKernel = Oracle.run(disks(), GO_ON).ok().out().lines().toList();
    assertStoreIsSound();
    String content = byKernel.getLast().split(" ", -1)[0];
    try (Server snapshot = snapshot()) {
      assertThat(status()).isEqualTo(byKernel.getFirst());
      assertThat(sha256Served(snapshot)).isEqualTo(content);
      assertThat(snapshot.stop()).as(snapshot.standardError()).isZero();
    }
    Proc.of(Tool.own("oxbow"), "merge", origin(), store()).run().ok();
    assertThat(Images.sha256(origin())).isEqualTo(content);
    assertStoreIsSound();
  }

  /** Uses snapshot and origin for a while and ends; what the snapshot showed, all of it flushed. */
  private String leave(End end) throws IOException {
    Path socket = directory.resolve("origin.sock");
    try (Server snapshot =
        snapshot(
            "--create",
            4L * SIZE_BYTES,
            "--chunk-size",
            "4KiB",
            "--origin-listen",
            "unix:" + socket)) {
      String ofOrigin = snapshot.awaitUri();
      qemuIo(snapshot.uri(), "write -P 0x31 1M 2M", "write -P 0x32 5000000 777", "flush");
      qemuIo(
          ofOrigin, "write -P 0x33 2M 3M", "write -P 0x34 9000001 5", "write -z 12M 1M", "flush");
      qemuIo(snapshot.uri(), "write -P 0x35 4M 100k", "write -z 7M 64k", "flush");
      String served = sha256Served(snapshot);
      switch (end) {
        case STOPPED -> assertThat(snapshot.stop()).as(snapshot.standardError()).isZero();
        case KILLED -> snapshot.kill();
      }
      return served;
    }
  }

  private List<Oracle.Disk> disks() {
    return List.of(Oracle.Disk.of("origin", origin()), Oracle.Disk.of("store", store()));
  }

  private Server snapshot(Object... options) {
    List<Object> words = new ArrayList<>(List.of("snapshot", origin(), store()));
    words.addAll(List.of("--name", NAME, "--listen", "unix:" + directory.resolve("snap.sock")));
    words.addAll(List.of("--control", directory.resolve("control.sock")));
    words.addAll(List.of(options));
    return Server.oxbow(directory, words.toArray());
  }

  private String status() {
    Path control = directory.resolve("control.sock");
    return Proc.of(Tool.own("oxbow"), "status", NAME, "--control", control)
        .run()
        .ok()
        .out()
        .strip();
  }

  private static void qemuIo(String image, String... commands) {
    List<Object> words = new ArrayList<>(List.of("-f", "raw"));
    for (String command : commands) {
      words.addAll(List.of("-c", command));
    }
    words.add(image);
    Proc.of(Tool.require("qemu-io", "qemu-utils"), words.toArray()).run().ok();
  }

  private String sha256Served(Server server) throws IOException {
    Path copy = directory.resolve("served.img");
    Proc.of(Tool.require("nbdcopy", "libnbd-bin"), server.uri(), copy).run().ok();
    String sha256 = Images.sha256(copy);
    Files.delete(copy);
    return sha256;
  }

  private void assertStoreIsSound() {
    JsonNode checked = Oracle.checkSnapshotStore(store());
    assertThat(checked.path("problems").isArray()).as("%s", checked).isTrue();
    assertThat(checked.path("problems")).as("%s", checked).isEmpty();
  }

  private static JsonNode expected(String name) throws IOException {
    try (InputStream in = resource(name, "expected.json")) {
      return new ObjectMapper().readTree(in);
    }
  }

  private static InputStream resource(String name, String file) {
    InputStream in =
        SnapshotFixture.class.getResourceAsStream("/golden/snapshot/" + name + "/" + file);
    if (in == null) {
      throw new AssertionError("no golden file " + name + "/" + file);
    }
    return in;
  }

  /** Unpacks an image; the zeros at its end are not stored. */
  private static void restore(String name, JsonNode expected, String image, Path to)
      throws IOException {
    JsonNode file = expected.path("files").path(image);
    try (InputStream in = new GZIPInputStream(resource(name, file.path("file").asText()))) {
      Files.copy(in, to);
    }
    Images.sparse(to, file.path("length").asLong());
  }
}
