package oxbow.format;

/** What can be wrong with an on-disk structure; the {@link #word} stands in reports. */
public enum Fault {
  /** The block could not be read. */
  IO("io"),
  /** The block says that it belongs elsewhere: misplaced, or never written. */
  BLOCK_NUMBER("blocknr"),
  MAGIC("magic"),
  CHECKSUM("checksum"),
  VERSION("version"),
  /** Sizes of the device or of the whole structure cannot be. */
  GEOMETRY("geometry"),
  /** A block number points past the end. */
  RANGE("range"),
  /** One block is used for two things. */
  DOUBLE_USE("double-use"),
  /** The head of a B-tree node cannot be, or leaves lie at different depths. */
  NODE("node"),
  /** Keys of a B-tree are out of order or outside of what the parent says. */
  ORDER("order"),
  /** The array lacks blocks, has too many, or one has the wrong shape. */
  ARRAY("array"),
  /** A metadata area of an exception store lies past the end, or is not where it is needed. */
  AREA("area"),
  /** A log of a chain is not the one that must be there. */
  SEQUENCE("sequence"),
  /** The space map contradicts itself. */
  SPACE_MAP("space-map"),
  /** A stored reference count differs from the references found. */
  REFERENCE_COUNT("refcount"),
  /** Blocks are counted as used that nothing points to. */
  LEAK("leak");

  private final String word;

  Fault(String word) {
    this.word = word;
  }

  public String word() {
    return word;
  }
}
