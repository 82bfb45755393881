package oxbow.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import oxbow.format.FormatException;
import oxbow.inspect.ByteRange;
import oxbow.inspect.ExtFreeSpace;
import oxbow.sim.SimDisk;

/**
 * Aim: what we take for free in a file system is what e2fsprogs takes for free, and never a block
 * more, whatever is broken. Method: file systems of many kinds, new and used; dumpe2fs; bits
 * flipped in everything that we read.
 */
class ExtFreeSpaceTest {
  private static final long SEED = Long.getLong("oxbow.seed", 20260401L);
  private static final Pattern FREE = Pattern.compile("^ {2}Free blocks: (.*)$", Pattern.MULTILINE);

  private final Random random = new Random(SEED);

  @TempDir Path directory;
  private Path image = Path.of("");

  @BeforeEach
  void requireTools() {
    Tool.require("mke2fs", "e2fsprogs");
    image = directory.resolve("fs.img");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "-t ext2 -b 1024",
        "-t ext2 -b 1024 -r 0",
        "-t ext2 -b 1024 -O ^sparse_super,^resize_inode -g 1024",
        "-t ext2 -b 4096",
        "-t ext3 -b 1024",
        "-t ext3 -b 2048",
        "-t ext3 -b 4096 -g 256",
        "-t ext4 -b 1024",
        "-t ext4 -b 1024 -g 1024",
        "-t ext4 -b 2048 -g 512 -G 4",
        "-t ext4 -b 4096",
        "-t ext4 -b 4096 -g 256 -G 8",
        "-t ext4 -b 4096 -g 256 -O ^flex_bg",
        "-t ext4 -b 1024 -g 512 -O ^64bit",
        "-t ext4 -b 1024 -g 512 -O ^64bit,^metadata_csum,uninit_bg",
        "-t ext4 -b 1024 -g 512 -O 64bit,^metadata_csum,uninit_bg",
        "-t ext4 -b 1024 -g 512 -O ^metadata_csum,^uninit_bg",
        "-t ext4 -b 1024 -g 512 -O ^metadata_csum,uninit_bg,^flex_bg",
        "-t ext4 -b 1024 -g 512 -O metadata_csum_seed",
        "-t ext4 -b 1024 -g 512 -O meta_bg,^resize_inode",
        "-t ext4 -b 4096 -g 256 -O meta_bg,^resize_inode,^64bit,^flex_bg",
        "-t ext4 -b 1024 -g 512 -O sparse_super2,^resize_inode",
        "-t ext4 -b 1024 -g 512 -O ^resize_inode -E packed_meta_blocks=1",
        "-t ext4 -b 4096 -O bigalloc -C 16384",
        "-t ext4 -b 1024 -O bigalloc -C 16384",
        "-t ext4 -b 1024 -O bigalloc,^metadata_csum,uninit_bg -C 8192 -g 8192",
        "-t ext4 -b 65536 -q",
      })
  void freeIsWhatE2fsprogsTakesForFree(String options) throws IOException {
    make(options);
    assertAgrees();
    fill();
    assertAgrees();
    thinOut();
    assertAgrees();
  }

  private void make(String options) throws IOException {
    Files.deleteIfExists(image);
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      // No whole number of groups, nor of blocks.
      file.setLength((41L << 20) + 1536);
    }
    List<Object> words = new ArrayList<>(List.of((Object[]) options.split(" ")));
    words.addAll(List.of("-F", "-q"));
    words.add(image);
    Proc.of(Tool.require("mke2fs", "e2fsprogs"), words.toArray()).run().ok();
  }

  private void fill() throws IOException {
    Path data = directory.resolve("data");
    StringBuilder script = new StringBuilder();
    for (int i = 0; i < 40; i++) {
      Path file = Files.write(data.resolveSibling("data" + i), new byte[random.nextInt(300_000)]);
      script.append("write ").append(file).append(" f").append(i).append('\n');
    }
    debugfs(script.toString());
  }

  private void thinOut() throws IOException {
    StringBuilder script = new StringBuilder();
    for (int i = 0; i < 40; i += 1 + random.nextInt(3)) {
      script.append("rm f").append(i).append('\n');
    }
    debugfs(script.toString());
  }

  private void debugfs(String script) throws IOException {
    Path file = Files.writeString(directory.resolve("script"), script);
    Proc.of(Tool.require("debugfs", "e2fsprogs"), "-w", "-f", file, image).run().ok();
  }

  private void assertAgrees() throws IOException {
    ExtFreeSpace ours = ExtFreeSpace.read(disk());
    assertThat(ours.doubts()).isEmpty();
    assertThat(sectors(ours)).isEqualTo(freeByDumpe2fs());
    assertThat(ours.freeBytes()).isBetween(ours.claimedBytes() - 4096, ours.claimedBytes());
  }

  private SimDisk disk() throws IOException {
    byte[] bytes = Files.readAllBytes(image);
    return SimDisk.of(bytes, bytes.length);
  }

  private static BitSet sectors(ExtFreeSpace space) {
    BitSet sectors = new BitSet();
    long end = -1;
    for (ByteRange range : space.ranges()) {
      assertThat(range.offsetBytes()).isGreaterThan(end);
      end = range.endBytes();
      sectors.set((int) (range.offsetBytes() / 512), (int) (range.endBytes() / 512));
    }
    return sectors;
  }

  private BitSet freeByDumpe2fs() {
    String text = Proc.of(Tool.require("dumpe2fs", "e2fsprogs"), image).run().ok().out();
    int blockSectors = number(text, "Block size") / 512;
    // A range ends with the first block of its last cluster.
    int ratio = text.contains("Cluster size:") ? number(text, "Cluster size") / 512 : blockSectors;
    BitSet free = new BitSet();
    Matcher groups = FREE.matcher(text);
    while (groups.find()) {
      for (String range : groups.group(1).split(", ", -1)) {
        if (!range.isEmpty()) {
          String[] ends = range.split("-", -1);
          int first = Integer.parseInt(ends[0]) * blockSectors;
          int last = Integer.parseInt(ends[ends.length - 1]) * blockSectors;
          free.set(first, last + ratio);
        }
      }
    }
    free.clear(0, 8);
    return free;
  }

  private static int number(String text, String field) {
    Matcher matcher = Pattern.compile("(?m)^" + field + ": *(\\d+)$").matcher(text);
    assertThat(matcher.find()).as(field).isTrue();
    return Integer.parseInt(matcher.group(1));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "-t ext4 -b 1024 -g 512",
        "-t ext4 -b 1024 -g 512 -O ^metadata_csum,uninit_bg",
        "-t ext4 -b 1024 -g 512 -O ^metadata_csum,^uninit_bg",
        "-t ext4 -b 1024 -O bigalloc -C 8192",
      })
  void aFlippedBitNeverMakesAUsedBlockFree(String options) throws IOException {
    make(options);
    fill();
    thinOut();
    BitSet truth = freeByDumpe2fs();
    SimDisk sound = disk();
    String text = Proc.of(Tool.require("dumpe2fs", "e2fsprogs"), image).run().ok().out();
    int doubts = 0;
    for (int i = 0; i < 400; i++) {
      SimDisk damaged = sound.resized(sound.sizeBytes());
      damaged.flipBit(placeToDamage(text), random.nextInt(8));
      try {
        ExtFreeSpace space = ExtFreeSpace.read(damaged);
        doubts += space.doubts().size();
        BitSet wrong = sectors(space);
        wrong.andNot(truth);
        assertThat(wrong.isEmpty())
            .as("reproduce with: mvn test -Dtest=ExtFreeSpaceTest -Doxbow.seed=" + SEED)
            .isTrue();
      } catch (FormatException refused) {
        doubts++;
      }
    }
    assertThat(doubts).isGreaterThan(100);
  }

  /** In the descriptors after the superblock, or in a block bitmap. */
  private long placeToDamage(String dumpe2fs) {
    if (random.nextBoolean()) {
      return 2048L + random.nextInt(3 * 1024);
    }
    List<Integer> bitmaps =
        Pattern.compile("Block bitmap at (\\d+)")
            .matcher(dumpe2fs)
            .results()
            .map(match -> Integer.parseInt(match.group(1)))
            .toList();
    return bitmaps.get(random.nextInt(bitmaps.size())) * 1024L + random.nextInt(64);
  }

  @Test
  @DisplayName("O33: a file system that is not clean is refused")
  void whatCannotBeBelievedIsRefused() throws IOException {
    make("-t ext4 -b 1024 -O ^metadata_csum");
    assertRefused(set("feature needs_recovery"), "the journal must be replayed");
    make("-t ext4 -b 1024 -O ^metadata_csum");
    assertRefused(set("state 0"), "not cleanly unmounted");
    assertRefused(set("state 3"), "the file system has errors");
    assertRefused(set("state 1"), "");
    assertRefused(set("error_count 2"), "the file system has errors");
    make("-t ext4 -b 1024 -O ^metadata_csum");
    // MMP, compression: bits of incompat that are not known.
    SimDisk unknown = disk();
    unknown.flipBit(1024 + 0x61, 0);
    assertRefused(unknown, "features that are not known: incompat 0x100");
    make("-t ext4 -b 1024");
    SimDisk torn = disk();
    torn.flipBit(1024 + 0x10, 0);
    assertRefused(torn, "superblock has checksum");
    assertRefused(new SimDisk(1 << 20), "no ext2, ext3 or ext4 file system");
    SimDisk cut = disk().resized(20 << 20);
    assertRefused(cut, "the device only 20971520 bytes");
  }

  private SimDisk set(String words) throws IOException {
    debugfs(words.startsWith("feature") ? words + "\n" : "set_super_value " + words + "\n");
    return disk();
  }

  private static void assertRefused(SimDisk disk, String why) {
    if (why.isEmpty()) {
      assertThatCode(() -> ExtFreeSpace.read(disk)).doesNotThrowAnyException();
    } else {
      assertThatThrownBy(() -> ExtFreeSpace.read(disk))
          .isInstanceOf(FormatException.class)
          .hasMessageContaining(why);
    }
  }
}
