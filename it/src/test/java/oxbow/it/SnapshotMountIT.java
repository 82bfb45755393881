package oxbow.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Aim: a real kernel has a file system mounted twice, as it was and as it is, writes to both, and
 * finds both whole; what was written to the snapshot can be made the origin's. Method: one machine
 * whose kernel is the client of four exports: snapshot and origin, of an ext4 and of an xfs.
 */
class SnapshotMountIT {
  private static final int MIB = 1 << 20;

  /** Mounts both, changes both, and looks at both without a cache in between. */
  private static final String USE_BOTH =
      """
      use() {
        options=$1 snap=$2 origin=$3 then=/then-$4 now=/now-$4
        mkdir $then $now
        mount $options $origin $now
        mount $options $snap $then
        dd if=/dev/urandom of=$now/large bs=64k count=16 conv=notrunc 2>/dev/null
        dd if=/dev/urandom of=$then/large bs=64k seek=16 count=8 conv=notrunc 2>/dev/null
        rm $now/small
        mkdir $now/of-origin $then/of-snapshot
        for i in 1 2 3 4 5 6 7 8; do
          dd if=/dev/urandom of=$now/of-origin/$i bs=7k count=9 2>/dev/null
          dd if=/dev/urandom of=$then/of-snapshot/$i bs=11k count=5 2>/dev/null
        done
        written=$(sums $now; sums $then)
        sync
        echo 3 >/proc/sys/vm/drop_caches
        [ "$written" = "$(sums $now; sums $then)" ]
        [ -f $then/small ] && [ ! -e $then/of-origin ] && [ ! -e $now/of-snapshot ]
        sha256sum <$then/small | cut -d ' ' -f 1
        dd if=$then/large bs=64k count=16 2>/dev/null | sha256sum | cut -d ' ' -f 1
        cat $now/large $now/of-origin/* | sha256sum | cut -d ' ' -f 1
        cat $then/large $then/of-snapshot/* | sha256sum | cut -d ' ' -f 1
        umount $then $now
      }
      sums() { find $1 -type f | sort | xargs sha256sum; }
      set -e
      use '-t ext4' /dev/nbd0 /dev/nbd1 ext4
      e2fsck -f -n /dev/nbd0 >&2
      e2fsck -f -n /dev/nbd1 >&2
      use '-t xfs -o nouuid' /dev/nbd2 /dev/nbd3 xfs
      xfs_repair -n /dev/nbd2 >&2
      xfs_repair -n /dev/nbd3 >&2
      """;

  /** What the four devices hold after all has been stopped and the snapshots are merged. */
  private static final String LOOK =
      """
      set -e
      for device in "$@"; do
        case $device in *ext4) type=ext4 ;; *) type=xfs ;; esac
        mount -t $type -o ro $device /mnt
        cat /mnt/large /mnt/of-*/* | sha256sum | cut -d ' ' -f 1
        umount /mnt
      done
      """;

  @TempDir Path directory;

  private Path large = Path.of("");
  private Path small = Path.of("");

  @Test
  void aKernelMountsAndWritesSnapshotAndOriginAtTheSameTime() throws IOException {
    Path files = Files.createDirectory(directory.resolve("files"));
    large = Images.random(files.resolve("large"), 0, 3 * MIB, 1);
    small = Images.random(files.resolve("small"), 0, 5000, 2);
    Path ext4 = directory.resolve("origin.ext4");
    Proc.of(Tool.require("mkfs.ext4", "e2fsprogs"), "-q", "-d", files, ext4, "48M").run().ok();
    Path xfs = makeXfs();
    List<String> sums;
    Path homeOfExt4 = Files.createDirectory(directory.resolve("e"));
    Path homeOfXfs = Files.createDirectory(directory.resolve("x"));
    try (TestSnapshot ofExt4 = new TestSnapshot(homeOfExt4, ext4);
        TestSnapshot ofXfs = new TestSnapshot(homeOfXfs, xfs)) {
      ofExt4.create(96L * MIB, "--chunk-size", "4KiB");
      ofXfs.create(96L * MIB);
      sums =
          Oracle.machine(
                  List.of(
                      ofExt4.export(), ofExt4.originExport(), ofXfs.export(), ofXfs.originExport()),
                  USE_BOTH)
              .ok()
              .out()
              .lines()
              .toList();
      ofExt4.stop();
      ofXfs.stop();

      assertThat(sums).hasSize(8);
      assertTheOldIsThere(sums.subList(0, 2));
      assertTheOldIsThere(sums.subList(4, 6));
      assertThat(contents(ext4, xfs)).containsExactly(sums.get(2), sums.get(6));
      ofExt4.merge();
      ofXfs.merge();
      Images.assertExt4IsClean(ext4);
      assertThat(contents(ext4, xfs)).containsExactly(sums.get(3), sums.get(7));
    }
  }

  /** With a file, since mounting an xfs on this host would need root. */
  private Path makeXfs() throws IOException {
    Path image = Images.sparse(directory.resolve("origin.xfs"), 320L * MIB);
    String prototype =
        "/\n0 0\nd--755 0 0\nlarge ---644 0 0 %s\nsmall ---644 0 0 %s\n$\n".formatted(large, small);
    Path prototypeFile = Files.writeString(directory.resolve("prototype"), prototype);
    Proc.of(Tool.require("mkfs.xfs", "xfsprogs"), "-q", "-p", prototypeFile, image).run().ok();
    return image;
  }

  /** A small file that the origin has no more, and the part of a large one that it has changed. */
  private void assertTheOldIsThere(List<String> sums) throws IOException {
    Path part = directory.resolve("part");
    Files.write(part, Arrays.copyOf(Files.readAllBytes(large), MIB));
    assertThat(sums).containsExactly(Images.sha256(small), Images.sha256(part));
  }

  private static List<String> contents(Path ext4, Path xfs) {
    List<Oracle.Disk> disks = List.of(Oracle.Disk.of("ext4", ext4), Oracle.Disk.of("xfs", xfs));
    return Oracle.run(disks, LOOK, "/dev/disk/ext4", "/dev/disk/xfs").ok().out().lines().toList();
  }
}
