package oxbow.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Aim: whenever our server dies in the middle of a checkpoint, the device it leaves means the same
 * to an independent reader, and both ways out lead to what was promised. Method: random histories
 * over NBD, of all block sizes, small devices that fill up; SIGKILL; the checker's images beside
 * ours; and several clients at once.
 */
class BowHistoriesIT {
  private static final long SEED = Long.getLong("oxbow.seed", 20261101L);
  private static final int WRITES = 120;
  private static final int WRITERS = 3;

  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(ints = {512, 1024, 2048, 4096})
  void theIndependentReaderAgrees(int blockBytes) throws IOException {
    Random random = new Random(SEED + blockBytes);
    int blocks = 200 + random.nextInt(400);
    Path disk = Images.random(directory.resolve("disk"), 0, blocks * blockBytes, blockBytes);
    History history = new History(random, blockBytes, blocks);
    byte[] before = Files.readAllBytes(disk);
    byte[] now = before.clone();
    try (TestBow bow = new TestBow(directory, disk)) {
      bow.start("--block-size", blockBytes);
      QemuIo.run(bow.uri(), history.discards());
      bow.checkpoint();
      history.written(QemuIo.tried(bow.uri(), history.writes()), now);
      assertThat(bow.figure("logBlocks")).as(reproduce()).isPositive();
      bow.kill();
    }

    Path copy = Files.copy(disk, directory.resolve("copy"));
    Path back = directory.resolve("back");
    Path forward = directory.resolve("forward");
    Tool.require("python3", "python3");
    Proc.of(
            Tool.own("it/tools/bow_log_dump.py"),
            "--restore-to",
            back,
            "--forward-to",
            forward,
            disk)
        .run()
        .ok();
    new TestBow(directory, disk).restore();
    Images.assertSameContent(disk, back);
    new TestBow(directory, copy).commitOffline();
    Images.assertSameContent(copy, forward);

    byte[] restored = Files.readAllBytes(disk);
    byte[] committed = Files.readAllBytes(copy);
    for (int at = 0; at < before.length; at++) {
      boolean isFree = history.free.get(at / blockBytes);
      assertThat(isFree || restored[at] == before[at]).as("back %d %s", at, reproduce()).isTrue();
      boolean isKnown = history.written.get(at) || !(isFree || history.doubtful.get(at));
      assertThat(!isKnown || committed[at] == now[at]).as("on %d %s", at, reproduce()).isTrue();
    }
  }

  @Test
  @DisplayName("O30: for every client a checkpoint lies between two of its writes")
  void aCheckpointIsOneMoment() throws Exception {
    Path disk = Images.random(directory.resolve("disk"), 0, 3 << 20, 5);
    byte[] before = Files.readAllBytes(disk);
    List<Writer> writers = new ArrayList<>();
    try (TestBow bow = new TestBow(directory, disk);
        ExecutorService threads = Executors.newFixedThreadPool(WRITERS)) {
      bow.start("--block-size", 1024);
      QemuIo.run(bow.uri(), "discard 2M 1M");
      List<Future<?>> running = new ArrayList<>();
      for (int i = 0; i < WRITERS; i++) {
        Writer writer = new Writer(new Random(SEED + i), i * Writer.LENGTH);
        writers.add(writer);
        running.add(threads.submit(() -> writer.run(bow.uri())));
      }
      bow.checkpoint();
      for (Future<?> writer : running) {
        writer.get();
      }
      bow.kill();
    }
    Path copy = Files.copy(disk, directory.resolve("copy"));
    new TestBow(directory, disk).restore();
    new TestBow(directory, copy).commitOffline();
    byte[] restored = Files.readAllBytes(disk);
    byte[] committed = Files.readAllBytes(copy);
    int amidst = 0;
    for (Writer writer : writers) {
      int done = writer.doneIn(restored, before.clone());
      assertThat(done).as(reproduce()).isNotNegative();
      amidst += done > 0 && done < Writer.COUNT ? 1 : 0;
      assertThat(writer.doneIn(committed, before.clone())).as(reproduce()).isEqualTo(Writer.COUNT);
    }
    assertThat(amidst).as("clients that were writing meanwhile").isPositive();
  }

  /** A client that writes to a part of the device of its own, one thing after the other. */
  private static final class Writer {
    static final int LENGTH = 100_000;
    static final int COUNT = 1500;

