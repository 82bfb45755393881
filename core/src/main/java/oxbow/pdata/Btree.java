package oxbow.pdata;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import oxbow.format.Fault;
import oxbow.format.FormatException;
import oxbow.format.pdata.BtreeNode;

/**
 * A B-tree whose nodes are all in memory: about 1 MiB for the bitset of 2^31 regions. Keys are
 * below 2^63.
 *
 * <p>Values are changed in memory, and changed nodes copied when the tree is written. Keys are only
 * ever appended, the way the kernel does it, down to the leftovers in unused slots, so that a
 * freshly formatted device equals the kernel's byte for byte.
 *
 * @see "docs/format/clone.md, B-tree nodes"
 */
public final class Btree {
  private static final int MAX_DEPTH = 16;

  private final Node root;

  private Btree(Node root) {
    this.root = root;
  }

  /** A tree without entries: one leaf in a block that the open transaction has allocated. */
  public static Btree create(long rootPlace, int valueSizeBytes) {
    return new Btree(Node.created(rootPlace, true, valueSizeBytes));
  }

  /**
   * Reads a tree level by level, and checks every node, the order of all keys, and that all leaves
   * lie at the same depth.
   *
   * @throws FormatException in the kernel's words where it has some
   */
  public static Btree load(BlockManager blocks, long rootPlace, int valueSizeBytes)
      throws IOException {
    Node root = new Node(rootPlace);
    root.bound(0, Long.MAX_VALUE);
    List<Node> level = List.of(root);
    for (int depth = 1; !level.isEmpty(); depth++) {
      if (depth > MAX_DEPTH) {
        throw damage(Fault.NODE, rootPlace, "tree deeper than " + MAX_DEPTH + " levels");
      }
      readLevel(blocks, level, valueSizeBytes);
      List<Node> below = new ArrayList<>();
      for (Node node : level) {
        checkEntries(node, node == root, level.getFirst().content.isLeaf());
        node.addChildren();
        below.addAll(node.children);
      }
      level = below;
    }
    return new Btree(root);
  }

  private static void readLevel(BlockManager blocks, List<Node> level, int valueSizeBytes)
      throws IOException {
    long[] places = level.stream().mapToLong(node -> node.place).toArray();
    blocks.readEach(
        places,
        places.length,
        (i, bytes, at) -> {
          Node node = level.get(i);
          System.arraycopy(bytes, at, node.bytes, 0, BtreeNode.SIZE_BYTES);
          node.content.check(node.place);
          int expected = node.content.isLeaf() ? valueSizeBytes : BtreeNode.CHILD_SIZE_BYTES;
          if (node.content.valueSizeBytes() != expected) {
            throw damage(
                Fault.NODE,
                node.place,
                "value size " + node.content.valueSizeBytes() + ", expected " + expected);
          }
        });
  }

  private static void checkEntries(Node node, boolean isRoot, boolean levelIsLeaf)
      throws FormatException {
    BtreeNode content = node.content;
    int count = content.entryCount();
    if (content.isLeaf() != levelIsLeaf) {
      throw damage(Fault.NODE, node.place, "leaves at different depths");
    }
    if (count == 0 && !(isRoot && content.isLeaf())) {
      throw damage(Fault.NODE, node.place, "node without entries");
    }
    long low = node.low;
    for (int i = 0; i < count; i++) {
      if (content.key(i) < low || content.key(i) >= node.high) {
        throw damage(
            Fault.ORDER,
            node.place,
            "key %d (%s) is not from %d up to, but not including, %d"
                .formatted(i, Long.toUnsignedString(content.key(i)), low, node.high));
      }
      low = content.key(i) + 1;
    }
  }

  /** Where the root lies, or will lie once the open transaction is committed. */
  public long rootPlace() {
    return root.place;
  }

  /** Hands over all entries, in the order of their keys. */
  public void forEach(EntryVisitor visitor) throws IOException {
    visitEntries(root, visitor);
  }

  private static void visitEntries(Node node, EntryVisitor visitor) throws IOException {
    if (node.content.isLeaf()) {
      for (int i = 0; i < node.content.entryCount(); i++) {
        visitor.entry(node.content.key(i), node.content.value(i));
      }
    }
    for (Node child : node.children) {
      visitEntries(child, visitor);
    }
  }

  /** Hands over the place of every node, parents first. */
  public void forEachNode(NodeVisitor visitor) throws IOException {
    visitNodes(root, visitor);
  }

  private static void visitNodes(Node node, NodeVisitor visitor) throws IOException {
    visitor.node(node.place);
    for (Node child : node.children) {
      visitNodes(child, visitor);
    }
  }

  /** Changes the value of a key that the tree has. */
  public void setValue(long key, long value) {
    Node node = root;
    while (true) {
      // On the whole path: the copy of a node changes its parent, up to the root.
      node.isDirty = true;
      int index = node.content.lastNotAbove(key);
      if (index < 0) {
        break;
      }
      if (node.content.isLeaf()) {
        if (node.content.key(index) != key) {
          break;
        }
        node.content.setValue(index, value);
        return;
      }
      node = node.children.get(index);
    }
    throw new IllegalArgumentException("the tree has no key " + key);
  }

