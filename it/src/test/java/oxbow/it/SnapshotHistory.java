package oxbow.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import oxbow.block.Sectors;

/**
 * One snapshot with its origin that passes to and fro between a kernel and us, and what is known
 * about both. A turn consists of random changes to the two, or of a merge for a while, and ends in
 * order or by a crash; then nobody uses them, and they are looked at from outside: the store by an
 * independent checker, each sector of the snapshot taken from where the store says it is.
 */
final class SnapshotHistory {
  private static final int[] CHUNK_SIZES = {8, 1, 16, 64};
  private static final List<End> ENDS = List.of(End.values());

  /** How a turn ends. */
  enum End {
    IN_ORDER,
    CRASH,
    /** A crash with changes in flight. */
    CRASH_IN_FLIGHT
  }

  /** What is asked for. */
  enum Kind {
    WRITE,
    DURABLE_WRITE,
    ZERO,
    FLUSH
  }

  /** One change of a volume; sectors. */
  record Change(Volume volume, Kind kind, int first, int count, int stamp) {
    @Override
    public String toString() {
      return "%s of the %s %d+%d: %d".formatted(kind, volume.name, first, count, stamp);
    }
  }

  /** The snapshot, which is the merging device while it is merged, or its origin. */
  static final class Volume {
    final String name;
    final SectorModel model;
    String sha256 = "";

    private Volume(String name, int[] stamps) {
      this.name = name;
      this.model = new SectorModel(stamps);
    }
  }

  final Random random;
  final Volume snapshot;
  final Volume origin;
  final Path originImage;
  final TestSnapshot files;
  final int chunkSectors;
  private final int sectors;
  private int nextStamp = SectorPattern.SOURCE + 1;

  /**
   * @param number which of the chunk sizes
   */
  SnapshotHistory(Path directory, long seed, int number) throws IOException {
    random = new Random(seed);
    chunkSectors = CHUNK_SIZES[number % CHUNK_SIZES.length];
    // The last chunk is a short one in most cases.
    sectors = (400 + random.nextInt(400)) * chunkSectors + random.nextInt(chunkSectors);
    originImage = directory.resolve("origin.img");
    int[] stamps = makeOrigin();
    snapshot = new Volume("snapshot", stamps);
    origin = new Volume("origin", stamps);
    files = new TestSnapshot(directory, originImage);
  }

  /** Data and holes in turn. */
  private int[] makeOrigin() throws IOException {
    int[] stamps = new int[sectors];
    int step = 256;
    try (RandomAccessFile file = new RandomAccessFile(originImage.toFile(), "rw")) {
      file.setLength(Sectors.toBytes(sectors));
      for (int first = 0; first < sectors; first += 2 * step) {
        int count = Math.min(step, sectors - first);
        Arrays.fill(stamps, first, first + count, SectorPattern.SOURCE);
        file.seek(Sectors.toBytes(first));
        file.write(SectorPattern.bytes(first, count, SectorPattern.SOURCE));
      }
    }
    return stamps;
  }

  int sectors() {
    return sectors;
  }

  /** Room for all chunks several times, since crashes leave some unused. */
  long storeBytes() {
    return 4 * Sectors.toBytes(sectors) + (1 << 20);
  }

  /** A store as an administrator makes it for the kernel: all zeros. */
  void makeStoreForTheKernel() {
    Images.sparse(files.store(), storeBytes());
  }

  End randomEnd() {
    return ENDS.get(random.nextInt(ENDS.size()));
  }

  Change randomChange(Volume volume) {
    int dice = random.nextInt(100);
    return randomRange(
        volume,
        dice < 60
            ? Kind.WRITE
            : dice < 72 ? Kind.DURABLE_WRITE : dice < 85 ? Kind.ZERO : Kind.FLUSH);
  }

  /** A change that may be left in flight. */
  Change randomWrite(Volume volume) {
    return randomRange(volume, random.nextInt(4) == 0 ? Kind.ZERO : Kind.WRITE);
  }

