package oxbow.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import oxbow.block.BlockDevice;
import oxbow.block.BlockingDevice;
import oxbow.block.Errno;
import oxbow.block.Operation;
import oxbow.device.Requests;
import oxbow.device.mem.MemDevice;
import oxbow.format.logwrites.LogEntry;
import oxbow.target.MessageException;
import oxbow.target.Target;
import oxbow.target.TargetException;
import oxbow.target.TargetType;
import oxbow.target.TestFrame;
import oxbow.target.logwrites.LogReader;
import oxbow.target.logwrites.LogReplay;
import oxbow.targets.TargetTypes;

/**
 * Aim: delay, flakey, error, linear, log-writes and zero speak as the kernel's do, do what those
 * do, and their log is the kernel's. Method: the same tables, requests and messages in a kernel and
 * in Oxbow.
 */
class LayersKernelIT {
  private static final int SECTOR = 512;
  private static final long SECTORS = 2048;

  /** Table lines, right and wrong; the devices are a and b. */
  private static final List<String> TABLES =
      List.of(
          "delay",
          "delay a 0",
          "delay a 0 100",
          "delay a 8 100 b 0 200",
          "delay a 0 100 b 8 200 a 16 5",
          "delay a 0 100 b 8 200 a 16 5 6",
          "delay a x 100",
          "delay a 0 x",
          "delay c 0 100",
          "delay a 100000 10",
          "error",
          "error a 0",
          "flakey a 0 1",
          "flakey a 0 1 1",
          "flakey a 0 0 0",
          "flakey a x 1 1",
          "flakey a 0 x 1",
          "flakey a 0 1 x",
          "flakey a 0 1 1 0",
          "flakey a 0 1 1 1",
          "flakey a 0 1 1 x",
          "flakey a 0 1 1 1 drop_writes",
          "flakey a 0 1 1 1 ERROR_WRITES",
          "flakey a 0 1 1 1 drop_writes surplus",
          "flakey a 0 1 1 2 drop_writes drop_writes",
          "flakey a 0 1 1 2 drop_writes error_writes",
          "flakey a 0 1 1 2 error_writes drop_writes",
          "flakey a 0 1 1 2 error_writes error_writes",
          "flakey a 0 1 1 5 corrupt_bio_byte 32 r 1 0",
          "flakey a 0 1 1 6 error_writes corrupt_bio_byte 224 r 0 32",
          "flakey a 0 1 1 6 drop_writes corrupt_bio_byte 224 w 0 32",
          "flakey a 0 1 1 6 corrupt_bio_byte 224 w 0 32 error_writes",
          "flakey a 0 1 1 1 corrupt_bio_byte",
          "flakey a 0 1 1 3 corrupt_bio_byte 1 r",
          "flakey a 0 1 1 5 corrupt_bio_byte 0 r 1 0",
          "flakey a 0 1 1 5 corrupt_bio_byte 1 x 1 0",
          "flakey a 0 1 1 5 corrupt_bio_byte 1 r 256 0",
          "flakey a 0 1 1 5 corrupt_bio_byte 1 r 1 x",
          "flakey a 0 1 1 6 corrupt_bio_byte 1 r 1 0",
          "flakey a 0 1 1 1 whatever",
          "flakey c 0 1 1",
          "linear",
          "linear a",
          "linear a 0",
          "linear a 8",
          "linear a 14336",
          "linear a 14337",
          "linear a 8 9",
          "linear a x",
          "linear c 0",
          "linear c x",
          "log-writes a",
          "log-writes c b",
          "log-writes a c",
          "log-writes a b",
          "log-writes a b surplus",
          "zero",
          "zero a");

  /** Prints, for each table, its table and status line, or why the kernel refuses it. */
  private static final String TELL =
      """
      dmesg -c >/dev/null
      while IFS='|' read -r given line; do
        echo "? $given"
        if dmsetup create x --table "0 2048 $line" >/dev/null 2>&1; then
          dmsetup table x
          dmsetup status x
          dmsetup remove x
        else
          dmesg -c | grep 'device-mapper: table' | head -n 1
        fi
        dmesg -c >/dev/null
      done <<'END'
      @TABLES@
      END
      """;

  @TempDir Path directory;

  private Path image(String name, long sizeBytes) throws IOException {
    Path image = directory.resolve(name);
    try (var file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(sizeBytes);
    }
    return image;
  }

  private static String inGuest(String line) {
    return line.replaceAll("(?<= )([abc])(?= |$)", "/dev/disk/$1");
  }