    private final int start;
    private final List<Write> writes = new ArrayList<>();

    Writer(Random random, int start) {
      this.start = start;
      for (int i = 0; i < COUNT; i++) {
        int length = 1 + random.nextInt(5000);
        // No two writes that follow each other leave the same.
        writes.add(new Write(start + random.nextInt(LENGTH - length), length, 1 + i % 255));
      }
    }

    void run(String uri) {
      StringBuilder commands = new StringBuilder();
      for (Write write : writes) {
        commands.append("write -q -P %d %d %d\n".formatted(write.fill, write.at, write.length));
        commands.append("sleep 3\n");
      }
      Tool.require("qemu-io", "qemu-utils");
      Proc.of("qemu-io", "-f", "raw", uri).input(commands.toString()).run().ok();
    }

    /** After how many of its writes the device is so; -1 if it never was. */
    int doneIn(byte[] device, byte[] model) {
      for (int done = 0; done <= COUNT; done++) {
        if (Arrays.equals(device, start, start + LENGTH, model, start, start + LENGTH)) {
          return done;
        }
        if (done < COUNT) {
          Write next = writes.get(done);
          Arrays.fill(model, next.at, next.at + next.length, (byte) next.fill);
        }
      }
      return -1;
    }
  }

  private record Write(int at, int length, int fill) {}

  private static String reproduce() {
    return "reproduce with: bin/test -Dit.test=BowHistoriesIT -Doxbow.seed=" + SEED;
  }

  /** What is done to a device, and what is known of it afterwards. */
  private static final class History {
    private final Random random;
    private final int blockBytes;
    private final int sizeBytes;

    /** Blocks that were free at the checkpoint. */
    final BitSet free = new BitSet();

    /** Bytes that were written since, and those of which a write has failed after that. */
    final BitSet written = new BitSet();

    final BitSet doubtful = new BitSet();

    private final List<Write> writes = new ArrayList<>();

    History(Random random, int blockBytes, int blocks) {
      this.random = random;
      this.blockBytes = blockBytes;
      this.sizeBytes = blocks * blockBytes;
    }

    /** Whole sectors, and so parts of blocks at both ends, which count as used. */
    String[] discards() {
      List<String> commands = new ArrayList<>();
      for (int i = 0; i < 12; i++) {
        int sectors = sizeBytes / 512 - blockBytes / 512;
        int first = blockBytes / 512 + random.nextInt(sectors);
        int count = 1 + random.nextInt(Math.min(blockBytes / 512 * 40, sizeBytes / 512 - first));
        commands.add("discard %d %d".formatted(first * 512, count * 512));
        int firstWhole = Math.ceilDiv(first * 512, blockBytes);
        int end = (first + count) * 512 / blockBytes;
        if (firstWhole < end) {
          free.set(firstWhole, end);
        }
      }
      return commands.toArray(new String[0]);
    }

    /** Of any alignment; most of them small. */
    String[] writes() {
      List<String> commands = new ArrayList<>();
      for (int i = 0; i < WRITES; i++) {
        int most = random.nextInt(8) == 0 ? 6 * blockBytes : blockBytes;
        int length = 1 + random.nextInt(most);
        int at = random.nextInt(10) == 0 ? 0 : random.nextInt(sizeBytes - length);
        Write write = new Write(at, length, 1 + random.nextInt(255));
        writes.add(write);
        commands.add("write -P %d %d %d".formatted(write.fill, at, length));
        if (random.nextInt(10) == 0) {
          commands.add("flush");
        }
      }
      return commands.toArray(new String[0]);
    }

    /** How the writes have ended: without room one fails, wholly or in part. */
    void written(String out, byte[] now) {
      List<String> ends =
          out.lines().filter(line -> line.matches("wrote .*|write failed: .*")).toList();
      assertThat(ends).as(out).hasSameSizeAs(writes);
      for (int i = 0; i < ends.size(); i++) {
        Write write = writes.get(i);
        boolean isWritten = ends.get(i).startsWith("wrote ");
        written.set(write.at, write.at + write.length, isWritten);
        doubtful.set(write.at, write.at + write.length, !isWritten);
        if (isWritten) {
          Arrays.fill(now, write.at, write.at + write.length, (byte) write.fill);
        } else {
          assertThat(ends.get(i)).endsWith("No space left on device");
        }
      }
    }
  }
}
