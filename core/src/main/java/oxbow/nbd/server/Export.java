package oxbow.nbd.server;

import java.nio.charset.StandardCharsets;
import oxbow.block.BlockDevice;
import oxbow.nbd.wire.Nbd;

/**
 * A device under the name by which clients ask for it.
 *
 * @param name at most 4096 bytes in UTF-8; may be empty
 * @param description for people; may be empty, else at most 4096 bytes in UTF-8
 * @param device stays the caller's, who closes it after the export has been removed
 * @param isReadOnly writes are refused even if the device would take them
 * @param isMultiConn clients are told that they may use several connections at once, because a
 *     flush on one of them covers all
 * @param limits of all clients of the export together
 */
public record Export(
    String name,
    String description,
    BlockDevice device,
    boolean isReadOnly,
    boolean isMultiConn,
    ExportLimits limits) {

  /** Checks lengths. */
  public Export {
    requireShort("name", name);
    requireShort("description", description);
    isReadOnly |= device.limits().isReadOnly();
  }

  /** An export without a description and limits that many clients may use at once. */
  public static Export of(String name, BlockDevice device) {
    return new Export(name, "", device, false, true, ExportLimits.UNLIMITED);
  }

  /** The same under another name. */
  Export named(String newName) {
    return new Export(newName, description, device, isReadOnly, isMultiConn, limits);
  }

  private static void requireShort(String what, String text) {
    if (text.getBytes(StandardCharsets.UTF_8).length > Nbd.MAX_STRING_BYTES) {
      throw new IllegalArgumentException(
          "export " + what + " longer than " + Nbd.MAX_STRING_BYTES + " bytes");
    }
  }

  /** What clients are told that they can do. */
  int transmissionFlags(boolean isStructured) {
    int flags = Nbd.FLAG_HAS_FLAGS | Nbd.FLAG_SEND_FLUSH | Nbd.FLAG_SEND_CACHE;
    if (isReadOnly) {
      flags |= Nbd.FLAG_READ_ONLY;
    } else {
      flags |= Nbd.FLAG_SEND_FUA | Nbd.FLAG_SEND_WRITE_ZEROES | Nbd.FLAG_SEND_FAST_ZERO;
      if (device.limits().canDiscard()) {
        flags |= Nbd.FLAG_SEND_TRIM;
      }
    }
    if (isMultiConn) {
      flags |= Nbd.FLAG_CAN_MULTI_CONN;
    }
    if (isStructured) {
      flags |= Nbd.FLAG_SEND_DF;
    }
    return flags;
  }
}
