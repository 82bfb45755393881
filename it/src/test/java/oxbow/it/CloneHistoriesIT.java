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
import oxbow.it.CloneHistory.Change;
import oxbow.it.CloneHistory.End;
import oxbow.it.CloneHistory.Kind;
import oxbow.nbd.client.NbdAddress;

/**
 * Aim: a kernel and we can take over from each other at any moment, again and again, after orderly
 * ends and after crashes. Method: random histories of ten turns of each on the same files; after
 * each turn all of it is looked at ({@link CloneHistory}), and whoever is next must read the same.
 *
 * <p>{@code -Doxbow.histories=100} makes a soak of it.
 */
class CloneHistoriesIT {
  private static final int TURNS = 20;

  /** The kernel passes no larger discards down to the guest's disks. */
  private static final int KERNEL_PASSDOWN_SECTORS = 64;

  @TempDir Path directory;

  @Test
  @Timeout(value = 5, unit = TimeUnit.HOURS)
  void kernelAndWeTakeTurnsAndNothingFlushedIsLost() throws Exception {
    long seed = Long.getLong("oxbow.seed", 6_100);
    int histories = Integer.getInteger("oxbow.histories", 2);
    for (int i = 0; i < histories; i++) {
      Path home = Files.createDirectory(directory.resolve("history-" + i));
      CloneHistory history = new CloneHistory(home, seed + i, (int) ((seed + i) % 30));
      try (TestClone clone = history.clone) {
        live(history, (seed + i) % 2 == 0);
        finish(history);
        Files.delete(clone.destination());
        Files.delete(history.source);
      } catch (AssertionError | Exception e) {
        throw new AssertionError(
            ("reproduce with: ./mvnw verify -Dit.test=CloneHistoriesIT -Doxbow.seed=%d"
                    + " -Doxbow.histories=1")
                .formatted(seed + i),
            e);
      }
    }
  }

  private static void live(CloneHistory history, boolean doesTheKernelBegin) throws Exception {
    if (doesTheKernelBegin) {
      history.makeFilesForTheKernel();
    }
    for (int turn = 0; turn < TURNS; turn++) {
      boolean isKernels = turn % 2 == 0 == doesTheKernelBegin;
      End end = history.randomEnd();
      List<Change> changes = new ArrayList<>();
      for (int i = 5 + history.random.nextInt(12); i > 0; i--) {
        changes.add(history.randomChange());
      }
      List<Change> inFlight = new ArrayList<>();
      for (int i = end == End.CRASH_IN_FLIGHT ? 1 + history.random.nextInt(12) : 0; i > 0; i--) {
        inFlight.add(history.randomWrite());
      }
      try {
        if (isKernels) {
          kernelsTurn(history, changes, inFlight, end, turn);
        } else {
          ourTurn(history, changes, inFlight, end, turn);
        }
        history.check(end != End.IN_ORDER);
      } catch (AssertionError | Exception e) {
        throw new AssertionError(
            "turn %d, %s, regions of %d sectors, %s, %s%nchanges %s%nin flight %s"
                .formatted(
                    turn,
                    isKernels ? "the kernel's" : "ours",
                    history.regionSectors,
                    history.hasPassdown ? "passdown" : "no passdown",
                    end,
                    changes,
                    inFlight),
            e);
      }
    }
  }

  /** At the end DEST alone is what the clone was. */
  private static void finish(CloneHistory history) throws IOException {
    String content = history.sha256();
    history.clone.finish();
    history.check(false);
    assertThat(history.sha256()).isEqualTo(content);
    assertThat(Images.sha256(history.clone.destination())).isEqualTo(content);
  }

