package oxbow.target.flakey;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import oxbow.block.Errno;
import oxbow.block.Operation;
import oxbow.target.TargetException;
import oxbow.target.Words;

/** The feature words of a flakey's table line, the kernel's and then Oxbow's own. */
final class FaultWords {
  private static final String DROP_WRITES = "drop_writes";
  private static final String ERROR_WRITES = "error_writes";
  private static final String CORRUPT_BIO_BYTE = "corrupt_bio_byte";
  private static final String ERROR_READS = "error_reads";
  private static final String HANG = "hang";
  private static final String SHORT_READS = "short_reads";
  private static final String OPERATIONS = "operations";
  private static final String RANGE = "range";
  private static final String ERRNO = "errno";
  private static final String PROBABILITY = "probability";

  private static final int MAX_WORDS = 32;

  private static final Map<String, Operation> OPERATION_WORDS =
      Map.of(
          "read", Operation.READ,
          "write", Operation.WRITE,
          "flush", Operation.FLUSH,
          "discard", Operation.DISCARD);

  private static final Map<String, Integer> ERRORS =
      Map.of(
          "EIO", Errno.EIO,
          "ENOSPC", Errno.ENOSPC,
          "EDQUOT", Errno.EDQUOT,
          "EPERM", Errno.EPERM,
          "EROFS", Errno.EROFS,
          "ENOMEM", Errno.ENOMEM,
          "ETIMEDOUT", Errno.ETIMEDOUT);

  private final Words reader;
  private final Set<String> seen = new HashSet<>();
  private Faults.@Nullable Corruption corruption;
  private Set<Operation> operations = EnumSet.copyOf(OPERATION_WORDS.values());
  private long rangeStart;
  private long rangeLength = Long.MAX_VALUE;
  private int errno = Errno.EIO;
  private Faults.@Nullable Share share;

  private FaultWords(Words reader) {
    this.reader = reader;
  }

  /** Reads the group of features; none when the line has ended. */
  static Faults parse(Words reader) throws TargetException {
    return new FaultWords(reader).parse();
  }

  private Faults parse() throws TargetException {
    if (reader.left() > 0) {
      String sentence = "Invalid number of feature args";
      long count = reader.nextNumber(MAX_WORDS, sentence);
      if (count > reader.left()) {
        throw new TargetException(sentence + ": " + count);
      }
      long leftAfter = reader.left() - count;
      while (reader.left() > leftAfter) {
        parseFeature(reader.next().toLowerCase(Locale.ROOT), reader.left() > leftAfter);
      }
    }
    checkTogether();
    return new Faults(
        seen.contains(DROP_WRITES),
        seen.contains(ERROR_WRITES),
        seen.contains(ERROR_READS),
        corruption,
        seen.contains(HANG),
        seen.contains(SHORT_READS),
        operations,
        rangeStart,
        rangeLength,
        errno,
        share);
  }

  private void parseFeature(String name, boolean hasMore) throws TargetException {
    switch (name) {
      case DROP_WRITES -> {
        add(name);
        refuseWith(ERROR_WRITES, name);
      }
      case ERROR_WRITES -> {
        add(name);
        refuseWith(DROP_WRITES, name);
      }
      case ERROR_READS, HANG, SHORT_READS -> add(name);
      case CORRUPT_BIO_BYTE -> corruption = parseCorruption(hasMore);
      case OPERATIONS -> {
        add(name);
        operations = parseOperations(word("operations"));
      }
      case RANGE -> {
        add(name);
        rangeStart = reader.nextNumber(Long.MAX_VALUE, "Invalid range start");
        rangeLength = reader.nextNumber(Long.MAX_VALUE, "Invalid range length");
      }
      case ERRNO -> {
        add(name);
        String word = word("error name");
        Integer number = ERRORS.get(word.toUpperCase(Locale.ROOT));
        if (number == null) {
          throw new TargetException("Invalid error name: " + word);
        }
        errno = number;
      }
      case PROBABILITY -> {
        add(name);
        share = parseShare(word("probability"));
      }
      default -> throw new TargetException("Unrecognised flakey feature requested: " + name);
    }
  }

  private void add(String name) throws TargetException {
    if (!seen.add(name)) {
      throw new TargetException("Feature " + name + " duplicated");
    }
  }

  private void refuseWith(String other, String name) throws TargetException {
    if (seen.contains(other)) {
      throw new TargetException("Feature " + name + " conflicts with feature " + other);
    }
  }

  private String word(String what) throws TargetException {
    if (reader.left() == 0) {
      throw new TargetException("Invalid " + what);
    }
    return reader.next();
  }

