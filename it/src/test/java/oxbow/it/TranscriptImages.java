package oxbow.it;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.Consumer;
import oxbow.format.Le;
import oxbow.format.clone.CloneSuperblock;
import oxbow.format.pdata.BlockKind;

/**
 * The disks of {@code it/oracle/transcripts}, damaged ones among them, as {@code
 * it/oracle/tools/make-transcripts} makes them.
 */
final class TranscriptImages {
  private static final int KIB = 1 << 10;
  private static final int MIB = 1 << 20;
  private static final int CLONE_XOR = 257649492;
  private static final int ORIGIN_SEED = 0x4F;
  private static final int ORIGIN_SECTORS = 16384;

  /** In a node of a B-tree: how many keys lie before the values, and where they begin. */
  private static final int NODE_MAX_ENTRIES_OFFSET = 20;

  private static final int NODE_HEADER_BYTES = 32;
  private static final long STORE_MAGIC = 0x70416E53;

  private final Path directory;

  private TranscriptImages(Path directory) {
    this.directory = directory;
  }

  /** All that a clone's script uses but for damaged metadata, which is made of good. */
  static void forClone(Path directory) throws IOException {
    new TranscriptImages(directory).forClone();
  }

  static void forSnapshot(Path directory) throws IOException {
    new TranscriptImages(directory).forSnapshot();
  }

  private void image(String name, int sizeBytes, byte[] data) throws IOException {
    Path image = Images.sparse(directory.resolve(name), sizeBytes);
    try (var file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(0);
      file.setLength(sizeBytes);
      file.write(data, 0, Math.min(data.length, sizeBytes));
    }
  }

  private void forClone() throws IOException {
    image("meta", 4 * MIB, new byte[0]);
    image("dest", 8 * MIB, new byte[0]);
    image("source", 8 * MIB, new byte[0]);
    image("small", 4 * MIB, new byte[0]);
    image("tiny", 8 * KIB, new byte[0]);
  }

  private void forSnapshot() throws IOException {
    image("origin", 8 * MIB, SectorPattern.bytes(0, ORIGIN_SECTORS, ORIGIN_SEED));
    image("cow", 2 * MIB, new byte[0]);
    image("cow2", 2 * MIB, new byte[0]);
    image("tiny", 64 * KIB, new byte[0]);
    store("badmagic", 0x70416E54, 1, 1, 8, 0, 2);
    store("badversion", STORE_MAGIC, 1, 2, 8, 0, 2);
    store("invalid", STORE_MAGIC, 0, 1, 8, 0, 2);
    store("badchunk", STORE_MAGIC, 1, 1, 12);
    store("hugechunk", STORE_MAGIC, 1, 1, 0x8000_0000L);
    store("zerochunk", STORE_MAGIC, 1, 1, 0);
    store("badexception", STORE_MAGIC, 1, 1, 8, 0, 100_000, 100_000, 3);
    store("selfexception", STORE_MAGIC, 1, 1, 8, 0, 2, 0, 3, 10, 1);
    byte[] garbage = new byte[4 * KIB];
    Arrays.fill(garbage, (byte) 0xAA);
    image("garbage", 2 * MIB, garbage);
  }

  private void store(
      String name, long magic, long valid, long version, long chunk, long... exceptions)
      throws IOException {
    byte[] bytes = new byte[4 * KIB + exceptions.length * Long.BYTES];
    Le.putU32(bytes, 0, magic);
    Le.putU32(bytes, 4, valid);
    Le.putU32(bytes, 8, version);
    Le.putU32(bytes, 12, chunk);
    for (int i = 0; i < exceptions.length; i++) {
      Le.putU64(bytes, 4 * KIB + i * Long.BYTES, exceptions[i]);
    }
    image(name, 2 * MIB, bytes);
  }

  /** Makes the damaged ones out of metadata that a daemon has left. */
  static void damage(Path directory, byte[] good) throws IOException {
    TranscriptImages images = new TranscriptImages(directory);
    int root = Math.toIntExact(Le.getU64(good, CloneSuperblock.BITSET_ROOT_OFFSET)) * 4 * KIB;
    int maxEntries = (int) Le.getU32(good, root + NODE_MAX_ENTRIES_OFFSET);
    int values = root + NODE_HEADER_BYTES + maxEntries * Long.BYTES;
    int leaf = Math.toIntExact(Le.getU64(good, values)) * 4 * KIB;
    images.damaged("badcsum", good, image -> image[0] ^= 1);
    images.sealed("badmagic", good, CloneSuperblock.MAGIC_OFFSET, 0x65);
    images.sealed("badversion", good, CloneSuperblock.VERSION_OFFSET, 2);
    images.sealed("badblocknr", good, CloneSuperblock.BLOCK_NR_OFFSET, 1);
    images.sealed("badflags", good, CloneSuperblock.FLAGS_OFFSET, 1);
    images.damaged(
        "badroot",
        good,
        image -> {
          Le.putU64(image, CloneSuperblock.BITSET_ROOT_OFFSET, 5000);
          seal(image);
        });
    images.image("shrunk", 2 * MIB, good);
    images.image("grown", 8 * MIB, good);
    images.damaged(
        "garbage", new byte[good.length], image -> Arrays.fill(image, 0, 64 * KIB, (byte) 0xAA));
    images.damaged("badbitmap", good, image -> image[root] ^= 1);
    images.damaged("badarray", good, image -> image[leaf] ^= 1);
  }

  private void sealed(String name, byte[] good, int offset, int value) throws IOException {
    damaged(
        name,
        good,
        image -> {
          image[offset] = (byte) value;
          seal(image);
        });
  }

  private static void seal(byte[] image) {
    Le.putU32(image, CloneSuperblock.CHECKSUM_OFFSET, BlockKind.checksum(image, 0, CLONE_XOR));
  }

  private void damaged(String name, byte[] good, Consumer<byte[]> damage) throws IOException {
    byte[] image = good.clone();
    damage.accept(image);
    image(name, image.length, image);
  }
}