  private static void kernelsTurn(
      CloneHistory history, List<Change> changes, List<Change> inFlight, End end, int turn) {
    StringBuilder script = new StringBuilder(prelude(history));
    for (Change change : changes) {
      script.append(guestLine(change)).append('\n');
      tellWhatTheKernelDoes(history, change);
    }
    if (!inFlight.isEmpty()) {
      script.append("dmsetup message c 0 enable_hydration\n");
      script.append("blkio /dev/mapper/c <<END &\n");
      for (Change change : inFlight) {
        script.append(blkio(change)).append('\n');
        history.model.perhapsChanged(change.first(), change.count(), change.stamp());
      }
      script.append("END\nusleep ").append(history.random.nextInt(20_000)).append('\n');
    }
    script.append(end == End.IN_ORDER ? "dmsetup remove c\n" : "oracle-crash\n");
    List<String> out = Oracle.run(history.disks(), script.toString()).ok().out().lines().toList();
    assertThat(out).as("what the kernel said").hasSizeGreaterThanOrEqualTo(2);
    assertThat(out.get(0)).endsWith(" rw");
    if (turn > 0) {
      assertThat(out.get(1)).as("what the kernel reads").startsWith(history.sha256());
    }
    assertThat(out.subList(2, out.size())).as("complaints").isEmpty();
    if (end == End.IN_ORDER) {
      history.model.flushed();
    }
  }

  /** What a guest script begins with: a clone over a source that takes some milliseconds. */
  private static String prelude(CloneHistory history) {
    return """
        set -e
        length=%1$d
        table="0 $length clone /dev/disk/meta /dev/disk/dest"
        features="%3$d %4$s 4 hydration_threshold 2 hydration_batch_size 2"
        dmsetup create c --table "$table /dev/disk/source %2$d $features"
        dmsetup status c
        dd if=/dev/mapper/c bs=1M 2>/dev/null | sha256sum
        dmsetup remove c
        dmsetup create slow --table "0 $length delay /dev/disk/source 0 4"
        dmsetup create c --table "$table /dev/mapper/slow %2$d $features"
        hydrate() {
          dmsetup message c 0 enable_hydration
          usleep "$1"
          dmsetup message c 0 disable_hydration
          until [ "$(dmsetup status --noflush c | cut -d ' ' -f 8)" = 0 ]; do usleep 2000; done
        }
        """
        .formatted(
            history.sectors(),
            history.regionSectors,
            history.hasPassdown ? 1 : 2,
            history.hasPassdown ? "no_hydration" : "no_hydration no_discard_passdown");
  }

  private static String guestLine(Change change) {
    return change.kind() == Kind.HYDRATE
        ? "hydrate " + 100 * change.count()
        : "blkio /dev/mapper/c '" + blkio(change) + "'";
  }

  private static String blkio(Change change) {
    String range = change.first() + "s " + change.count() + "s";
    return switch (change.kind()) {
      case WRITE -> "w " + range + " " + change.stamp();
      case DURABLE_WRITE -> "W " + range + " " + change.stamp();
      case ZERO -> "z " + range;
      case DISCARD -> "d " + range;
      case FLUSH -> "f";
      case HYDRATE -> throw new IllegalArgumentException("no command of blkio: " + change);
    };
  }

  private static void tellWhatTheKernelDoes(CloneHistory history, Change change) {
    switch (change.kind()) {
      case WRITE, ZERO -> history.model.changed(change.first(), change.count(), change.stamp());
      case DURABLE_WRITE -> {
        history.model.changed(change.first(), change.count(), change.stamp());
        history.model.flushed();
      }
      case DISCARD -> {
        boolean isPassedDown =
            history.hasPassdown && history.regionSectors <= KERNEL_PASSDOWN_SECTORS;
        history.discarded(change, isPassedDown, true);
      }
      case FLUSH -> history.model.flushed();
      case HYDRATE -> {}
    }
  }

