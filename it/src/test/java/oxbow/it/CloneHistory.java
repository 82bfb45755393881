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
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import oxbow.block.Sectors;
import oxbow.target.clone.CloneMetadata;

/**
 * One clone that passes to and fro between a kernel and us, and what is known about it. A turn
 * consists of random changes and ends in order or by a crash; then nobody uses the clone, and it is
 * looked at from outside: the metadata by an independent checker, and each sector, taken from where
 * the metadata say it is.
 */
final class CloneHistory {
  /** So many regions are described by one array block of the metadata. */
  private static final int ARRAY_BLOCK_REGIONS = 509 * 64;

  private static final int PIECE_BYTES = 1 << 20;

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
    DISCARD,
    FLUSH,
    /** The background hydrates for a while. */
    HYDRATE
  }

  /** One change; sectors. */
  record Change(Kind kind, int first, int count, int stamp) {}

  final Random random;
  final SectorModel model;
  final Path source;
  final TestClone clone;
  final int regionSectors;
  final boolean hasPassdown;
  private final int[] sourceStamps;
  private final boolean isLarge;
  private int nextStamp = SectorPattern.SOURCE + 1;
  private BitSet hydrated = new BitSet();
  private String sha256 = "";

  /**
   * @param number which of the kinds of clones: region sizes, features, and how large
   */
  CloneHistory(Path directory, long seed, int number) throws IOException {
    random = new Random(seed);
    int[] regionSizes = {8, 16, 128, 8, 32};
    regionSectors = regionSizes[number % regionSizes.length];
    hasPassdown = number % 3 != 1;
    isLarge = number % regionSizes.length == 3;
    // The last region is a short one in most cases.
    int regions = isLarge ? ARRAY_BLOCK_REGIONS + 700 : 900 + random.nextInt(900);
    int sectors = regions * regionSectors + random.nextInt(regionSectors);
    source = directory.resolve("source.img");
    sourceStamps = makeSource(sectors);
    model = new SectorModel(sourceStamps);
    clone = new TestClone(directory, source);
  }

  /** Data and holes in turn; a large one has data here and there only. */
  private int[] makeSource(int sectors) throws IOException {
    int[] stamps = new int[sectors];
    int step = 512;
    try (RandomAccessFile file = new RandomAccessFile(source.toFile(), "rw")) {
      file.setLength(Sectors.toBytes(sectors));
      for (int first = 0; first < sectors; first += step) {
        if (isLarge ? first / step % 64 == 0 : first / step % 16 != 15) {
          int count = Math.min(step, sectors - first);
          Arrays.fill(stamps, first, first + count, SectorPattern.SOURCE);
          file.seek(Sectors.toBytes(first));
          file.write(SectorPattern.bytes(first, count, SectorPattern.SOURCE));
        }
      }
    }
    return stamps;
  }

  /** Destination and metadata as an administrator makes them for the kernel: all zeros. */
  void makeFilesForTheKernel() {
    long regions = Math.ceilDiv(sectors(), regionSectors);
    Images.sparse(clone.destination(), Sectors.toBytes(sectors()));
    Images.sparse(clone.metadata(), CloneMetadata.worstCaseBytes(regions));
  }

  int sectors() {
    return model.sectorCount();
  }

  /** Whether the background may hydrate: it is through with the holes of a large one at once. */
  boolean mayHydrateInBackground(int turn) {
    return (!isLarge && random.nextInt(8) == 0) || turn > 15;
  }

  End randomEnd() {
    return ENDS.get(random.nextInt(ENDS.size()));
  }

  Change randomChange() {
    int dice = random.nextInt(100);
    Kind kind =
        dice < 45
            ? Kind.WRITE
            : dice < 55
                ? Kind.DURABLE_WRITE
                : dice < 65
                    ? Kind.ZERO
                    : dice < 80 ? Kind.DISCARD : dice < 92 ? Kind.FLUSH : Kind.HYDRATE;
    return randomRange(kind);
  }

  /** A change that may be left in flight. */
  Change randomWrite() {
    return randomRange(random.nextInt(4) == 0 ? Kind.ZERO : Kind.WRITE);
  }

  private Change randomRange(Kind kind) {
    int count = 1 + random.nextInt(random.nextInt(5) == 0 ? 6 * regionSectors : regionSectors);
    int first = randomPlace();
    if (kind == Kind.DISCARD || random.nextInt(4) == 0) {
      first -= first % regionSectors;
      count = Math.ceilDiv(count, regionSectors) * regionSectors;
    }
    count = Math.min(count, sectors() - first);
    boolean isData = kind == Kind.WRITE || kind == Kind.DURABLE_WRITE;
    return new Change(kind, first, count, isData ? nextStamp++ : SectorPattern.ZERO);
  }

  /** Array blocks, the first and the last regions get their share. */
  private int randomPlace() {
    int place =
        switch (random.nextInt(6)) {
          case 0 -> random.nextInt(4 * regionSectors);
          case 1 -> sectors() - 1 - random.nextInt(4 * regionSectors);
          case 2 -> ARRAY_BLOCK_REGIONS * regionSectors - 100 + random.nextInt(200);
          default -> random.nextInt(sectors());
        };
    return place < sectors() ? place : random.nextInt(sectors());
  }

  /** Tells the model of a discard; only whole regions count (D1). */
  void discarded(Change change, boolean isPassedDown, boolean isOldDataRevealed) {
    int first = Math.ceilDiv(change.first(), regionSectors) * regionSectors;
    int end = (change.first() + change.count()) / regionSectors * regionSectors;
    if (first >= end) {
      return;
    }
    if (isPassedDown) {
      model.changed(first, end - first, SectorPattern.ZERO);
    } else if (isOldDataRevealed) {
      model.revealed(first, end - first);
    } else {
      // Hydrated regions stay as they are (D3).
      model.perhapsChanged(first, end - first, SectorPattern.ZERO);
    }
  }

  /** SHA-256 of the whole clone as it was last looked at. */
  String sha256() {
    return sha256;
  }

  /** Looks at the clone, which nobody uses, and fails if it is not what the turn has left. */
  void check(boolean isCrash) throws IOException {
    JsonNode report = Oracle.checkCloneMetadata(clone.metadata(), "--max-ranges", 0);
    assertThat(report.path("clean").asBoolean()).as("%s", report).isTrue();
    BitSet before = hydrated;
    hydrated = new BitSet();
    for (JsonNode range : report.path("hydrated_ranges")) {
      int first = range.path(0).asInt();
      hydrated.set(first, first + range.path(1).asInt());
    }
    assertThat(hydrated.cardinality()).isEqualTo(report.path("hydrated_regions").asInt());
    before.andNot(hydrated);
    assertThat(before.stream()).as("regions hydrated before, on disk, and not now").isEmpty();
    checkContent(isCrash);
  }

  private void checkContent(boolean isCrash) throws IOException {
    int[] found = new int[sectors()];
    MessageDigest digest = sha256Digest();
    try (FileChannel destination = open(clone.destination());
        FileChannel from = open(source)) {
      ByteBuffer copied = ByteBuffer.allocate(PIECE_BYTES);
      ByteBuffer original = ByteBuffer.allocate(PIECE_BYTES);
      int pieceSectors = PIECE_BYTES / Sectors.SIZE_BYTES;
      for (int first = 0; first < sectors(); first += pieceSectors) {
        int count = Math.min(pieceSectors, sectors() - first);
        fill(destination, copied, first, count);
        fill(from, original, first, count);
        for (int i = 0; i < count; i++) {
          ByteBuffer read = hydrated.get((first + i) / regionSectors) ? copied : original;
          int at = (int) Sectors.toBytes(i);
          found[first + i] = stamp(read, at, first + i, isCrash);
          digest.update(read.slice(at, Sectors.SIZE_BYTES));
        }
      }
    }
    model.found(found);
    sha256 = HexFormat.of().formatHex(digest.digest());
  }

  private int stamp(ByteBuffer read, int at, int sector, boolean isCrash) {
    int stamp = SectorPattern.stampOf(read, at, sector);
    if (!model.mayHold(sector, stamp, isCrash)) {
      throw new AssertionError(
          "sector %d, region %d, %s: holds %d, first word %016x; allowed are %s"
              .formatted(
                  sector,
                  sector / regionSectors,
                  hydrated.get(sector / regionSectors) ? "hydrated" : "not hydrated",
                  stamp,
                  read.getLong(at),
                  model.describe(sector)));
    }
    return stamp;
  }

  private static FileChannel open(Path image) throws IOException {
    return FileChannel.open(image, StandardOpenOption.READ);
  }

  private static void fill(FileChannel from, ByteBuffer into, int firstSector, int count)
      throws IOException {
    into.clear().limit((int) Sectors.toBytes(count));
    while (into.hasRemaining()) {
      assertThat(from.read(into, Sectors.toBytes(firstSector) + into.position())).isPositive();
    }
  }

  static MessageDigest sha256Digest() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  /** The disks of a guest that works on the clone. */
  List<Oracle.Disk> disks() {
    return List.of(
        Oracle.Disk.of("meta", clone.metadata()),
        Oracle.Disk.of("dest", clone.destination()),
        new Oracle.Disk("source", source, true));
  }
}