  private static Target construct(String line, Map<String, BlockDevice> devices)
      throws TargetException {
    List<String> words = List.of(line.split(" "));
    TargetType type = new TargetTypes().find(words.getFirst()).orElseThrow();
    return type.construct(SECTORS, words.subList(1, words.size()), TestFrame.devices(devices));
  }

  @Test
  void tablesStatusAndRefusalsAreTheKernels() throws IOException {
    Path a = image("a", 8 << 20);
    Path b = image("b", 8 << 20);
    List<String> lines = TABLES.stream().map(line -> line + "|" + inGuest(line)).toList();
    String script = TELL.replace("@TABLES@", String.join("\n", lines));
    String out =
        Oracle.run(List.of(Oracle.Disk.of("a", a), Oracle.Disk.of("b", b)), script).ok().out();

    Map<String, List<String>> kernel = new LinkedHashMap<>();
    List<String> answer = new ArrayList<>();
    for (String line : out.lines().toList()) {
      if (line.startsWith("? ")) {
        answer = new ArrayList<>();
        kernel.put(line.substring(2), answer);
      } else {
        answer.add(line);
      }
    }
    assertThat(kernel.keySet()).containsExactlyElementsOf(TABLES);
    kernel.forEach((line, said) -> assertThat(ours(line)).as(line).isEqualTo(words(said)));
  }

  /** The kernel's answer with our names of devices, and refusals without what goes around them. */
  private static List<String> words(List<String> said) {
    return said.stream()
        .map(line -> line.replace("98:0", "a").replace("98:16", "b"))
        .map(line -> line.replaceFirst("^device-mapper: table: [0-9:]+: ([a-z-]+: )?", ""))
        .map(line -> line.replaceFirst(" \\(-E[A-Z]+\\)$", ""))
        .map(line -> line.replaceFirst("^ubda too", "a too"))
        .toList();
  }

  private static List<String> ours(String line) {
    Map<String, BlockDevice> devices =
        Map.of("a", new MemDevice(8 << 20), "b", new MemDevice(8 << 20));
    try (Target target = construct(line, devices)) {
      String prefix = "0 " + SECTORS + " " + target.typeName() + " ";
      return List.of(prefix + target.table(), prefix + target.status());
    } catch (TargetException refused) {
      // What follows the kernel's sentence is ours: the value, or why there is no device.
      String sentence = Objects.requireNonNull(refused.getMessage());
      return List.of(sentence.replaceFirst("(: (?!start=).*)$", ""));
    }
  }

  // Behaviour while down.

  private static final List<String> FLAKEYS =
      List.of(
          "flakey a 0 0 100",
          "flakey a 0 0 100 1 drop_writes",
          "flakey a 0 0 100 1 error_writes",
          "flakey a 0 0 100 5 corrupt_bio_byte 3 w 90 0",
          "flakey a 0 0 100 5 corrupt_bio_byte 3 w 90 1",
          "flakey a 0 0 100 5 corrupt_bio_byte 3 w 90 4096");

  @Test
  void whileDownTheSameRequestsSucceedAndTheSameBytesArrive() throws IOException {
    StringBuilder script = new StringBuilder("x=/dev/mapper/x\n");
    for (String line : FLAKEYS) {
      script.append(
          """
          dmsetup create x --table "0 2048 %s"
          answers=
          for ask in 'w 100s 8s 7' 't 100s 8s' f 'd 200s 8s'; do
            if blkio $x "$ask" >/dev/null 2>&1; then said=ok; else said=error; fi
            answers="$answers $said"
          done
          dmsetup remove x
          found=$(dd if=/dev/disk/a bs=512 skip=100 count=1 2>/dev/null | head -c 4 | od -A n -t x1)
          echo "$answers" $found
          blkio /dev/disk/a 'z 0 1m' >/dev/null
          """
              .formatted(inGuest(line)));
    }
    Path a = image("a", 8 << 20);
    String out = Oracle.run(List.of(Oracle.Disk.of("a", a)), script.toString()).ok().out();

    List<String> ours = new ArrayList<>();
    for (String line : FLAKEYS) {
      ours.add(answers(line));
    }
    assertThat(out.lines().map(String::strip)).containsExactlyElementsOf(ours);
  }

