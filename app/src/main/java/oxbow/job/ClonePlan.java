package oxbow.job;

import org.jspecify.annotations.Nullable;
import oxbow.block.BlockDevice;
import oxbow.device.Address;

/**
 * What a clone will be made of, once every check has passed. Nothing has been created or written
 * yet; what exists is open and locked.
 *
 * @param destination null when it is to be created
 * @param metadata null when it is to be created
 * @param isMetadataNew metadata is to be formatted, though its file may exist
 * @param lengthBytes whole sectors
 */
record ClonePlan(
    CloneOrder order,
    Address destinationAddress,
    Address metadataAddress,
    BlockDevice source,
    @Nullable BlockDevice destination,
    @Nullable BlockDevice metadata,
    boolean isMetadataNew,
    long lengthBytes,
    long regionBytes) {}
