package oxbow.target.clone;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import oxbow.block.Sectors;
import oxbow.target.TargetException;

/**
 * The words of a clone's table line (C1, C4 to C8). {@link #parse} and {@link #toTableLine} are
 * inverse: the words from the region size on are echoed exactly as given, surplus ones included.
 * Whatever a kernel refuses is refused, but for lines with the feature that is our own, {@code
 * hydrate_on_read}.
 *
 * @param regionSizeSectors power of two, 8 to 2097152
 * @param hydratesOnRead reads hydrate the regions they touch (O13)
 * @param hydrationThreshold unsigned 32 bit; 0 stops background hydration
 * @param hydrationBatchSize unsigned 32 bit; 0 means 1
 * @param tail the words from the region size on
 */
public record CloneArgs(
    String metadata,
    String destination,
    String source,
    long regionSizeSectors,
    boolean hasNoHydration,
    boolean hasNoDiscardPassdown,
    boolean hydratesOnRead,
    long hydrationThreshold,
    long hydrationBatchSize,
    List<String> tail) {

  public static final long MIN_REGION_SECTORS = 8;
  public static final long MAX_REGION_SECTORS = 2097152;
  public static final long MAX_REGIONS = 1L << 31;

  public static final String NO_HYDRATION = "no_hydration";
  public static final String NO_DISCARD_PASSDOWN = "no_discard_passdown";
  public static final String HYDRATE_ON_READ = "hydrate_on_read";
  static final String HYDRATION_THRESHOLD = "hydration_threshold";
  static final String HYDRATION_BATCH_SIZE = "hydration_batch_size";

  /** The kernel's; one more where the line has the feature that it does not know. */
  private static final int MAX_FEATURES = 2;

  private static final int MAX_CORE_ARGS = 4;
  private static final long MAX_U32 = 0xFFFFFFFFL;

  /**
   * Reads the words after "clone" in a table line.
   *
   * @throws TargetException with device-mapper's sentence, then the value and what is allowed
   */
  public static CloneArgs parse(List<String> words) throws TargetException {
    if (words.size() < 4) {
      throw new TargetException("Invalid number of arguments: " + words.size() + ", expected >= 4");
    }
    long region = parseRegionSize(words.get(3));
    Reader reader = new Reader(words, 4);
    boolean noHydration = false;
    boolean noDiscardPassdown = false;
    boolean onRead = false;
    int mostFeatures = MAX_FEATURES + (reader.hasAhead(HYDRATE_ON_READ) ? 1 : 0);
    for (int left = reader.group(mostFeatures, "feature"); left > 0; left--) {
      String word = reader.next();
      switch (word.toLowerCase(Locale.ROOT)) {
        case NO_HYDRATION -> noHydration = true;
        case NO_DISCARD_PASSDOWN -> noDiscardPassdown = true;
        case HYDRATE_ON_READ -> onRead = true;
        default -> throw new TargetException("Invalid feature argument: " + word);
      }
    }
    long threshold = 1;
    long batchSize = 1;
    int coreArgs = reader.group(MAX_CORE_ARGS, "core");
    if (coreArgs % 2 != 0) {
      throw new TargetException("Number of core arguments must be even: " + coreArgs);
    }
    for (int left = coreArgs; left > 0; left -= 2) {
      String key = reader.next();
      String value = reader.next();
      switch (key.toLowerCase(Locale.ROOT)) {
        case HYDRATION_THRESHOLD -> threshold = parseValue(HYDRATION_THRESHOLD, value);
        case HYDRATION_BATCH_SIZE -> batchSize = parseValue(HYDRATION_BATCH_SIZE, value);
        default -> throw new TargetException("Invalid core argument: " + key);
      }
    }
    return new CloneArgs(
        words.get(0),
        words.get(1),
        words.get(2),
        region,
        noHydration,
        noDiscardPassdown,
        onRead,
        threshold,
        batchSize,
        List.copyOf(words.subList(3, words.size())));
  }

  /** The words of such a line, put together from values; reads hydrate nothing. */
  public static CloneArgs of(
      String metadata,
      String destination,
      String source,
      long regionSizeSectors,
      boolean noHydration,
      boolean noDiscardPassdown,
      long threshold,
      long batchSize)
      throws TargetException {
    List<String> features = new ArrayList<>();
    if (noHydration) {
      features.add(NO_HYDRATION);
    }
    if (noDiscardPassdown) {
      features.add(NO_DISCARD_PASSDOWN);
    }
    return of(metadata, destination, source, regionSizeSectors, features, threshold, batchSize);
  }

  /** The words of such a line, put together from values and the words of features. */
  public static CloneArgs of(
      String metadata,
      String destination,
      String source,
      long regionSizeSectors,
      List<String> features,
      long threshold,
      long batchSize)
      throws TargetException {
    List<String> words = new ArrayList<>(List.of(metadata, destination, source));
    words.add(Long.toString(regionSizeSectors));
    words.add(Integer.toString(features.size()));
    words.addAll(features);
    if (threshold != 1 || batchSize != 1) {
      words.addAll(
          List.of(
              "4",
              HYDRATION_THRESHOLD,
              Long.toString(threshold),
              HYDRATION_BATCH_SIZE,
              Long.toString(batchSize)));
    }
    return parse(words);
  }

  /** What follows "clone" in a table line. */
  public String toTableLine() {
    return metadata + " " + destination + " " + source + " " + String.join(" ", tail);
  }

  /** Region size in bytes. */
  public long regionBytes() {
    return Sectors.toBytes(regionSizeSectors);
  }

  /** An unsigned 32-bit decimal value, or -1. */
  static long parseU32(String word) {
    if (word.isEmpty() || word.length() > 10 || !word.chars().allMatch(c -> c >= '0' && c <= '9')) {
      return -1;
    }
    long value = Long.parseLong(word);
    return value <= MAX_U32 ? value : -1;
  }

  private static long parseValue(String key, String value) throws TargetException {
    long number = parseU32(value);
    if (number < 0) {
      throw new TargetException("Invalid value for argument `" + key + "': " + value);
    }
    return number;
  }

  /** Checks a region size as the table line and the command line give it, in sectors. */
  static long parseRegionSize(String word) throws TargetException {
    long sectors = parseU32(word);
    String allowed = " (" + MIN_REGION_SECTORS + " to " + MAX_REGION_SECTORS + " are allowed)";
    if (sectors < MIN_REGION_SECTORS || sectors > MAX_REGION_SECTORS) {
      throw new TargetException("Invalid region size: " + word + " sectors" + allowed);
    }
    if (Long.bitCount(sectors) != 1) {
      throw new TargetException(
          "Region size is not a power of 2: " + sectors + " sectors" + allowed);
    }
    return sectors;
  }

  /** The words from some index on; groups begin with their count. */
  private static final class Reader {
    private final List<String> words;
    private int at;

    Reader(List<String> words, int start) {
      this.words = words;
      this.at = start;
    }

    /** The count of a group of optional words; 0 when the line ends here. */
    int group(int most, String name) throws TargetException {
      if (at == words.size()) {
        return 0;
      }
      String word = words.get(at++);
      long count = parseU32(word);
      if (count < 0 || count > most || count > words.size() - at) {
        throw new TargetException("Invalid number of " + name + " arguments: " + word);
      }
      return (int) count;
    }

    /** Whether a word, in whatever case, comes anywhere after this. */
    boolean hasAhead(String wanted) {
      return words.subList(at, words.size()).stream().anyMatch(wanted::equalsIgnoreCase);
    }

    String next() {
      return words.get(at++);
    }
  }
}
