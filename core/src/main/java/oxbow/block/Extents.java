package oxbow.block;

/**
 * Receives what a device knows about the allocation of a range: consecutive extents from the asked
 * offset on, then one end. May be called on any thread; must not block.
 */
public interface Extents {
  /** The extent takes no space (NBD_STATE_HOLE). Alone it says nothing about contents (O6). */
  int HOLE = 1;

  /** The extent reads as zeros (NBD_STATE_ZERO). */
  int ZERO = 2;

  /**
   * One extent, adjacent to the one before; the last may be cut at the end of the asked range.
   *
   * @param state bits of HOLE and ZERO; 0 for data
   */
  void extent(long lengthBytes, int state);

  /**
   * No more extents. They may cover less than was asked for, but at least one byte when {@code
   * errno} is 0.
   */
  void end(int errno);
}