  /**
   * Adds an entry at the end. Nodes that the tree needs for it are allocated.
   *
   * <p>As in the kernel, a full node is dealt with on the way down. A full root keeps its place and
   * gets two children with half of its entries each. Any other full node is the last one of its
   * parent: it evens out with its left neighbour, or, if that is full too, is split.
   *
   * @param key above all keys of the tree, which was created in the open transaction
   */
  public void append(SpaceMap space, long key, long value) throws IOException {
    Node node = root;
    if (root.content.isFull()) {
      root.splitBeneath(space);
    }
    while (!node.content.isLeaf()) {
      Node last = node.children.getLast();
      if (last.content.isFull()) {
        node.makeRoomInLast(space);
        last = node.children.getLast();
      }
      node = last;
    }
    int count = node.content.entryCount();
    if (!node.isNew || (count > 0 && node.content.key(count - 1) >= key)) {
      throw new IllegalStateException("key " + key + " cannot be appended");
    }
    node.content.setEntryCount(count + 1);
    node.content.setEntry(count, key, value);
  }

  /**
   * Writes the nodes that were changed: new ones where they are, others to newly allocated places
   * (P1).
   */
  public void write(BlockManager blocks, SpaceMap space) throws IOException {
    if (root.isDirty) {
      write(root, blocks, space);
    }
  }

  private static void write(Node node, BlockManager blocks, SpaceMap space) throws IOException {
    // Children first, since the node holds their places.
    for (int i = 0; i < node.children.size(); i++) {
      Node child = node.children.get(i);
      if (child.isDirty) {
        write(child, blocks, space);
        node.content.setValue(i, child.place);
      }
    }
    if (!node.isNew) {
      space.release(node.place);
      node.place = space.allocate();
    }
    node.content.seal(node.place);
    blocks.write(node.place, node.bytes, 0);
    node.isDirty = false;
    node.isNew = false;
  }

  private static FormatException damage(Fault fault, long blockNr, String what) {
    return new FormatException(fault, blockNr, "btree check failed: " + what);
  }

  /** Receives entries. */
  @FunctionalInterface
  public interface EntryVisitor {
    /** An entry of the tree. */
    void entry(long key, long value) throws IOException;
  }

  /** Receives places of nodes. */
  @FunctionalInterface
  public interface NodeVisitor {
    /** A node of the tree. */
    void node(long place) throws IOException;
  }

  /** A node in memory, over bytes of its own. */
  private static final class Node {
    /** A full node gives entries to its left neighbour if that has so many slots free. */
    private static final int MIN_FREE_TO_SHARE = 8;

    final byte[] bytes = new byte[BtreeNode.SIZE_BYTES];
    final BtreeNode content = BtreeNode.decode(bytes, 0);

    /** In the order of the entries; none for a leaf. */
    final List<Node> children = new ArrayList<>();

    long place;

    /** While loading: the keys that the parent leaves to this node, the higher bound excluded. */
    long low;

    long high;

    /** Its contents, or a place below it, differ from what is on disk. */
    boolean isDirty;

    /** Created in the open transaction, so nothing committed points at it. */
    boolean isNew;

    Node(long place) {
      this.place = place;
    }

    static Node created(long place, boolean isLeaf, int valueSizeBytes) {
      Node node = new Node(place);
      node.content.setShape(isLeaf, valueSizeBytes);
      node.isNew = true;
      node.isDirty = true;
      return node;
    }

    void bound(long lowest, long end) {
      low = lowest;
      high = end;
    }

    void addChildren() {
      int count = content.isLeaf() ? 0 : content.entryCount();
      for (int i = 0; i < count; i++) {
        Node child = new Node(content.value(i));
        child.bound(content.key(i), i + 1 < count ? content.key(i + 1) : high);
        children.add(child);
      }
    }

    /** Moves all entries into two new children; the node becomes their parent. */
    void splitBeneath(SpaceMap space) throws IOException {
      Node left = sibling(space);
      Node right = sibling(space);
      int count = content.entryCount();
      moveTo(left, 0, count / 2);
      moveTo(right, count / 2, count - count / 2);
      children.clear();
      children.add(left);
      children.add(right);
      content.setShape(false, BtreeNode.CHILD_SIZE_BYTES);
      content.setEntryCount(2);
      content.setEntry(0, left.content.key(0), left.place);
      content.setEntry(1, right.content.key(0), right.place);
    }

    /** Of an inner node whose last child is full. */
    void makeRoomInLast(SpaceMap space) throws IOException {
      int lastIndex = children.size() - 1;
      Node last = children.get(lastIndex);
      Node left = lastIndex == 0 ? last : children.get(lastIndex - 1);
      int free = (int) left.content.maxEntries() - left.content.entryCount();
      if (free >= MIN_FREE_TO_SHARE) {
        int total = left.content.entryCount() + last.content.entryCount();
        int moved = total / 2 - left.content.entryCount();
        last.moveTo(left, 0, moved);
        last.dropFirst(moved);
        content.setEntry(lastIndex, last.content.key(0), last.place);
      } else {
        Node right = last.sibling(space);
        int kept = last.content.entryCount() / 2;
        last.moveTo(right, kept, last.content.entryCount() - kept);
        last.content.setEntryCount(kept);
        last.children.subList(Math.min(kept, last.children.size()), last.children.size()).clear();
        children.add(right);
        content.setEntryCount(children.size());
        content.setEntry(lastIndex + 1, right.content.key(0), right.place);
      }
    }

    private Node sibling(SpaceMap space) throws IOException {
      return created(space.allocate(), content.isLeaf(), (int) content.valueSizeBytes());
    }

    /** Adds some of this node's entries at the end of another; they stay here as well. */
    private void moveTo(Node other, int from, int count) {
      int end = other.content.entryCount();
      other.content.copyEntries(end, content, from, count);
      other.content.setEntryCount(end + count);
      if (!content.isLeaf()) {
        other.children.addAll(children.subList(from, from + count));
      }
    }

    private void dropFirst(int count) {
      int left = content.entryCount() - count;
      content.copyEntries(0, content, count, left);
      content.setEntryCount(left);
      if (!content.isLeaf()) {
        children.subList(0, count).clear();
      }
    }
  }
}
