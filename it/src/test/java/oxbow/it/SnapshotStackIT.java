package oxbow.it;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Aim: snapshots and clones stand on each other. Method: one process serves what the other one
 * works on, over NBD; both are killed in the middle of it, or one while the other waits for it; at
 * the end the files alone are what clients wrote to plain files as well.
 */
class SnapshotStackIT {
  private static final int SIZE_MIB = 24;
  private static final long STORE_BYTES = 96L << 20;

  @TempDir Path directory;

  @Test
  void aSnapshotOfACloneThatIsStillHydrating() throws IOException {
    Path source = Images.ext4(directory.resolve("source.img"), SIZE_MIB);
    Path ofClone = Files.copy(source, directory.resolve("clone-model.img"));
    Path ofSnapshot = Files.copy(source, directory.resolve("snapshot-model.img"));
    Path home = Files.createDirectory(directory.resolve("s"));
    try (TestClone clone = new TestClone(directory, source)) {
      clone.start("--rate", "256KiB");
      TestSnapshot snapshot = new TestSnapshot(home, clone.uri());
      try (snapshot) {
        snapshot.create(STORE_BYTES, "--chunk-size", "8KiB");
        QemuIo.same(
            snapshot.originUri(), ofClone, "write -P 0x51 2M 1M", "write -P 0x52 9999999 5000");
        QemuIo.same(
            snapshot.uri(), ofSnapshot, "write -P 0x53 2500000 2M", "write -z 10M 300k", "flush");
        QemuIo.same(snapshot.originUri(), ofClone, "write -z 10000000 1M", "flush");
        clone.assertIsHydrating();
        snapshot.kill();
        clone.kill();

        clone.start("--rate", "256KiB");
        snapshot.start();
        assertServes(snapshot.uri(), ofSnapshot);
        assertServes(snapshot.originUri(), ofClone);
        clone.assertIsHydrating();

        // The clone goes away and comes back; whoever asks meanwhile waits for it.
        clone.kill();
        clone.start("--rate", "256KiB");
        QemuIo.same(snapshot.originUri(), ofClone, "write -P 0x54 4M 2M", "flush");
        assertServes(snapshot.uri(), ofSnapshot);
        snapshot.stop();
      }
      clone.stop();
      clone.finish();
      Images.assertSameContent(clone.destination(), ofClone);
      Proc.of(Tool.own("oxbow"), "merge", clone.destination(), snapshot.store()).run().ok();
      Images.assertSameContent(clone.destination(), ofSnapshot);
    }
  }

  @Test
  void aCloneWhoseSourceIsASnapshot() throws IOException {
    Path origin = Images.ext4(directory.resolve("origin.img"), SIZE_MIB);
    Path ofSnapshot = Files.copy(origin, directory.resolve("snapshot-model.img"));
    Path ofClone = directory.resolve("clone-model.img");
    Path home = Files.createDirectory(directory.resolve("s"));
    try (TestSnapshot snapshot = new TestSnapshot(home, origin)) {
      snapshot.create(STORE_BYTES, "--chunk-size", "4KiB");
      QemuIo.same(snapshot.uri(), ofSnapshot, "write -P 0x61 3M 1M", "write -z 8M 64k", "flush");
      Files.copy(ofSnapshot, ofClone);
      try (TestClone clone = new TestClone(directory, snapshot.uri())) {
        clone.start("--rate", "512KiB");
        // The source must not change, and does not: this goes to its origin.
        QemuIo.run(snapshot.originUri(), "write -P 0x62 0 " + SIZE_MIB + "M", "flush");
        QemuIo.same(clone.uri(), ofClone, "write -P 0x63 5000001 100k", "flush");
        assertServes(clone.uri(), ofClone);
        clone.assertIsHydrating();

        snapshot.kill();
        snapshot.start();
        assertServes(clone.uri(), ofClone);
        clone.kill();
        clone.finish();
        Images.assertSameContent(clone.destination(), ofClone);
      }
      assertServes(snapshot.uri(), ofSnapshot);
      snapshot.stop();
    }
    QemuIo.run("file:" + origin, "read -P 0x62 0 " + SIZE_MIB + "M");
  }

  private void assertServes(String uri, Path expected) throws IOException {
    Path copy = directory.resolve("served.img");
    Proc.of(Tool.require("nbdcopy", "libnbd-bin"), uri, copy).run().ok();
    Images.assertSameContent(copy, expected);
    Files.delete(copy);
  }
}