  private static void ourTurn(
      CloneHistory history, List<Change> changes, List<Change> inFlight, End end, int turn)
      throws Exception {
    TestClone clone = history.clone;
    List<Object> options = new ArrayList<>(List.of("--no-hydration", "--rate", "256KiB"));
    options.addAll(List.of("--region-size", Sectors.toBytes(history.regionSectors)));
    if (!history.hasPassdown) {
      options.add("--no-discard-passdown");
    }
    clone.start(options.toArray());
    try (WorkerDiskPool disks = new WorkerDiskPool(1);
        Engine engine = new Engine(1, disks);
        NbdDevice device = connect(clone, engine)) {
      if (turn > 0) {
        assertThat(sha256(device)).as("what we read").isEqualTo(history.sha256());
      }
      for (Change change : changes) {
        change(history, device, change);
        if (change.kind() == Kind.HYDRATE && history.mayHydrateInBackground(turn)) {
          letTheBackgroundHydrate(history);
        }
      }
      for (Change change : inFlight) {
        history.model.perhapsChanged(change.first(), change.count(), change.stamp());
        submit(device, change);
      }
      if (end == End.IN_ORDER) {
        clone.stop();
        history.model.flushed();
      } else {
        clone.kill();
      }
    }
  }

  private static NbdDevice connect(TestClone clone, Engine engine) throws IOException {
    NbdAddress address = NbdAddress.unix(clone.socket().toString(), clone.name());
    return NbdDevice.open(
        address, engine, NbdOptions.defaults().withConnections(1).withHoldNanos(0));
  }

  private static String sha256(NbdDevice device) {
    MessageDigest digest = CloneHistory.sha256Digest();
    int piece = 1 << 20;
    for (long at = 0; at < device.sizeBytes(); at += piece) {
      digest.update(Requests.read(device, at, (int) Math.min(piece, device.sizeBytes() - at)));
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  private static void change(CloneHistory history, NbdDevice device, Change change) {
    SectorModel model = history.model;
    long offset = Sectors.toBytes(change.first());
    long length = Sectors.toBytes(change.count());
    int errno =
        switch (change.kind()) {
          case WRITE, DURABLE_WRITE -> {
            int fua = change.kind() == Kind.WRITE ? 0 : Flags.FUA;
            yield Requests.write(device, offset, bytes(change), fua);
          }
          case ZERO -> Requests.run(device, Operation.WRITE_ZEROES, offset, length, 0);
          case DISCARD -> Requests.run(device, Operation.DISCARD, offset, length, 0);
          case FLUSH -> Requests.flush(device);
          case HYDRATE -> Requests.run(device, Operation.CACHE, offset, length, 0);
        };
    assertThat(errno).as("%s", change).isEqualTo(Errno.OK);
    switch (change.kind()) {
      case WRITE, ZERO -> model.changed(change.first(), change.count(), change.stamp());
      case DURABLE_WRITE -> {
        model.changed(change.first(), change.count(), change.stamp());
        model.flushed(change.first(), change.count());
      }
      case DISCARD -> history.discarded(change, history.hasPassdown, false);
      case FLUSH -> model.flushed();
      case HYDRATE -> {}
    }
  }

  private static void letTheBackgroundHydrate(CloneHistory history) {
    // Each message is a process of its own; between the two the background gets along.
    String name = history.clone.name();
    history.clone.verb("message", name, 0, "enable_hydration");
    if (history.random.nextBoolean()) {
      history.clone.verb("message", name, 0, "disable_hydration");
    }
  }

  /** Sends a change and does not wait for its end, which comes with an error at the latest. */
  private static void submit(NbdDevice device, Change change) {
    long offset = Sectors.toBytes(change.first());
    long length = Sectors.toBytes(change.count());
    BlockRequest request = new BlockRequest();
    if (change.kind() == Kind.ZERO) {
      device.submit(request.range(Operation.WRITE_ZEROES, offset, length, 0, (ended, errno) -> {}));
      return;
    }
    byte[] bytes = bytes(change);
    MemorySegment data = Arena.ofAuto().allocate(bytes.length, 4096);
    MemorySegment.copy(bytes, 0, data, ValueLayout.JAVA_BYTE, 0, bytes.length);
    device.submit(request.data(Operation.WRITE, offset, data, 0, length, 0, (ended, errno) -> {}));
  }

  private static byte[] bytes(Change change) {
    return SectorPattern.bytes(change.first(), change.count(), change.stamp());
  }
}
