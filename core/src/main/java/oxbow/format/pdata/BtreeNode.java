package oxbow.format.pdata;

import oxbow.format.Fault;
import oxbow.format.FormatException;
import oxbow.format.Le;

/**
 * A node of a B-tree: ascending u64 keys, then as many values of one size. Slots from {@link
 * #entryCount} on hold leftovers, which are kept.
 *
 * @see "docs/format/clone.md, B-tree nodes; struct btree_node of Linux 6.1"
 */
public final class BtreeNode {
  public static final int SIZE_BYTES = BlockKind.SIZE_BYTES;

  public static final int FLAGS_OFFSET = 4;
  public static final int BLOCK_NR_OFFSET = 8;
  public static final int ENTRY_COUNT_OFFSET = 16;
  public static final int MAX_ENTRIES_OFFSET = 20;
  public static final int VALUE_SIZE_OFFSET = 24;
  public static final int PADDING_OFFSET = 28;
  public static final int KEYS_OFFSET = 32;

  public static final int INTERNAL_FLAG = 1;
  public static final int LEAF_FLAG = 2;

  public static final int KEY_SIZE_BYTES = 8;

  /** Size of the values of internal nodes, which are block numbers. */
  public static final int CHILD_SIZE_BYTES = 8;

  private final byte[] bytes;
  private final int at;

  private BtreeNode(byte[] bytes, int at) {
    this.bytes = bytes;
    this.at = at;
  }

  /** A window on the 4096 bytes at an offset; nothing is checked. */
  public static BtreeNode decode(byte[] bytes, int at) {
    return new BtreeNode(bytes, at);
  }

  /** A node without entries, over an array of its own. */
  public static BtreeNode create(boolean isLeaf, int valueSizeBytes) {
    BtreeNode node = new BtreeNode(new byte[SIZE_BYTES], 0);
    node.setShape(isLeaf, valueSizeBytes);
    return node;
  }

  /** How many entries a node holds: a multiple of three, as the kernel wants it. */
  public static int maxEntries(int valueSizeBytes) {
    return (SIZE_BYTES - KEYS_OFFSET) / (KEY_SIZE_BYTES + valueSizeBytes) / 3 * 3;
  }

  /** Copies the 4096 bytes out. */
  public void encode(byte[] into, int intoAt) {
    System.arraycopy(bytes, at, into, intoAt, SIZE_BYTES);
  }

  /**
   * The kernel's checks, in its order.
   *
   * @param blockNr where the node was read from
   */
  public void check(long blockNr) throws FormatException {
    BlockKind.BTREE_NODE.check(bytes, at, blockNr);
    long valueSizeBytes = valueSizeBytes();
    // Both factors are below 2^32, yet their product may pass 2^63: test them apart first.
    if (valueSizeBytes > SIZE_BYTES
        || maxEntries() > SIZE_BYTES
        || KEYS_OFFSET + (KEY_SIZE_BYTES + valueSizeBytes) * maxEntries() > SIZE_BYTES) {
      throw BlockKind.BTREE_NODE.failure(
          Fault.NODE,
          blockNr,
          "max_entries too large: " + maxEntries() + " of " + valueSizeBytes + " bytes");
    }
    if (Le.getU32(bytes, at + ENTRY_COUNT_OFFSET) > maxEntries()) {
      throw BlockKind.BTREE_NODE.failure(
          Fault.NODE,
          blockNr,
          "too many entries: " + Le.getU32(bytes, at + ENTRY_COUNT_OFFSET) + " of " + maxEntries());
    }
    if (flags() != INTERNAL_FLAG && flags() != LEAF_FLAG) {
      throw BlockKind.BTREE_NODE.failure(
          Fault.NODE, blockNr, "node is neither INTERNAL or LEAF: flags " + flags());
    }
  }

  /** Fills in number and checksum, for the place where the node will be written. */
  public void seal(long blockNr) {
    BlockKind.BTREE_NODE.seal(bytes, at, blockNr);
  }

  public long flags() {
    return Le.getU32(bytes, at + FLAGS_OFFSET);
  }

  public boolean isLeaf() {
    return flags() == LEAF_FLAG;
  }

  public long blockNr() {
    return Le.getU64(bytes, at + BLOCK_NR_OFFSET);
  }

  public int entryCount() {
    return (int) Le.getU32(bytes, at + ENTRY_COUNT_OFFSET);
  }

  public void setEntryCount(int count) {
    Le.putU32(bytes, at + ENTRY_COUNT_OFFSET, count);
  }

  public long maxEntries() {
    return Le.getU32(bytes, at + MAX_ENTRIES_OFFSET);
  }

  public long valueSizeBytes() {
    return Le.getU32(bytes, at + VALUE_SIZE_OFFSET);
  }

  /** Written 0 by the kernel, not looked at. */
  public long padding() {
    return Le.getU32(bytes, at + PADDING_OFFSET);
  }

  /** Makes the node a leaf or an internal one; entries are left where they are. */
  public void setShape(boolean isLeaf, int valueSizeBytes) {
    Le.putU32(bytes, at + FLAGS_OFFSET, isLeaf ? LEAF_FLAG : INTERNAL_FLAG);
    Le.putU32(bytes, at + MAX_ENTRIES_OFFSET, maxEntries(valueSizeBytes));
    Le.putU32(bytes, at + VALUE_SIZE_OFFSET, valueSizeBytes);
  }

  public boolean isFull() {
    return entryCount() == maxEntries();
  }

  public long key(int index) {
    return Le.getU64(bytes, keyAt(index));
  }

  /** The value at an index, which is of 4 or 8 bytes. */
  public long value(int index) {
    return valueSizeBytes() == Integer.BYTES
        ? Le.getU32(bytes, valueAt(index))
        : Le.getU64(bytes, valueAt(index));
  }

  /** The last entry whose key is not above one, where a search goes on; -1 if all are above. */
  public int lastNotAbove(long key) {
    int low = 0;
    int high = entryCount();
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (Long.compareUnsigned(key(middle), key) <= 0) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low - 1;
  }

  public void setEntry(int index, long key, long value) {
    Le.putU64(bytes, keyAt(index), key);
    setValue(index, value);
  }

  public void setValue(int index, long value) {
    if (valueSizeBytes() == Integer.BYTES) {
      Le.putU32(bytes, valueAt(index), value);
    } else {
      Le.putU64(bytes, valueAt(index), value);
    }
  }

  /**
   * Copies entries of another node, or moves entries within this one, over what is there. The entry
   * counts stay as they are.
   */
  public void copyEntries(int index, BtreeNode from, int fromIndex, int count) {
    int valueSize = (int) valueSizeBytes();
    System.arraycopy(
        from.bytes, from.keyAt(fromIndex), bytes, keyAt(index), count * KEY_SIZE_BYTES);
    System.arraycopy(from.bytes, from.valueAt(fromIndex), bytes, valueAt(index), count * valueSize);
  }

  private int keyAt(int index) {
    return at + KEYS_OFFSET + index * KEY_SIZE_BYTES;
  }

  private int valueAt(int index) {
    return at + KEYS_OFFSET + (int) maxEntries() * KEY_SIZE_BYTES + index * (int) valueSizeBytes();
  }
}