  private Faults.Corruption parseCorruption(boolean hasMore) throws TargetException {
    if (!hasMore) {
      throw new TargetException("Feature corrupt_bio_byte requires parameters");
    }
    long position = reader.nextNumber(Words.MAX_U32, "Invalid corrupt bio byte");
    if (position == 0) {
      throw new TargetException("Invalid corrupt bio byte: 0");
    }
    String direction = reader.left() == 0 ? "" : reader.next().toLowerCase(Locale.ROOT);
    if (!direction.equals("r") && !direction.equals("w")) {
      throw new TargetException("Invalid corrupt bio direction (r or w)");
    }
    long value = reader.nextNumber(255, "Invalid corrupt value to write into bio byte (0-255)");
    long mask = reader.nextNumber(Words.MAX_U32, "Invalid corrupt bio flags mask");
    return new Faults.Corruption(position, direction.equals("w"), (int) value, mask);
  }

  private static Set<Operation> parseOperations(String word) throws TargetException {
    Set<Operation> found = EnumSet.noneOf(Operation.class);
    for (String name : word.split("\\+", -1)) {
      Operation operation = OPERATION_WORDS.get(name);
      if (operation == null) {
        throw new TargetException("Invalid operations (read+write+flush+discard): " + word);
      }
      found.add(operation);
    }
    return found;
  }

  private Faults.Share parseShare(String word) throws TargetException {
    double percent;
    try {
      percent = Double.parseDouble(word);
    } catch (NumberFormatException notANumber) {
      percent = 0;
    }
    if (!(percent > 0 && percent <= 100)) {
      throw new TargetException("Invalid probability (percent, above 0, at most 100): " + word);
    }
    return new Faults.Share(percent, reader.nextNumber(Long.MAX_VALUE, "Invalid seed"));
  }

  private void checkTogether() throws TargetException {
    if (corruption == null) {
      return;
    }
    for (String name : List.of(DROP_WRITES, ERROR_WRITES)) {
      if (corruption.ofWrites() && seen.contains(name)) {
        throw new TargetException(
            name + " is incompatible with corrupt_bio_byte with the WRITE flag set");
      }
    }
    if (!corruption.ofWrites() && seen.contains(ERROR_READS)) {
      throw new TargetException(
          "error_reads is incompatible with corrupt_bio_byte with the READ flag set");
    }
  }

  /** The words that parse to these faults, in the kernel's order, then ours. */
  static List<String> of(Faults faults) {
    List<String> words = new ArrayList<>();
    addIf(words, faults.dropsWrites(), DROP_WRITES);
    addIf(words, faults.failsWrites(), ERROR_WRITES);
    Faults.Corruption byteOf = faults.corruption();
    if (byteOf != null) {
      String direction = byteOf.ofWrites() ? "w" : "r";
      words.addAll(List.of(CORRUPT_BIO_BYTE, Long.toString(byteOf.position()), direction));
      words.addAll(List.of(Integer.toString(byteOf.value()), Long.toString(byteOf.flagsMask())));
    }
    addIf(words, faults.failsReads(), ERROR_READS);
    addIf(words, faults.hangs(), HANG);
    addIf(words, faults.hasShortReads(), SHORT_READS);
    if (faults.operations().size() < OPERATION_WORDS.size()) {
      List<String> names =
          faults.operations().stream().map(each -> each.name().toLowerCase(Locale.ROOT)).toList();
      words.addAll(List.of(OPERATIONS, String.join("+", names)));
    }
    if (faults.rangeStartSectors() != 0 || faults.rangeSectors() != Long.MAX_VALUE) {
      words.add(RANGE);
      words.add(Long.toString(faults.rangeStartSectors()));
      words.add(Long.toString(faults.rangeSectors()));
    }
    if (faults.errno() != Errno.EIO) {
      words.addAll(List.of(ERRNO, errorName(faults.errno())));
    }
    Faults.Share part = faults.share();
    if (part != null) {
      words.addAll(List.of(PROBABILITY, percent(part.percent()), Long.toString(part.seed())));
    }
    return words;
  }

  private static void addIf(List<String> words, boolean isGiven, String word) {
    if (isGiven) {
      words.add(word);
    }
  }

  private static String errorName(int errno) {
    return ERRORS.entrySet().stream()
        .filter(each -> each.getValue() == errno)
        .map(Map.Entry::getKey)
        .findFirst()
        .orElseThrow();
  }

  /** A whole number without a fraction. */
  private static String percent(double percent) {
    return percent == Math.rint(percent) ? Long.toString((long) percent) : Double.toString(percent);
  }
}
