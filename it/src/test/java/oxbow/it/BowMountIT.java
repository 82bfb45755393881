package oxbow.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Aim: a system is upgraded on a device with a checkpoint, everything crashes, and the system is
 * there again as it was, or as it was synced last, to the last file. Method: a real kernel makes,
 * trims and freezes an ext4 and an xfs, and changes thousands of files; the checkpoint is made by
 * command from outside meanwhile; machine and servers are killed; another machine looks.
 */
class BowMountIT {
  private static final int MIB = 1 << 20;
  private static final String SUMS =
      """
      # All files that were synced, by name and content.
      sums() {
        (cd $1; find . -path ./lost -prune -o -type f -print | sort | xargs sha256sum) | sha256sum
      }
      """;

  private static final String UPGRADE =
      """
      install() {
        mkdir $1/etc $1/lib
        i=0; while [ $i -lt 1500 ]; do echo "old $i" >$1/etc/$i; i=$((i+1)); done
        for i in 1 2 3 4 5 6; do dd if=/dev/urandom of=$1/lib/$i bs=64k count=8 2>/dev/null; done
        dd if=/dev/zero of=$1/large bs=64k count=100 2>/dev/null
        sync
        rm $1/large
        fstrim $1
      }
      upgrade() {
        mkdir $1/new $1/lost
        i=0; while [ $i -lt 1500 ]; do
          echo "this is the new version of $i" >$1/etc/$i
          echo "another file, $i" >$1/new/$i
          i=$((i+1))
        done
        mv $1/etc/1* $1/new
        rm $1/etc/2* $1/lib/2
        mv $1/lib/3 $1/lib/1
        dd if=/dev/urandom of=$1/lib/4 bs=64k seek=2 count=3 conv=notrunc 2>/dev/null
        sync
      }
      set -e
      mkfs.ext4 -q /dev/nbd0
      mkfs.xfs -q /dev/nbd1
      mkdir /e /x
      mount /dev/nbd0 /e
      mount /dev/nbd1 /x
      install /e
      install /x
      sums /e
      sums /x
      fsfreeze --freeze /e
      fsfreeze --freeze /x
      tell /dev/nbd2 frozen
      hear /dev/nbd2 go
      fsfreeze --unfreeze /e
      fsfreeze --unfreeze /x
      upgrade /e
      upgrade /x
      sums /e
      sums /x
      for i in 1 2 3 4 5; do echo lost >/e/lost/$i; echo lost >/x/lost/$i; done
      rm -r /e/lost /x/lost
      echo 0 >/ctl/status
      # What the script printed has to get out.
      sleep 1
      poweroff -n -f
      """;

  /** Mounts for writing, so that a journal is replayed, and lets the checkers look. */
  private static final String LOOK =
      """
      set -e
      mount /dev/nbd0 /mnt
      sums /mnt
      umount /mnt
      e2fsck -f -n /dev/nbd0 >&2
      mount /dev/nbd1 /mnt
      sums /mnt
      umount /mnt
      xfs_repair -n /dev/nbd1 >&2
      """;

  @TempDir Path directory;

  private Path ext4 = Path.of("");
  private Path xfs = Path.of("");

  @Test
  void whatAnUpgradeDidIsTakenBack() throws Exception {
    List<String> sums = upgradeAndCrash();
    Path copy = Files.copy(ext4, directory.resolve("copy.img"));
    new TestBow(directory, ext4).restore();
    new TestBow(directory, xfs).restore();
    // It was frozen: there is nothing to replay.
    Images.assertExt4IsClean(ext4);
    assertThat(look()).isEqualTo(sums.subList(0, 2));
    assertThat(Files.mismatch(copy, ext4)).isNotEqualTo(-1);
  }

  @Test
  void whatAnUpgradeDidIsKept() throws Exception {
    List<String> sums = upgradeAndCrash();
    new TestBow(directory, ext4).commitOffline();
    new TestBow(directory, xfs).commitOffline();
    assertThat(look()).isEqualTo(sums.subList(2, 4));
  }

  /** The sums of all files of both: at the checkpoint, and when they were synced last. */
  private List<String> upgradeAndCrash() throws Exception {
    ext4 = Images.sparse(directory.resolve("ext4.img"), 96L * MIB);
    xfs = Images.sparse(directory.resolve("xfs.img"), 320L * MIB);
    try (TestBow ofExt4 = new TestBow(Files.createDirectory(directory.resolve("e")), ext4);
        TestBow ofXfs = new TestBow(Files.createDirectory(directory.resolve("x")), xfs);
        Mailbox mailbox = new Mailbox(Files.createDirectory(directory.resolve("m")));
        ExecutorService threads = Executors.newSingleThreadExecutor()) {
      ofExt4.start();
      ofXfs.start();
      Future<Proc.Result> machine =
          threads.submit(
              () ->
                  Oracle.machine(
                      List.of(ofExt4.export(), ofXfs.export(), mailbox.export()),
                      Mailbox.SCRIPT + SUMS + UPGRADE));
      mailbox.await("frozen", machine);
      ofExt4.checkpoint();
      ofXfs.checkpoint();
      mailbox.answer("go");
      List<String> sums = machine.get().ok().out().lines().toList();
      assertThat(ofExt4.figure("backedUpBytes")).isGreaterThan(MIB);
      assertThat(ofXfs.figure("backedUpBytes")).isGreaterThan(MIB);
      ofExt4.kill();
      ofXfs.kill();
      assertThat(sums).hasSize(4);
      assertThat(sums).doesNotHaveDuplicates();
      return sums;
    }
  }

  private List<String> look() {
    try (Server first = Server.nbdkit(directory.resolve("e.sock"), "file", ext4);
        Server second = Server.nbdkit(directory.resolve("x.sock"), "file", xfs)) {
      assertThat(List.of(first.uri(), second.uri())).doesNotHaveDuplicates();
      return Oracle.machine(
              List.of(
                  new Oracle.Export(directory.resolve("e.sock"), ""),
                  new Oracle.Export(directory.resolve("x.sock"), "")),
              SUMS + LOOK)
          .ok()
          .out()
          .lines()
          .toList();
    }
  }
}
