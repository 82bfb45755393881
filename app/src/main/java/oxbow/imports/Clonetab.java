package oxbow.imports;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import oxbow.block.ByteSize;
import oxbow.block.Sectors;
import oxbow.console.UserException;

/**
 * Systemd's table of clone devices: a line a device, {@code NAME SOURCE DESTINATION METADATA
 * [OPTIONS]}. The clone is as long as its source. Unlike systemd, which goes on without an option
 * that it does not understand, this refuses the line.
 *
 * @see "systemd: clonetab(5)"
 */
public final class Clonetab {
  private static final int MIN_FIELDS = 4;
  private static final int MAX_FIELDS = 5;
  private static final long DEFAULT_REGION_BYTES = 4096;
  private static final String NO_OPTION = "-";
  private static final String REGION_SIZE = "region-size=";

  /** Versions of systemd before the first release differ in its unit. */
  private static final String OLD_REGION_SIZE = "region_size=";

  private final SourceSize sizes;

  /**
   * @param sizes opens sources, to see how long they are
   */
  public Clonetab(SourceSize sizes) {
    this.sizes = sizes;
  }

  /**
   * The devices of a text. Blocks.
   *
   * @param refused takes a line about each device that cannot be made
   */
  public List<ImportedDevice> read(String text, Consumer<String> refused) {
    List<ImportedDevice> devices = new ArrayList<>();
    int number = 0;
    for (String line : text.lines().toList()) {
      number++;
      if (!isComment(line)) {
        List<String> fields = List.of(line.strip().split("\\s+"));
        try {
          devices.add(device(fields));
        } catch (IOException | IllegalArgumentException wrong) {
          refused.accept("line " + number + ": " + fields.getFirst() + ": " + reason(wrong));
        }
      }
    }
    return devices;
  }

  private static String reason(Exception wrong) {
    return UserException.reason(wrong);
  }

  static boolean isComment(String line) {
    return line.isBlank() || line.strip().startsWith("#");
  }

  private ImportedDevice device(List<String> fields) throws IOException {
    if (fields.size() < MIN_FIELDS || fields.size() > MAX_FIELDS) {
      throw new IllegalArgumentException(
          "NAME SOURCE DESTINATION METADATA [OPTIONS] is expected, not "
              + fields.size()
              + " fields");
    }
    long regionBytes = regionBytes(fields.size() == MAX_FIELDS ? fields.getLast() : NO_OPTION);
    String source = WholeAddress.of(fields.get(1));
    String line =
        String.join(
            " ",
            "0",
            Long.toString(Sectors.fromBytes(sizes.bytes(source))),
            "clone",
            ImportedDevice.word(WholeAddress.of(fields.get(3))),
            ImportedDevice.word(WholeAddress.of(fields.get(2))),
            ImportedDevice.word(source),
            Long.toString(Sectors.fromBytes(regionBytes)));
    return new ImportedDevice(fields.getFirst(), List.of(line));
  }

  /** Whether the target wants such a size it will say itself. */
  private static long regionBytes(String options) {
    long bytes = DEFAULT_REGION_BYTES;
    for (String option : options.split(",", -1)) {
      if (option.startsWith(REGION_SIZE)) {
        bytes = ByteSize.parse(option.substring(REGION_SIZE.length()));
        if (!Sectors.isAligned(bytes)) {
          throw new IllegalArgumentException(option + ": is no whole number of sectors");
        }
      } else if (option.startsWith(OLD_REGION_SIZE)) {
        throw new IllegalArgumentException(
            option + ": whether sectors or bytes are meant is not known; write region-size=BYTES");
      } else if (!option.isEmpty() && !option.equals(NO_OPTION)) {
        throw new IllegalArgumentException("Unknown option " + option);
      }
    }
    return bytes;
  }
}
