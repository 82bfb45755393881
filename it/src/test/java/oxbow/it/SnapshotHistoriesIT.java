package oxbow.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import oxbow.block.BlockRequest;
import oxbow.block.Errno;
import oxbow.block.Flags;
import oxbow.block.Operation;
import oxbow.block.Sectors;
import oxbow.device.Requests;
import oxbow.device.nbd.NbdDevice;
import oxbow.device.nbd.NbdOptions;
import oxbow.engine.Engine;
import oxbow.engine.WorkerDiskPool;
import oxbow.it.SnapshotHistory.Change;
import oxbow.it.SnapshotHistory.End;
import oxbow.it.SnapshotHistory.Kind;
import oxbow.it.SnapshotHistory.Volume;
import oxbow.nbd.client.NbdAddress;

/**
 * Aim: a kernel and we can take over a snapshot, its origin and its merge from each other at any
 * moment, again and again, after orderly ends and after crashes. Method: random histories of turns
 * of each on the same files; after each turn all of it is looked at ({@link SnapshotHistory}), and
 * whoever is next must read the same.
 *
 * <p>{@code -Doxbow.histories=100} makes a soak of it.
 */
class SnapshotHistoriesIT {
  private static final int TURNS = 10;

  @TempDir Path directory;

  @Test
  @Timeout(value = 5, unit = TimeUnit.HOURS)
  void kernelAndWeTakeTurnsAndNothingFlushedIsLost() throws Exception {
    long seed = Long.getLong("oxbow.seed", 6_400);
    int histories = Integer.getInteger("oxbow.histories", 1);
    for (int i = 0; i < histories; i++) {
      Path home = Files.createDirectory(directory.resolve("history-" + i));
      SnapshotHistory history = new SnapshotHistory(home, seed + i, (int) ((seed + i) % 4));
      try (TestSnapshot files = history.files) {
        new Life(history).live((seed + i) % 2 == 0);
        Files.delete(files.store());
        Files.delete(history.originImage);
      } catch (AssertionError | Exception e) {
        throw new AssertionError(
            ("reproduce with: ./mvnw verify -Dit.test=SnapshotHistoriesIT -Doxbow.seed=%d"
                    + " -Doxbow.histories=1")
                .formatted(seed + i),
            e);
      }
    }
  }

  /** One history from the making of the store until it is merged. */
  private static final class Life {
    private final SnapshotHistory history;
    private final Volume snapshot;
    private final Volume origin;

    Life(SnapshotHistory history) {
      this.history = history;
      this.snapshot = history.snapshot;
      this.origin = history.origin;
    }

    void live(boolean doesTheKernelBegin) throws Exception {
      if (doesTheKernelBegin) {
        history.makeStoreForTheKernel();
      }
      for (int turn = 0; turn < TURNS; turn++) {
        boolean isKernels = turn % 2 == 0 == doesTheKernelBegin;
        boolean isMerge = turn % 3 == 2 && history.canMerge();
        Turn next = new Turn(history, isMerge);
        try {
          if (isKernels) {
            kernelsTurn(next);
          } else {
            ourTurn(next, turn);
          }
          if (isMerge) {
            // Between beginning and end of a merge the origin is neither the one nor the other.
            origin.model.mayHoldAsWell(snapshot.model);
          }
          history.check(next.end != End.IN_ORDER);
        } catch (AssertionError | Exception e) {
          throw new AssertionError(
              "turn %d, %s, chunks of %d sectors, %s"
                  .formatted(turn, isKernels ? "the kernel's" : "ours", history.chunkSectors, next),
              e);
        }
      }
      String content = snapshot.sha256;
      history.files.merge();
      assertThat(Images.sha256(history.originImage)).isEqualTo(content);
    }

