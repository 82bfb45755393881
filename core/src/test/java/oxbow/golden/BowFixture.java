package oxbow.golden;

import java.util.List;
import java.util.stream.Stream;
import oxbow.sim.SimDisk;

/**
 * A checkpoint that others have made, and what they make of it.
 *
 * @param rolledBack SHA-256 of the device as it was at the checkpoint
 * @param rolledForward the same of the device committed; empty where that cannot be
 */
public record BowFixture(
    String name,
    String format,
    int blockSizeBytes,
    long sequence,
    long sector0,
    long logCount,
    long entryCount,
    String rolledBack,
    String rolledForward) {
  private static final String FOLDER = "/golden/bow/";

  /** All of them; the README of the folder says what each is for. */
  public static final List<String> NAMES =
      List.of("v1-512-chained", "v1-1024", "v1-4096", "rfc-4096");

  /** For parameterized tests. */
  public static Stream<BowFixture> all() {
    return NAMES.stream().map(BowFixture::named);
  }

  private static BowFixture named(String name) {
    String json = Golden.text(FOLDER + name + "/expected.json");
    return new BowFixture(
        name,
        Golden.field(json, "\"format\": \"(\\w+)\""),
        Integer.parseInt(Golden.field(json, "\"block_size\": (\\d+)")),
        Long.parseLong(Golden.field(json, "\"sequence\": (\\d+)")),
        Long.parseLong(Golden.field(json, "\"sector0\": (\\d+)")),
        Long.parseLong(Golden.field(json, "\"log_blocks\": (\\d+)")),
        Long.parseLong(Golden.field(json, "\"entries\": (\\d+)")),
        Golden.field(json, "\"rolled_back\": \"(\\w*)\""),
        Golden.field(json, "\"rolled_forward\": \"(\\w*)\""));
  }

  /** A disk of its own with the checkpoint. */
  public SimDisk disk() {
    byte[] image = Golden.unzipped(FOLDER + name + "/image.img.gz");
    return SimDisk.of(image, image.length);
  }

  @Override
  public String toString() {
    return name;
  }
}
