package oxbow.target.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.Objects;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import oxbow.sim.Histories;
import oxbow.sim.SimDisk;
import oxbow.target.snapshot.StoreHistory.Defect;

/**
 * Aim: whatever a crash leaves of a store, it has every exception that is durable, none that was
 * never committed, and nothing that an earlier crash left ever comes back (P1, P2, O23). Method:
 * random lives; and the same with one thing done wrong, which must be found.
 */
class StoreCrashTest {
  private static final long ORIGIN_BYTES = 1L << 30;
  private static final ExceptionSink IGNORED = (oldChunk, newChunk, count) -> {};

  private static void run(long seed, Defect defect) {
    try {
      new StoreHistory(seed, defect).run();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  @DisplayName("P1 P2 O23: random lives of a store")
  void noCrashLosesOrRevivesAnException() {
    Histories histories =
        new Histories("StoreCrashTest#noCrash*", seed -> run(seed, Defect.NONE)).run(200);
    System.out.println("StoreCrashTest: " + histories);
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
  void whatIsDoneWrongIsFound(Defect defect) {
    assertThat(firstFailure(defect, 200)).as(defect + " stays unnoticed").isNotNegative();
  }

  private static int firstFailure(Defect defect, int seeds) {
    for (int seed = 0; seed < seeds; seed++) {
      try {
        run(seed, defect);
      } catch (AssertionError | UncheckedIOException found) {
        return seed;
      }
    }
    return -1;
  }

  @Test
  @DisplayName("O23: what a torn commit left is cleared durably before the gap in front is filled")
  void whatATornCommitLeftNeverComesBack() throws IOException {
    assertThat(revived("zeroes", "flush", "writes")).isZero();
    assertThat(revived("writes", "flush", "zeroes")).as("the wrong order").isPositive();
    assertThat(revived("zeroes", "writes")).as("no flush between").isPositive();
    assertThat(revived("flush", "writes")).as("not cleared").isPositive();
  }

  /**
   * A commit of three sectors of which the first is lost, then one of two sectors: in how many of
   * all images that crashes during the second may leave are there exceptions of the first.
   */
  private static int revived(String... order) throws IOException {
    SimDisk disk = new SimDisk(300 * 4096);
    PersistentStore first = StoreOpener.open(disk, 8, ORIGIN_BYTES, IGNORED);
    append(first, 1000, 96);
    Commit torn = Objects.requireNonNull(first.beginCommit());
    disk.write(torn.writes().getFirst().offsetBytes(), bytes(torn));
    SimDisk image = disk.crashImage(sector -> sector > 0);

    PersistentStore second = StoreOpener.load(image, ORIGIN_BYTES, IGNORED);
    assertThat(second.isEmpty()).isTrue();
    append(second, 5000, 64);
    Commit commit = Objects.requireNonNull(second.beginCommit());
    int[] found = new int[1];
    for (String step : order) {
      switch (step) {
        case "zeroes" -> {
          for (Commit.Zeroes range : commit.zeroes()) {
            image.write(range.offsetBytes(), ByteBuffer.allocate((int) range.lengthBytes()));
          }
        }
        case "flush" -> image.flush();
        default -> image.write(commit.writes().getFirst().offsetBytes(), bytes(commit));
      }
      image.forEachCrashImage(
          512,
          crashed ->
              StoreOpener.load(
                  crashed, ORIGIN_BYTES, (old, chunk, count) -> found[0] += old < 5000 ? 1 : 0));
    }
    return found[0];
  }

  private static ByteBuffer bytes(Commit commit) {
    return ByteBuffer.wrap(commit.writes().getFirst().bytes());
  }

  private static void append(PersistentStore store, long oldChunk, int count) {
    for (int i = 0; i < count; i++) {
      store.append(oldChunk + 2L * i, store.allocate(1), 1);
    }
  }
}