    private void kernelsTurn(Turn turn) {
      StringBuilder script = new StringBuilder(beginning(turn.isMerge));
      script.append(turn.isMerge ? mergeUntil(turn.mergeUntil) : withOrigin());
      for (Change change : turn.changes) {
        script.append("blkio /dev/mapper/" + change.volume().name + " '" + blkio(change) + "'\n");
        acknowledged(change, true);
      }
      for (Volume volume : List.of(snapshot, origin)) {
        script.append("blkio /dev/mapper/" + volume.name + " <<END &\n");
        for (Change change : turn.inFlight) {
          if (change.volume() == volume) {
            script.append(blkio(change)).append('\n');
            perhapsDone(change);
          }
        }
        script.append("END\n");
        if (turn.isMerge) {
          break;
        }
      }
      script.append(turn.isMerge ? "merge\n" : "usleep " + turn.pauseMicros + "\n");
      if (turn.end == End.IN_ORDER) {
        script.append(turn.isMerge ? "" : "wait\ndmsetup remove origin\n");
        script.append("wait\ndmsetup remove --retry snapshot\n");
      } else {
        script.append("oracle-crash\n");
      }
      List<String> out = Oracle.run(history.disks(), script.toString()).ok().out().lines().toList();
      int sums = turn.isMerge ? 1 : 2;
      assertThat(out).as("what the kernel said, no complaints").hasSize(sums);
      if (!snapshot.sha256.isEmpty()) {
        assertThat(out.getFirst()).as("the snapshot").startsWith(snapshot.sha256);
      }
      if (!turn.isMerge && !origin.sha256.isEmpty()) {
        assertThat(out.getLast()).as("the origin").startsWith(origin.sha256);
      }
      ended(turn);
    }

    private String beginning(boolean isMerge) {
      return """
          set -e
          table="0 %1$d snapshot%2$s %3$s /dev/disk/store P %4$d"
          dmsetup create slow --table "0 %1$d delay /dev/disk/origin 0 0 /dev/disk/origin 0 5"
          dmsetup create snapshot --table "$table"
          sum() { dd if=/dev/mapper/$1 bs=1M 2>/dev/null | sha256sum; }
          sum snapshot
          """
          .formatted(
              history.sectors(),
              isMerge ? "-merge" : "",
              isMerge ? "/dev/mapper/slow" : "/dev/disk/origin",
              history.chunkSectors);
    }

    private String withOrigin() {
      return """
          dmsetup create origin --table "0 %d snapshot-origin /dev/disk/origin"
          sum origin
          """
          .formatted(history.sectors());
    }

    /** Waits, when told to, until so many sectors are left to merge. */
    private static String mergeUntil(int sectors) {
      return """
          left() { set -- $(dmsetup status snapshot); echo $((${4%%/*} - $5)); }
          merge() { while [ "$(left)" -gt %d ]; do usleep 5000; done; }
          """
          .formatted(sectors);
    }

    private static String blkio(Change change) {
      String range = change.first() + "s " + change.count() + "s";
      return switch (change.kind()) {
        case WRITE -> "w " + range + " " + change.stamp();
        case DURABLE_WRITE -> "W " + range + " " + change.stamp();
        case ZERO -> "z " + range;
        case FLUSH -> "f";
      };
    }

    private void ourTurn(Turn turn, int number) throws Exception {
      TestSnapshot files = history.files;
      List<Object> options =
          new ArrayList<>(List.of("--chunk-size", Sectors.toBytes(history.chunkSectors)));
      if (number == 0) {
        options.addAll(List.of("--create", history.storeBytes()));
      }
      if (turn.isMerge) {
        files.startMerge("delay:0,10:");
      } else {
        files.start(options.toArray());
      }
      try (WorkerDiskPool disks = new WorkerDiskPool(1);
          Engine engine = new Engine(1, disks);
          NbdDevice ofSnapshot = connect(files.socket(), files.name(), engine)) {
        assertReads(ofSnapshot, snapshot);
        if (turn.isMerge) {
          use(turn, ofSnapshot, ofSnapshot);
        } else {
          try (NbdDevice ofOrigin = connect(files.originSocket(), files.originName(), engine)) {
            assertReads(ofOrigin, origin);
            use(turn, ofSnapshot, ofOrigin);
          }
        }
      }
    }

    private void use(Turn turn, NbdDevice ofSnapshot, NbdDevice ofOrigin) {
      for (Change change : turn.changes) {
        int errno = change(change.volume() == snapshot ? ofSnapshot : ofOrigin, change);
        if (turn.isMerge && errno != Errno.OK) {
          // A merge that has come to its end serves no more.
          perhapsDone(change);
        } else {
          assertThat(errno).as("%s", change).isEqualTo(Errno.OK);
          acknowledged(change, false);
        }
      }
      for (Change change : turn.inFlight) {
        perhapsDone(change);
        submit(change.volume() == snapshot ? ofSnapshot : ofOrigin, change);
      }
      LockSupport.parkNanos(TimeUnit.MICROSECONDS.toNanos(turn.pauseMicros));
      if (turn.end == End.IN_ORDER) {
        history.files.stop();
      } else {
        history.files.kill();
      }
      ended(turn);
    }

    private static NbdDevice connect(Path socket, String export, Engine engine) throws IOException {
      return NbdDevice.open(
          NbdAddress.unix(socket.toString(), export),
          engine,
          NbdOptions.defaults().withConnections(1).withHoldNanos(0));
    }