  private Change randomRange(Volume volume, Kind kind) {
    int count = 1 + random.nextInt(random.nextInt(4) == 0 ? 12 * chunkSectors : 2 * chunkSectors);
    int first = randomPlace();
    if (random.nextInt(3) == 0) {
      first -= first % chunkSectors;
      count = Math.ceilDiv(count, chunkSectors) * chunkSectors;
    }
    count = Math.min(count, sectors - first);
    boolean isData = kind == Kind.WRITE || kind == Kind.DURABLE_WRITE;
    return new Change(volume, kind, first, count, isData ? nextStamp++ : SectorPattern.ZERO);
  }

  /** The first and the last chunks get their share, and so do chunks that others have changed. */
  private int randomPlace() {
    return switch (random.nextInt(5)) {
      case 0 -> random.nextInt(4 * chunkSectors);
      case 1 -> sectors - 1 - random.nextInt(4 * chunkSectors);
      case 2 -> random.nextInt(sectors);
      default -> random.nextInt(sectors / 4);
    };
  }

  /** Whether there is enough to merge for a turn that merges. */
  boolean canMerge() {
    return files.exceptions() > 30;
  }

  /** Looks at all that is there, and fails at the first sector that holds what it may not hold. */
  void check(boolean isCrash) throws IOException {
    JsonNode report = files.assertStoreIsSound();
    int[] storedIn = new int[Math.ceilDiv(sectors, chunkSectors)];
    for (JsonNode run : report.path("runs")) {
      for (int i = 0; i < run.path(2).asInt(); i++) {
        storedIn[run.path(0).asInt() + i] = run.path(1).asInt() + i;
      }
    }
    try (FileChannel inOrigin = open(originImage);
        FileChannel inStore = open(files.store())) {
      ByteBuffer old = read(inOrigin, sectors);
      ByteBuffer stored = read(inStore, (int) Sectors.fromBytes(inStore.size()));
      look(snapshot, isCrash, old, stored, storedIn);
      look(origin, isCrash, old, stored, new int[storedIn.length]);
    }
  }

  /** Where no chunk of the store is named, a sector is the origin's. */
  private void look(
      Volume volume, boolean isCrash, ByteBuffer old, ByteBuffer stored, int[] storedIn) {
    MessageDigest digest = CloneHistory.sha256Digest();
    int[] found = new int[sectors];
    for (int sector = 0; sector < sectors; sector++) {
      int chunk = storedIn[sector / chunkSectors];
      ByteBuffer from = chunk == 0 ? old : stored;
      int at =
          (int) Sectors.toBytes(chunk == 0 ? sector : chunk * chunkSectors + sector % chunkSectors);
      found[sector] = SectorPattern.stampOf(from, at, sector);
      if (!volume.model.mayHold(sector, found[sector], isCrash)) {
        throw new AssertionError(
            "sector %d of the %s, chunk %d, stored in %d: holds %d, first word %016x; allowed: %s"
                .formatted(
                    sector,
                    volume.name,
                    sector / chunkSectors,
                    chunk,
                    found[sector],
                    from.getLong(at),
                    volume.model.describe(sector)));
      }
      digest.update(from.slice(at, Sectors.SIZE_BYTES));
    }
    volume.model.found(found);
    volume.sha256 = HexFormat.of().formatHex(digest.digest());
  }

  private static FileChannel open(Path image) throws IOException {
    return FileChannel.open(image, StandardOpenOption.READ);
  }

  private static ByteBuffer read(FileChannel from, int count) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate((int) Sectors.toBytes(count));
    while (bytes.hasRemaining()) {
      assertThat(from.read(bytes, bytes.position())).isPositive();
    }
    return bytes;
  }

  /** The disks of a guest that works on both. */
  List<Oracle.Disk> disks() {
    return List.of(Oracle.Disk.of("origin", originImage), Oracle.Disk.of("store", files.store()));
  }
}