  private static String answers(String line) {
    MemDevice device = new MemDevice(8 << 20);
    try {
      TestFrame frame = new TestFrame(construct(line, Map.of("a", device)));
      List<String> words = new ArrayList<>();
      words.add(word(frame.write(100 * SECTOR, pattern(100, 8, 7)).errno()));
      words.add(word(frame.read(100 * SECTOR, 8 * SECTOR).errno()));
      words.add(word(frame.flush().errno()));
      words.add(word(frame.ask(Operation.DISCARD, 200 * SECTOR, 8 * SECTOR).errno()));
      for (byte each : Requests.read(device, 100 * SECTOR, 4)) {
        words.add("%02x".formatted(each));
      }
      return String.join(" ", words);
    } catch (TargetException e) {
      throw new AssertionError(line, e);
    }
  }

  private static String word(int errno) {
    return errno == Errno.OK ? "ok" : "error";
  }

  /** What blkio writes: in each word of a sector the seed, and the sector's number. */
  private static byte[] pattern(long firstSector, int count, long seed) {
    ByteBuffer bytes = ByteBuffer.allocate(count * SECTOR).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < bytes.capacity() / Long.BYTES; i++) {
      bytes.putLong((seed << 40) | (firstSector + i / (SECTOR / Long.BYTES)));
    }
    return bytes.array();
  }

  // The log.

  private static final String LOG_WRITES =
      """
      dmsetup create x --table "0 2048 log-writes /dev/disk/a /dev/disk/b"
      x=/dev/mapper/x
      blkio $x 'w 10s 1s 1' 'w 20s 2s 2' 'W 30s 8s 3'
      dmsetup message x 0 mark one
      blkio $x 'w 10s 1s 4' 'd 64s 32s' f
      dmsetup message x 0 MARK "$(head -c 600 /dev/zero | tr '\\0' y)"
      blkio $x 'w 1000s 64s 5'
      dmsetup remove x
      """;

  @Test
  void theLogOfTheSameRequestsIsTheSameToTheLastByte()
      throws IOException, TargetException, MessageException {
    Path a = image("a", 8 << 20);
    Path b = image("b", 8 << 20);
    Oracle.run(List.of(Oracle.Disk.of("a", a), Oracle.Disk.of("b", b)), LOG_WRITES).ok();

    MemDevice device = new MemDevice(8 << 20);
    MemDevice log = new MemDevice(8 << 20);
    try (Target target = construct("log-writes a b", Map.of("a", device, "b", log))) {
      TestFrame frame = new TestFrame(target);
      frame.write(10 * SECTOR, pattern(10, 1, 1));
      frame.write(20 * SECTOR, pattern(20, 2, 2));
      frame.write(30 * SECTOR, pattern(30, 8, 3));
      frame.flush();
      frame.message("mark", "one");
      frame.write(10 * SECTOR, pattern(10, 1, 4));
      frame.ask(Operation.DISCARD, 64 * SECTOR, 32 * SECTOR);
      frame.flush();
      frame.message("MARK", "y".repeat(600));
      frame.write(1000 * SECTOR, pattern(1000, 64, 5));
    }
    assertThat(entries(log)).isEqualTo(entries(Files.readAllBytes(b)));
    assertThat(Requests.read(log, 0, 8 << 20)).isEqualTo(Files.readAllBytes(b));
    assertThat(replayed(Files.readAllBytes(b))).isEqualTo(Files.readAllBytes(a));
    assertThat(Requests.read(device, 0, 8 << 20)).isEqualTo(Files.readAllBytes(a));
  }

  private static MemDevice memory(byte[] content) {
    MemDevice device = new MemDevice(content.length);
    Requests.write(device, 0, content);
    return device;
  }

  private static List<LogEntry> entries(byte[] log) throws IOException {
    return entries(memory(log));
  }

  private static List<LogEntry> entries(BlockDevice log) throws IOException {
    List<LogEntry> entries = new ArrayList<>();
    try (BlockingDevice io = new BlockingDevice(log)) {
      LogReader reader = new LogReader(io);
      for (var entry = reader.next(); entry != null; entry = reader.next()) {
        entries.add(entry.head());
      }
    }
    return entries;
  }

  private static byte[] replayed(byte[] log) throws IOException {
    MemDevice device = new MemDevice(8 << 20);
    try (BlockingDevice io = new BlockingDevice(memory(log));
        BlockingDevice into = new BlockingDevice(device)) {
      new LogReplay(List.of(into)).replay(new LogReader(io), Long.MAX_VALUE);
    }
    return Requests.read(device, 0, 8 << 20);
  }
}
