package oxbow.job;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockDevice;
import oxbow.device.Address;
import oxbow.inspect.ByteRange;
import oxbow.inspect.ExtFreeSpace;
import oxbow.target.bow.BowArgs;

/**
 * What will be served, once every check has passed. Nothing has been written; the device is open
 * and locked.
 *
 * @param listed what the list of the user says is free; empty without one
 * @param ext what the file system on the device does not use; null if it was not asked
 */
record BowPlan(
    BowOrder order,
    Address address,
    BlockDevice device,
    List<ByteRange> listed,
    @Nullable ExtFreeSpace ext) {

  /** The words of the table line. */
  List<String> words() {
    List<String> words = new ArrayList<>(List.of(address.text()));
    if (order.blockBytes().isPresent()) {
      words.add("1");
      words.add(BowArgs.BLOCK_SIZE + order.blockBytes().getAsLong());
    }
    return words;
  }

  /** All that is known to be free before the first discard; ranges may overlap. */
  List<ByteRange> free() {
    List<ByteRange> all = new ArrayList<>(listed);
    if (ext != null) {
      all.addAll(ext.ranges());
    }
    return all;
  }

  boolean isAnythingLearnt() {
    return order.freeList() != null || ext != null;
  }
}
