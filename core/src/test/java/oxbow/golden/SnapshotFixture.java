package oxbow.golden;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import oxbow.sim.SimDisk;

/**
 * An exception store that a kernel has made, and what the kernel says of it.
 *
 * @param name of the folder
 * @param store of the image within it
 * @param exceptions in the order of the metadata areas
 * @param statusLine as the kernel printed it after opening
 */
public record SnapshotFixture(
    String name,
    String store,
    long storeBytes,
    long originSectors,
    long chunkSectors,
    boolean isValid,
    long fullAreas,
    List<ExceptionPair> exceptions,
    String statusLine) {
  private static final String FOLDER = "/golden/snapshot/";

  /** All folders; the README says what each is for. */
  public static final List<String> NAMES =
      List.of(
          "area-full-8",
          "area-plus-one-8",
          "areas-random-8",
          "crash-writes-8",
          "discard-passdown-8",
          "discard-zeroes-cow-8",
          "empty-1024",
          "empty-8",
          "few-origin-16",
          "full-exact-8",
          "full-invalid-8",
          "merge-crash-16",
          "merge-finished-8",
          "merge-stopped-8",
          "one-8",
          "po-full-8",
          "po-overflow-8",
          "random-1024",
          "random-128",
          "random-32",
          "reopened-8",
          "runs-16",
          "two-snapshots-16",
          "unaligned-32");

  /** An origin chunk and where its old contents are. */
  public record ExceptionPair(long oldChunk, long newChunk) {}

  /** Every store of every folder, for parameterized tests. */
  public static Stream<SnapshotFixture> all() {
    return NAMES.stream().flatMap(name -> named(name).stream());
  }

  /** The stores of a folder. */
  public static List<SnapshotFixture> named(String name) {
    String json = Golden.text(FOLDER + name + "/expected.json");
    List<SnapshotFixture> stores = new ArrayList<>();
    for (String part : json.substring(json.indexOf("\"stores\"")).split("(?=\\{\"cow\":)", -1)) {
      if (part.startsWith("{\"cow\":")) {
        stores.add(store(name, json, part));
      }
    }
    return stores;
  }

  private static SnapshotFixture store(String name, String json, String part) {
    String store = Golden.field(part, "\"cow\": \"([^\"]*)\"");
    List<ExceptionPair> exceptions = new ArrayList<>();
    int first = part.indexOf("\"exceptions\":");
    Matcher pairs =
        Pattern.compile("\\[(\\d+), (\\d+)\\]")
            .matcher(part.substring(first, part.indexOf("\"status\":", first)));
    while (pairs.find()) {
      exceptions.add(
          new ExceptionPair(Long.parseLong(pairs.group(1)), Long.parseLong(pairs.group(2))));
    }
    return new SnapshotFixture(
        name,
        store,
        number(json, "\"" + store + "\": \\{[^}]*\"length\": (\\d+)"),
        number(json, "\"origin_sectors\": (\\d+)"),
        number(part, "\"chunk_size\": (\\d+)"),
        number(part, "\"valid\": (\\d+)") != 0,
        number(part, "\"full_areas\": (\\d+)"),
        List.copyOf(exceptions),
        Golden.field(part, "\"status\": \"([^\"]*)\""));
  }

  private static long number(String json, String pattern) {
    return Long.parseLong(Golden.field(json, pattern));
  }

  /** A disk of its own with the store. */
  public SimDisk disk() {
    return SimDisk.of(Golden.unzipped(FOLDER + name + "/" + store + ".img.gz"), storeBytes);
  }

  @Override
  public String toString() {
    return name + "/" + store;
  }
}