    private static void assertReads(NbdDevice device, Volume volume) {
      if (volume.sha256.isEmpty()) {
        return;
      }
      MessageDigest digest = CloneHistory.sha256Digest();
      int piece = 1 << 20;
      for (long at = 0; at < device.sizeBytes(); at += piece) {
        digest.update(Requests.read(device, at, (int) Math.min(piece, device.sizeBytes() - at)));
      }
      assertThat(HexFormat.of().formatHex(digest.digest()))
          .as("what we read of the %s", volume.name)
          .isEqualTo(volume.sha256);
    }

    private static int change(NbdDevice device, Change change) {
      long offset = Sectors.toBytes(change.first());
      long length = Sectors.toBytes(change.count());
      return switch (change.kind()) {
        case WRITE -> Requests.write(device, offset, bytes(change), 0);
        case DURABLE_WRITE -> Requests.write(device, offset, bytes(change), Flags.FUA);
        case ZERO -> Requests.run(device, Operation.WRITE_ZEROES, offset, length, 0);
        case FLUSH -> Requests.flush(device);
      };
    }

    /** Sends a change and does not wait for its end, which comes with an error at the latest. */
    private static void submit(NbdDevice device, Change change) {
      long offset = Sectors.toBytes(change.first());
      long length = Sectors.toBytes(change.count());
      BlockRequest request = new BlockRequest();
      if (change.kind() == Kind.ZERO) {
        device.submit(
            request.range(Operation.WRITE_ZEROES, offset, length, 0, (ended, errno) -> {}));
        return;
      }
      byte[] bytes = bytes(change);
      MemorySegment data = Arena.ofAuto().allocate(bytes.length, 4096);
      MemorySegment.copy(bytes, 0, data, ValueLayout.JAVA_BYTE, 0, bytes.length);
      device.submit(
          request.data(Operation.WRITE, offset, data, 0, length, 0, (ended, errno) -> {}));
    }

    private static byte[] bytes(Change change) {
      return SectorPattern.bytes(change.first(), change.count(), change.stamp());
    }

    /**
     * @param isAll a durable write flushes all that was written before it
     */
    private void acknowledged(Change change, boolean isAll) {
      SectorModel model = change.volume().model;
      if (change.kind() != Kind.FLUSH) {
        model.changed(change.first(), change.count(), change.stamp());
      }
      if (change.kind() == Kind.FLUSH || (change.kind() == Kind.DURABLE_WRITE && isAll)) {
        model.flushed();
      } else if (change.kind() == Kind.DURABLE_WRITE) {
        model.flushed(change.first(), change.count());
      }
    }

    private void perhapsDone(Change change) {
      if (change.kind() != Kind.FLUSH) {
        change.volume().model.perhapsChanged(change.first(), change.count(), change.stamp());
      }
    }

    private void ended(Turn turn) {
      if (turn.end == End.IN_ORDER) {
        snapshot.model.flushed();
        origin.model.flushed();
      }
    }
  }

  /** What is to be done in a turn, drawn before it begins. */
  private static final class Turn {
    final boolean isMerge;
    final End end;
    final List<Change> changes = new ArrayList<>();
    final List<Change> inFlight = new ArrayList<>();
    final int pauseMicros;
    final int mergeUntil;

    Turn(SnapshotHistory history, boolean isMerge) {
      this.isMerge = isMerge;
      end = history.randomEnd();
      for (int i = (isMerge ? 2 : 5) + history.random.nextInt(12); i > 0; i--) {
        changes.add(history.randomChange(volume(history)));
      }
      for (int i = end == End.CRASH_IN_FLIGHT ? 1 + history.random.nextInt(12) : 0; i > 0; i--) {
        inFlight.add(history.randomWrite(volume(history)));
      }
      pauseMicros = history.random.nextInt(isMerge ? 500_000 : 20_000);
      // To the end, at times; what is left to merge counts in sectors.
      int exceptions = isMerge ? history.files.exceptions() : 0;
      mergeUntil =
          history.random.nextInt(4) == 0
              ? 0
              : history.random.nextInt(exceptions + 1) * history.chunkSectors;
    }

    private Volume volume(SnapshotHistory history) {
      return isMerge || history.random.nextBoolean() ? history.snapshot : history.origin;
    }

    @Override
    public String toString() {
      return "%s, %s, pause %d us, until %d%nchanges %s%nin flight %s"
          .formatted(isMerge ? "merge" : "use", end, pauseMicros, mergeUntil, changes, inFlight);
    }
  }
}
