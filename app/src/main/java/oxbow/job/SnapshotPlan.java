package oxbow.job;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockDevice;
import oxbow.device.Address;
import oxbow.target.snapshot.SnapshotArgs;

/**
 * What a snapshot will be made of, once every check has passed. Nothing has been created or written
 * yet; what exists is open and locked.
 *
 * @param store null when it is to be created
 * @param isStoreNew a header is to be written, though the store may exist
 * @param lengthBytes whole sectors
 */
record SnapshotPlan(
    SnapshotOrder order,
    Address originAddress,
    Address storeAddress,
    BlockDevice origin,
    @Nullable BlockDevice store,
    boolean isStoreNew,
    long lengthBytes,
    long chunkSectors) {

  /** The words of the table line. */
  List<String> words() {
    List<String> words = new ArrayList<>();
    words.add(originAddress.text());
    words.add(storeAddress.text());
    words.add(order.kind().word());
    words.add(Long.toString(chunkSectors));
    if (order.warnPercent().isPresent()) {
      words.add("1");
      words.add(SnapshotArgs.WARN_AT + order.warnPercent().getAsInt());
    }
    return words;
  }
}
