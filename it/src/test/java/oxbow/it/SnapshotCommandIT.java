package oxbow.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Aim: snapshot and merge serve as a user's tools expect it, from the first write to the merged
 * origin. Method: {@code ./oxbow} and the clients that others wrote; what they wrote to the device
 * they write to a plain file too, and the two must be equal.
 */
class SnapshotCommandIT {
  private static final int MIB = 1 << 20;
  private static final String NAME = "snap";

  @TempDir Path directory;

  private Path origin = Path.of("");
  private Path store = Path.of("");

  /** What the origin was. */
  private Path before = Path.of("");

  /** What the snapshot shows. */
  private Path model = Path.of("");

  @BeforeEach
  void makeOrigin() throws IOException {
    origin = Images.ext4(directory.resolve("origin.img"), 24);
    store = directory.resolve("store.cow");
    before = Files.copy(origin, directory.resolve("before.img"));
    model = Files.copy(origin, directory.resolve("model.img"));
  }

  @Test
  void aSnapshotIsWrittenKilledGoneOnWithAndMerged() throws IOException {
    try (Server snapshot = start("--create", 64L * MIB, "--chunk-size", "4KiB")) {
      assertThat(nbdinfo(snapshot.uri())).contains("export-size: " + 24 * MIB);
      write(snapshot.uri(), "write -P 0x11 4096 8192", "write -P 0x12 1000000 333");
      write(snapshot.uri(), "write -P 0x13 " + 8 * MIB + " 1M", "flush");
      snapshot.kill();
    }
    try (Server snapshot = start()) {
      assertShows(snapshot.uri(), model);
      write(snapshot.uri(), "write -P 0x14 " + 9 * MIB + " 2M", "flush");
      assertShows(snapshot.uri(), model);
      assertThat(snapshot.stop()).as(snapshot.standardError()).isZero();
    }
    Images.assertSameContent(origin, before);
    oxbow("inspect", "--check", store).ok();

    Proc.Result merged = oxbow("merge", origin, store).ok();
    assertThat(merged.err()).contains("is an empty store");
    Images.assertSameContent(origin, model);
    oxbow("inspect", "--check", store).ok();
  }

  @Test
  void theOriginIsUsedWhileTheSnapshotIsCopied() {
    Path socket = directory.resolve("origin.sock");
    try (Server snapshot =
        start("--create", 64L * MIB, "--origin-listen", "unix:" + socket, "--origin-name", "o")) {
      String ofOrigin = snapshot.awaitUri();
      assertThat(ofOrigin).isEqualTo("nbd+unix:///o?socket=" + socket);
      write(ofOrigin, "write -P 0x21 0 5M", "write -z 6M 1M", "discard 8M 1M", "flush");
      assertShows(snapshot.uri(), before);
      qemuIo(snapshot.uri(), "write -P 0x22 1M 1M", "flush").ok();
      qemuIo(ofOrigin, "read -P 0x21 0 5M", "read -P 0 6M 1M").ok();
      assertThat(snapshot.stop()).as(snapshot.standardError()).isZero();
    }
    qemuIo("file:" + origin, "read -P 0x21 0 5M", "read -P 0 6M 1M").ok();
    try (Server snapshot = start()) {
      qemuIo(snapshot.uri(), "read -P 0x22 1M 1M").ok();
      qemuIo("file:" + before, "write -P 0x22 1M 1M").ok();
      assertShows(snapshot.uri(), before);
    }
  }

  @Test
  void theFileSystemOnASnapshotIsWhole() throws IOException {
    Path copy = directory.resolve("copy.img");
    try (Server snapshot = start("--create", 64L * MIB, "--grow")) {
      nbdcopy(snapshot.uri(), copy);
    }
    Images.assertExt4IsClean(copy);
    Images.assertSameContent(copy, before);
  }

  private Server start(Object... options) {
    List<Object> words = new ArrayList<>(List.of("snapshot", origin, store));
    words.addAll(List.of(options));
    words.addAll(List.of("--name", NAME, "--listen", "unix:" + directory.resolve("snap.sock")));
    words.addAll(List.of("--control", directory.resolve("control.sock")));
    return Server.oxbow(directory, words.toArray());
  }

  private Proc.Result oxbow(Object... words) {
    return Proc.of(Tool.own("oxbow"), words).with("XDG_RUNTIME_DIR", directory.toString()).run();
  }

  /** Does the same to a device and to the model. */
  private void write(String uri, String... commands) {
    qemuIo(uri, commands).ok();
    qemuIo("file:" + model, commands).ok();
  }

  private static Proc.Result qemuIo(String image, String... commands) {
    List<Object> words = new ArrayList<>(List.of("-f", "raw"));
    for (String command : commands) {
      words.addAll(List.of("-c", command));
    }
    words.add(image);
    return Proc.of(Tool.require("qemu-io", "qemu-utils"), words.toArray()).run();
  }

  private void assertShows(String uri, Path expected) {
    Path copy = directory.resolve("shown.img");
    nbdcopy(uri, copy);
    Images.assertSameContent(copy, expected);
  }

  private static void nbdcopy(String uri, Path to) {
    Proc.of(Tool.require("nbdcopy", "libnbd-bin"), uri, to).run().ok();
  }

  private static String nbdinfo(String uri) {
    return Proc.of(Tool.require("nbdinfo", "libnbd-bin"), uri).run().ok().out();
  }
}
