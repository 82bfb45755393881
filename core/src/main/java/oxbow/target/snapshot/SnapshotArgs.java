package oxbow.target.snapshot;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import oxbow.block.BlockDevice;
import oxbow.block.Sectors;
import oxbow.format.snapshot.StoreHeader;
import oxbow.target.TargetException;
import oxbow.target.Words;

/**
 * The words of a snapshot's or a snapshot-merge's table line (C1 to C5, C7). {@link #parse} and
 * {@link #toTableLine} are inverse. Whatever a kernel refuses is refused, but for lines with the
 * feature that is our own, {@code warn_at}.
 *
 * @param store called COW device in device-mapper's sentences
 * @param chunkSectors power of two, 1 to 2097152; 0 means the default, and never comes with N
 * @param discardZeroesCow discards write zeros over chunks of the store (D2)
 * @param discardPassdownOrigin discards go to the origin as well (D3); only with the former
 * @param warnAtPercent 1 to 99; 0 when the line says nothing
 */
public record SnapshotArgs(
    String origin,
    String store,
    StoreKind kind,
    long chunkSectors,
    boolean discardZeroesCow,
    boolean discardPassdownOrigin,
    int warnAtPercent) {

  private static final String DISCARD_ZEROES_COW = "discard_zeroes_cow";
  private static final String DISCARD_PASSDOWN_ORIGIN = "discard_passdown_origin";

  /** An event is raised when so much of the store is allocated: {@code warn_at:<percent>}. */
  public static final String WARN_AT = "warn_at:";

  /** The mark of a line that names none. */
  public static final int DEFAULT_WARN_PERCENT = 80;

  /** A mark of 100 would come too late. */
  public static final int MAX_WARN_PERCENT = 99;

  /** The kernel's; one more where the line has the feature that it does not know. */
  private static final int MAX_FEATURES = 2;

  private static final int FIXED_WORDS = 4;

  /** Every mistake in kind and chunk size but one has this sentence (C2). */
  private static final String NO_STORE = "Couldn't create exception store";

  private record Features(boolean zeroesCow, boolean passdownOrigin, int warnAtPercent) {}

  /**
   * Checks the words after the target's name as far as a kernel does before it opens the devices
   * (C1, C4).
   *
   * @throws TargetException with device-mapper's sentence
   */
  public static void checkCountAndFeatures(List<String> words) throws TargetException {
    parseFeatures(words);
  }

  /**
   * Whether the origin will have discards, and so has to be opened for writing (C6, D3).
   *
   * @throws TargetException as {@link #checkCountAndFeatures}
   */
  static boolean passesDiscardsDown(List<String> words) throws TargetException {
    return parseFeatures(words).passdownOrigin;
  }

  /**
   * Reads the words after the target's name in a table line.
   *
   * @throws TargetException with device-mapper's sentence, then the value and what is allowed
   */
  public static SnapshotArgs parse(List<String> words) throws TargetException {
    Features features = parseFeatures(words);
    StoreKind kind = parseKind(words.get(2));
    return new SnapshotArgs(
        words.get(0),
        words.get(1),
        kind,
        parseChunkSize(words.get(3), kind),
        features.zeroesCow,
        features.passdownOrigin,
        features.warnAtPercent);
  }

  private static Features parseFeatures(List<String> words) throws TargetException {
    if (words.size() < FIXED_WORDS) {
      throw new TargetException("requires 4 or more arguments: " + words.size() + " given");
    }
    Words reader = new Words(words.subList(FIXED_WORDS, words.size()));
    boolean zeroesCow = false;
    boolean passdownOrigin = false;
    int warnAt = 0;
    for (long left = featureCount(words, reader); left > 0; left--) {
      String word = reader.next();
      String feature = word.toLowerCase(Locale.ROOT);
      if (feature.equals(DISCARD_ZEROES_COW)) {
        zeroesCow = true;
      } else if (feature.equals(DISCARD_PASSDOWN_ORIGIN)) {
        passdownOrigin = true;
      } else if (feature.startsWith(WARN_AT)) {
        warnAt = parsePercent(word);
      } else {
        throw new TargetException("Unrecognised feature requested: " + word);
      }
    }
    if (passdownOrigin && !zeroesCow) {
      throw new TargetException("discard_passdown_origin feature depends on discard_zeroes_cow");
    }
    return new Features(zeroesCow, passdownOrigin, warnAt);
  }

  /** The count that stands before the features; 0 where the line ends before it. */
  private static long featureCount(List<String> words, Words reader) throws TargetException {
    if (reader.left() == 0) {
      return 0;
    }
    boolean hasOurs = words.stream().skip(FIXED_WORDS + 1).anyMatch(word -> isOurs(word));
    String sentence = "Invalid number of feature arguments";
    long count = reader.nextNumber(MAX_FEATURES + (hasOurs ? 1 : 0), sentence);
    if (count > reader.left()) {
      throw new TargetException(sentence + ": " + count + ", but " + reader.left() + " follow");
    }
    return count;
  }

  private static boolean isOurs(String word) {
    return word.toLowerCase(Locale.ROOT).startsWith(WARN_AT);
  }

  private static int parsePercent(String word) throws TargetException {
    long percent = Words.number(word.substring(WARN_AT.length()));
    if (percent < 1 || percent > MAX_WARN_PERCENT) {
      throw new TargetException(
          "Unrecognised feature requested: %s (1 to %d are allowed)"
              .formatted(word, MAX_WARN_PERCENT));
    }
    return (int) percent;
  }

  /** C2: one letter, in any case; behind P an O with anything behind it. */
  private static StoreKind parseKind(String word) throws TargetException {
    String upper = word.toUpperCase(Locale.ROOT);
    if (upper.startsWith("N")) {
      return StoreKind.TRANSIENT;
    }
    if (upper.equals("P")) {
      return StoreKind.PERSISTENT;
    }
    if (upper.startsWith("PO")) {
      return StoreKind.PERSISTENT_OVERFLOW;
    }
    throw new TargetException(NO_STORE + ": type " + word + " (P, PO and N are allowed)");
  }

  private static long parseChunkSize(String word, StoreKind kind) throws TargetException {
    long sectors = Words.number(word);
    if (sectors < 0 || sectors > Words.MAX_U32) {
      throw new TargetException(NO_STORE + ": Invalid chunk size: " + word);
    }
    if (sectors == 0) {
      if (!kind.isPersistent()) {
        throw new TargetException("Chunk size not set: N has no default");
      }
      return 0;
    }
    checkSize(sectors);
    return sectors;
  }

  private static void checkSize(long sectors) throws TargetException {
    String allowed =
        ": %d sectors (1 to %d are allowed)".formatted(sectors, StoreHeader.MAX_CHUNK_SECTORS);
    if (Long.bitCount(sectors) != 1) {
      throw new TargetException(NO_STORE + ": Chunk size is not a power of 2" + allowed);
    }
    if (sectors > StoreHeader.MAX_CHUNK_SECTORS) {
      throw new TargetException(NO_STORE + ": Chunk size is too high" + allowed);
    }
  }

  /**
   * C3: the same for a chunk size that stands in a store's header, and what the devices demand.
   *
   * @param originBlockBytes logical block size
   * @param storeBlockBytes logical block size
   */
  static void checkChunkSize(long chunkSectors, int originBlockBytes, int storeBlockBytes)
      throws TargetException {
    checkSize(chunkSectors);
    long chunkBytes = Sectors.toBytes(chunkSectors);
    int blockBytes = Math.max(originBlockBytes, storeBlockBytes);
    if (chunkBytes % blockBytes != 0) {
      throw new TargetException(
          "%s: Chunk size is not a multiple of device blocksize: %d bytes, blocks of %d"
              .formatted(NO_STORE, chunkBytes, blockBytes));
    }
  }

  /**
   * C5: a store on its own origin would save each chunk over another one. Equal addresses are one
   * device, but for those in memory, which are made when they are opened.
   */
  static void checkDifferent(BlockDevice origin, BlockDevice store) throws TargetException {
    String address = origin.address();
    boolean namesOne = address.equals(store.address()) && !address.startsWith("mem:");
    if (origin == store || namesOne) {
      throw new TargetException(
          "COW device cannot be the same as origin device: " + origin.address());
    }
  }

  /** C7: there is nothing to merge once a transient store's device is gone. */
  void checkMergeable() throws TargetException {
    if (!kind.isPersistent()) {
      throw new TargetException("Snapshot exception store does not support snapshot-merge.");
    }
  }

  /** What follows the target's name in a table line; the chunk size in it is never 0. */
  public String toTableLine(long effectiveChunkSectors) {
    List<String> features = new ArrayList<>();
    if (discardZeroesCow) {
      features.add(DISCARD_ZEROES_COW);
    }
    if (discardPassdownOrigin) {
      features.add(DISCARD_PASSDOWN_ORIGIN);
    }
    if (warnAtPercent > 0) {
      features.add(WARN_AT + warnAtPercent);
    }
    String line = "%s %s %s %d".formatted(origin, store, kind.word(), effectiveChunkSectors);
    return features.isEmpty()
        ? line
        : line + " " + features.size() + " " + String.join(" ", features);
  }

  /** At how much of the store allocated an event is raised. */
  int warnPercent() {
    return warnAtPercent == 0 ? DEFAULT_WARN_PERCENT : warnAtPercent;
  }

  /** The chunk size of a new store: where the line leaves it open, 32, or one block if larger. */
  long chunkSectors(int storeBlockBytes) {
    return chunkSectors == 0
        ? Math.max(StoreHeader.DEFAULT_CHUNK_SECTORS, Sectors.fromBytes(storeBlockBytes))
        : chunkSectors;
  }
}
