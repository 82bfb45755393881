package oxbow.golden;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import oxbow.sim.SimDisk;

/**
 * A clone that a kernel has made: its metadata, and what the kernel says is hydrated.
 *
 * @param statusLine as the kernel printed it after opening
 */
public record CloneFixture(
    String name,
    long targetSectors,
    long regionSizeSectors,
    long regionCount,
    long metadataBytes,
    long hydratedCount,
    List<Range> hydrated,
    String statusLine) {
  private static final String FOLDER = "/golden/clone/";

  /** All of them; the README of the folder says what each is for. */
  public static final List<String> NAMES =
      List.of(
          "array-block-exact",
          "array-block-plus-one",
          "commits-small",
          "commits-tight",
          "commits-wide",
          "crash-after-format",
          "crash-commits",
          "crash-hydration",
          "crash-writes",
          "discards-no-passdown",
          "fresh-4k",
          "fresh-one-region",
          "fresh-unaligned",
          "hydrated-full",
          "hydrated-full-written",
          "hydration-stopped",
          "hydration-stopped-batch",
          "mixed-16",
          "pattern-discards",
          "pattern-writes",
          "region-1g",
          "reopened",
          "several-array-blocks",
          "ten-million",
          "ten-million-fresh",
          "words-63",
          "words-64",
          "words-65");

  /** Regions from one to another, both included. */
  public record Range(long first, long last) {}

  /** For parameterized tests. */
  public static Stream<CloneFixture> all() {
    return NAMES.stream().map(CloneFixture::named);
  }

  /** Those that were formatted and never committed to. */
  public static Stream<CloneFixture> allFresh() {
    return Stream.of(
            "fresh-4k",
            "fresh-one-region",
            "fresh-unaligned",
            "crash-after-format",
            "ten-million-fresh")
        .map(CloneFixture::named);
  }

  /** Reads what is expected of a fixture. */
  public static CloneFixture named(String name) {
    String json = Golden.text(FOLDER + name + "/expected.json");
    List<Range> hydrated = new ArrayList<>();
    Matcher ranges =
        Pattern.compile("\\[(\\d+), (\\d+)\\]")
            .matcher(json.substring(json.indexOf("\"hydrated\":"), json.indexOf("\"status\":")));
    while (ranges.find()) {
      hydrated.add(new Range(Long.parseLong(ranges.group(1)), Long.parseLong(ranges.group(2))));
    }
    return new CloneFixture(
        name,
        Long.parseLong(Golden.field(json, "\"target_sectors\": (\\d+)")),
        Long.parseLong(Golden.field(json, "\"region_sectors\": (\\d+)")),
        Long.parseLong(Golden.field(json, "\"regions\": (\\d+)")),
        Long.parseLong(Golden.field(json, "\"meta\": \\{[^}]*\"length\": (\\d+)")),
        Long.parseLong(Golden.field(json, "\"hydrated_count\": (\\d+)")),
        List.copyOf(hydrated),
        Golden.field(json, "\"status\": \"([^\"]*)\""));
  }

  /** A disk of its own with the metadata. */
  public SimDisk metadata() {
    return SimDisk.of(storedMetadata(), metadataBytes);
  }

  /** The beginning of the metadata device; what follows is zeros. */
  public byte[] storedMetadata() {
    return Golden.unzipped(FOLDER + name + "/meta.img.gz");
  }

  /** The hydrated regions, by the word of the kernel. */
  public BitSet hydratedSet() {
    BitSet set = new BitSet();
    hydrated.forEach(range -> set.set((int) range.first, (int) range.last + 1));
    return set;
  }

  @Override
  public String toString() {
    return name;
  }
}
