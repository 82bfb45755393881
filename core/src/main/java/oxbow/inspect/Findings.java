package oxbow.inspect;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import oxbow.format.Fault;
import oxbow.format.FormatException;
import oxbow.pdata.BlockManager;

/**
 * What a check has found so far: problems, warnings, and which block is used for what how often.
 */
final class Findings {
  /** What a block is used for. */
  enum Use {
    SUPERBLOCK("superblock"),
    BITSET_NODE("bitset-node"),
    ARRAY_BLOCK("array-block"),
    REF_COUNT_NODE("refcount-node"),
    INDEX("index-block"),
    BITMAP("bitmap-block");

    final String word;

    Use(String word) {
      this.word = word;
    }
  }

  /** A block and how one comes to it. */
  record Path(long blockNr, @Nullable Path parent) {
    static final Path SUPERBLOCK = new Path(0, null);

    Path child(long childNr) {
      return new Path(childNr, this);
    }

    List<Long> blockNrs() {
      List<Long> numbers = new ArrayList<>();
      for (Path path = this; path != null; path = path.parent) {
        numbers.addFirst(path.blockNr);
      }
      return List.copyOf(numbers);
    }
  }

  /** Receives blocks that could be read. */
  interface BlockVisitor {
    /**
     * @param index in the list that was asked for
     */
    void block(int index, byte[] bytes, int at);
  }

  private static final int MAX_WARNINGS = 200;

  private final BlockManager blocks;
  private final int maxProblems;
  final List<Problem> problems = new ArrayList<>();
  final List<String> warnings = new ArrayList<>();
  long unlistedProblemCount;

  /** Blocks the space map covers; nothing in use may lie beyond. */
  private int blockCount;

  /** References found, by block. */
  private int[] references = {};

  /** The blocks of each use; of a block only the first use found. */
  private final Map<Use, BitSet> blocksByUse = new EnumMap<>(Use.class);

  Findings(BlockManager blocks, int maxProblems) {
    this.blocks = blocks;
    this.maxProblems = maxProblems;
  }

  /** To be called before the first block is used. */
  void setBlockCount(long count) {
    blockCount = Math.toIntExact(count);
    references = new int[blockCount];
  }

  void problem(Fault fault, Path path, String what) {
    if (problems.size() < maxProblems) {
      problems.add(new Problem(fault, what, path.blockNr, path.blockNrs()));
    } else {
      unlistedProblemCount++;
    }
  }

  void problem(FormatException found, Path path) {
    problem(found.fault(), path, String.valueOf(found.getMessage()));
  }

  void warn(String what) {
    if (warnings.size() < MAX_WARNINGS) {
      warnings.add(what);
    }
  }

  int references(long blockNr) {
    return references[(int) blockNr];
  }

  /** What a block is used for, for messages; empty if for nothing. */
  Optional<String> useOf(long blockNr) {
    return blocksByUse.entrySet().stream()
        .filter(entry -> entry.getValue().get((int) blockNr))
        .map(entry -> entry.getKey().word)
        .findFirst();
  }

  /** How many blocks are used for what. */
  Map<String, Long> useCounts() {
    Map<String, Long> byWord = new TreeMap<>();
    blocksByUse.forEach((use, found) -> byWord.put(use.word, (long) found.cardinality()));
    return byWord;
  }

  /** Counts one reference; returns whether the block is to be looked at. */
  boolean use(Path path, Use use) {
    long blockNr = path.blockNr;
    if (blockNr < 0 || blockNr >= blockCount) {
      problem(
          Fault.RANGE,
          path,
          "%s: block number %s is outside the space map of %d blocks"
              .formatted(use.word, Long.toUnsignedString(blockNr), blockCount));
      return false;
    }
    int index = (int) blockNr;
    references[index]++;
    Optional<String> usedAs = useOf(blockNr);
    if (usedAs.isPresent()) {
      problem(
          Fault.DOUBLE_USE, path, use.word + ": block is in use as " + usedAs.get() + " already");
      return false;
    }
    blocksByUse.computeIfAbsent(use, key -> new BitSet()).set(index);
    if (blockNr >= blocks.blockCount()) {
      problem(
          Fault.RANGE,
          path,
          use.word + ": block lies past the end of the device of " + blocks.blockCount());
      return false;
    }
    return true;
  }

  /**
   * Counts a reference to each block and reads those that are to be looked at, in large reads; one
   * by one where that fails, so that a bad sector costs one block only.
   */
  void read(List<Path> paths, Use use, BlockVisitor visitor) {
    int[] wanted = IntStream.range(0, paths.size()).filter(i -> use(paths.get(i), use)).toArray();
    long[] blockNrs = Arrays.stream(wanted).mapToLong(i -> paths.get(i).blockNr).toArray();
    boolean[] wasRead = new boolean[blockNrs.length];
    try {
      blocks.readEach(
          blockNrs,
          blockNrs.length,
          (i, bytes, at) -> {
            wasRead[i] = true;
            visitor.block(wanted[i], bytes, at);
          });
    } catch (IOException e) {
      for (int i = 0; i < blockNrs.length; i++) {
        if (!wasRead[i]) {
          readOne(paths.get(wanted[i]), wanted[i], use, visitor);
        }
      }
    }
  }

  private void readOne(Path path, int index, Use use, BlockVisitor visitor) {
    try {
      visitor.block(index, blocks.read(path.blockNr), 0);
    } catch (IOException e) {
      problem(Fault.IO, path, use.word + ": " + e.getMessage());
    }
  }

  /** Whether part of an array is not all zeros. */
  static boolean hasData(byte[] bytes, int from, int to) {
    return Arrays.mismatch(bytes, from, to, new byte[to - from], 0, to - from) >= 0;
  }
}
