package oxbow.pdata;

import java.io.IOException;
import oxbow.format.Fault;
import oxbow.format.FormatException;
import oxbow.format.pdata.ArrayBlock;

/**
 * A bitset on disk: words in array blocks, which a B-tree finds by their index. Of the blocks only
 * the places are in memory.
 *
 * @see "docs/format/clone.md, Array blocks"
 */
public final class Bitset {
  private static final int PLACE_SIZE_BYTES = Long.BYTES;

  /** So many array blocks are read, changed and written together: 1 MiB. */
  private static final int BATCH_BLOCKS = 256;

  private final BlockManager blocks;
  private final SpaceMap space;
  private final Btree tree;
  private final int wordCount;

  /** Where each array block lies. */
  private final long[] places;

  // The array blocks that are to be changed next.
  private final int[] batchIndices = new int[BATCH_BLOCKS];
  private final long[][] batchWords = new long[BATCH_BLOCKS][];
  private final long[] batchPlaces = new long[BATCH_BLOCKS];
  private int batchCount;
  private int lastIndex = -1;
  private byte[] batchBytes = {};

  private Bitset(BlockManager blocks, SpaceMap space, Btree tree, long bitCount) {
    this.blocks = blocks;
    this.space = space;
    this.tree = tree;
    this.wordCount = Math.toIntExact((bitCount + Long.SIZE - 1) / Long.SIZE);
    this.places = new long[blockCount(bitCount)];
  }

  /** Array blocks of a bitset of so many bits. */
  public static int blockCount(long bitCount) {
    return Math.toIntExact((bitCount + ArrayBlock.BITS - 1) / ArrayBlock.BITS);
  }

  /** All bits 0. Blocks are allocated and written in the kernel's order. */
  public static Bitset create(BlockManager blocks, SpaceMap space, long bitCount)
      throws IOException {
    Btree tree = Btree.create(space.allocate(), PLACE_SIZE_BYTES);
    Bitset bitset = new Bitset(blocks, space, tree, bitCount);
    byte[] bytes = new byte[ArrayBlock.SIZE_BYTES];
    for (int i = 0; i < bitset.places.length; i++) {
      ArrayBlock.create(bitset.wordsOf(i)).encode(bytes, 0);
      bitset.places[i] = space.allocate();
      bitset.put(bytes, 0, bitset.places[i]);
      tree.append(space, i, bitset.places[i]);
    }
    return bitset;
  }

  /**
   * Reads the tree, and checks that it has all array blocks and that the space map counts every
   * block of it; the array blocks themselves are read by {@link #forEachBlock}.
   */
  public static Bitset load(BlockManager blocks, SpaceMap space, long rootPlace, long bitCount)
      throws IOException {
    Btree tree = Btree.load(blocks, rootPlace, PLACE_SIZE_BYTES);
    Bitset bitset = new Bitset(blocks, space, tree, bitCount);
    int[] found = {0};
    tree.forEach(
        (key, place) -> {
          if (key != found[0] || key >= bitset.places.length) {
            throw incomplete(rootPlace, found[0], bitset.places.length, "then comes " + key);
          }
          space.requireCounted(place, "array block");
          bitset.places[found[0]++] = place;
        });
    if (found[0] != bitset.places.length) {
      throw incomplete(rootPlace, found[0], bitset.places.length, "there are no more");
    }
    tree.forEachNode(place -> space.requireCountedOnce(place, "bitset node"));
    return bitset;
  }

  private static FormatException incomplete(long root, long found, long expected, String then) {
    return new FormatException(
        Fault.ARRAY,
        root,
        "array check failed: of %d array blocks the first %d are in order, %s"
            .formatted(expected, found, then));
  }

  /** Where the root of the tree lies, or will lie once the open transaction is committed. */
  public long rootPlace() {
    return tree.rootPlace();
  }

  /** Reads and checks all array blocks and hands them over, in the order of their places. */
  public void forEachBlock(ArrayVisitor visitor) throws IOException {
    blocks.readEach(
        places,
        places.length,
        (i, bytes, at) -> visitor.block(i, wordsOf(i), checked(i, bytes, at)));
  }

  /**
   * Sets bits of one array block; bits already set stay so. The words must not change before {@link
   * #write}.
   *
   * @param blockIndex above those of the calls before in the same transaction
   */
  public void or(int blockIndex, long[] words) throws IOException {
    if (blockIndex <= lastIndex) {
      throw new IllegalArgumentException("array block " + blockIndex + " after " + lastIndex);
    }
    lastIndex = blockIndex;
    if (batchCount == BATCH_BLOCKS) {
      writeBatch();
    }
    batchIndices[batchCount] = blockIndex;
    batchWords[batchCount] = words;
    batchPlaces[batchCount] = places[blockIndex];
    batchCount++;
  }

  /** Writes all that was changed, array blocks and nodes, to new places. */
  public void write() throws IOException {
    writeBatch();
    lastIndex = -1;
    tree.write(blocks, space);
  }

  private void writeBatch() throws IOException {
    if (batchBytes.length < batchCount * ArrayBlock.SIZE_BYTES) {
      batchBytes = new byte[batchCount * ArrayBlock.SIZE_BYTES];
    }
    blocks.readEach(
        batchPlaces,
        batchCount,
        (i, bytes, at) ->
            checked(batchIndices[i], bytes, at).encode(batchBytes, i * ArrayBlock.SIZE_BYTES));
    for (int i = 0; i < batchCount; i++) {
      int index = batchIndices[i];
      int at = i * ArrayBlock.SIZE_BYTES;
      ArrayBlock block = ArrayBlock.decode(batchBytes, at);
      for (int w = 0; w < wordsOf(index); w++) {
        block.setWord(w, block.word(w) | batchWords[i][w]);
      }
      space.release(places[index]);
      places[index] = space.allocate();
      put(batchBytes, at, places[index]);
      tree.setValue(index, places[index]);
    }
    batchCount = 0;
  }

  private void put(byte[] bytes, int at, long place) throws IOException {
    ArrayBlock.decode(bytes, at).seal(place);
    blocks.write(place, bytes, at);
  }

  private ArrayBlock checked(int index, byte[] bytes, int at) throws FormatException {
    ArrayBlock block = ArrayBlock.decode(bytes, at);
    block.check(places[index], wordsOf(index));
    return block;
  }

  private int wordsOf(int blockIndex) {
    return Math.min(ArrayBlock.WORDS, wordCount - blockIndex * ArrayBlock.WORDS);
  }

  /** Receives array blocks. */
  @FunctionalInterface
  public interface ArrayVisitor {
    /**
     * @param wordCount words in use
     * @param block valid during the call
     */
    void block(int blockIndex, int wordCount, ArrayBlock block) throws IOException;
  }
}
