package oxbow.inspect;

import java.io.IOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockingIo;
import oxbow.format.Fault;
import oxbow.format.FormatException;
import oxbow.format.clone.CloneSuperblock;
import oxbow.format.pdata.ArrayBlock;
import oxbow.inspect.CloneMetadataReport.BitsetSummary;
import oxbow.inspect.CloneMetadataReport.RegionRange;
import oxbow.inspect.CloneMetadataReport.SpaceMapSummary;
import oxbow.inspect.Findings.Path;
import oxbow.inspect.Findings.Use;
import oxbow.pdata.Bitset;
import oxbow.pdata.BlockManager;
import oxbow.target.clone.RegionMap;

/**
 * Verifies every structure of dm-clone metadata, as fsck does for a file system: checksums, places,
 * order and completeness of the trees, and by recounting all references the whole space map. Goes
 * on past damage, so as to find all of it. Blocks; never writes.
 *
 * @see "docs/format/clone.md"
 */
public final class CloneMetadataCheck {
  private final BlockManager blocks;
  private final Findings findings;
  private final int maxRanges;

  private CloneMetadataCheck(BlockingIo device, int maxProblems, int maxRanges) {
    this.blocks = new BlockManager(device);
    this.findings = new Findings(blocks, maxProblems);
    this.maxRanges = maxRanges;
  }

  /**
   * Checks the metadata on a device.
   *
   * @param maxProblems at most so many are listed; the rest is counted
   * @param maxRanges at most so many ranges of hydrated regions are listed
   * @throws IOException if not even the superblock can be read
   */
  public static CloneMetadataReport run(BlockingIo device, int maxProblems, int maxRanges)
      throws IOException {
    return new CloneMetadataCheck(device, maxProblems, maxRanges).run();
  }

  private CloneMetadataReport run() throws IOException {
    byte[] bytes = blocks.read(CloneSuperblock.BLOCK_NR);
    CloneSuperblock superblock = CloneSuperblock.decode(bytes, 0);
    if (!Findings.hasData(bytes, 0, bytes.length)) {
      findings.problem(Fault.MAGIC, Path.SUPERBLOCK, "superblock is zeros: nothing is formatted");
      return report(null, null, null);
    }
    if (!isUsable(superblock)) {
      return report(null, null, null);
    }
    warnAboutUnusedFields(superblock);
    checkCoverage(superblock.spaceMapRoot().blockCount());
    findings.setBlockCount(superblock.spaceMapRoot().blockCount());
    findings.use(Path.SUPERBLOCK, Use.SUPERBLOCK);
    BitsetSummary bitset = checkBitset(superblock);
    SpaceMapSummary spaceMap = new SpaceMapCheck(findings, superblock.spaceMapRoot()).run();
    return report(superblock, bitset, spaceMap);
  }

  private CloneMetadataReport report(
      @Nullable CloneSuperblock superblock,
      @Nullable BitsetSummary bitset,
      @Nullable SpaceMapSummary spaceMap) {
    return new CloneMetadataReport(
        blocks.blockCount(),
        superblock,
        bitset,
        spaceMap,
        findings.useCounts(),
        List.copyOf(findings.problems),
        findings.unlistedProblemCount,
        List.copyOf(findings.warnings));
  }

  /** A part of the superblock's check. */
  private interface Check {
    void run() throws FormatException;
  }

  private boolean passes(Check check) {
    try {
      check.run();
      return true;
    } catch (FormatException e) {
      findings.problem(e, Path.SUPERBLOCK);
      return false;
    }
  }

  /** A wrong number or checksum is reported, but it is worth going on; magic and sizes must do. */
  private boolean isUsable(CloneSuperblock superblock) {
    passes(superblock::checkBlockNr);
    boolean isOurs = passes(superblock::checkMagic);
    passes(superblock::checkChecksum);
    boolean isKnown = passes(superblock::checkVersion);
    return isOurs && isKnown && passes(superblock::checkGeometry);
  }

  private void warnAboutUnusedFields(CloneSuperblock superblock) {
    if (superblock.flags() != 0) {
      findings.warn("superblock flags are " + superblock.flags() + ", a kernel writes 0");
    }
    if (!superblock.uuid().isZero()) {
      findings.warn("superblock uuid is " + superblock.uuid() + ", a kernel writes zeros");
    }
    if (!superblock.spaceMapRoot().reserved().isZero() || !superblock.reserved().isZero()) {
      findings.warn("reserved bytes of the superblock are not zero");
    }
  }

  private void checkCoverage(long covered) {
    if (covered > blocks.blockCount()) {
      findings.problem(
          Fault.GEOMETRY,
          Path.SUPERBLOCK,
          "space map covers " + covered + " blocks, the device has " + blocks.blockCount());
    } else if (covered < blocks.blockCount()) {
      findings.warn(
          "space map covers " + covered + " of the device's " + blocks.blockCount() + " blocks");
    }
  }

  private BitsetSummary checkBitset(CloneSuperblock superblock) {
    Path root = Path.SUPERBLOCK.child(superblock.bitsetRoot());
    BtreeCheck tree = new BtreeCheck(findings, Use.BITSET_NODE, Long.BYTES);
    tree.walk(root);
    long regionCount = superblock.regionCount();
    int expected = Bitset.blockCount(regionCount);
    BitSet found = new BitSet(expected);
    long surplus = 0;
    List<Integer> indices = new ArrayList<>();
    List<Path> paths = new ArrayList<>();
    for (BtreeCheck.Entry entry : tree.entries()) {
      if (entry.key() >= expected) {
        surplus++;
      } else {
        found.set((int) entry.key());
        indices.add((int) entry.key());
        paths.add(entry.leaf().child(entry.value()));
      }
    }
    if (found.cardinality() != expected || surplus > 0) {
      findings.problem(
          Fault.ARRAY,
          root,
          "array has %d of %d blocks and %d beyond; the first missing is %d"
              .formatted(found.cardinality(), expected, surplus, found.nextClearBit(0)));
    }
    RegionMap map = new RegionMap(regionCount);
    BitSet sound = new BitSet(expected);
    findings.read(
        paths,
        Use.ARRAY_BLOCK,
        (i, bytes, at) -> {
          int index = indices.get(i);
          if (checkArrayBlock(paths.get(i), index, ArrayBlock.decode(bytes, at), map)) {
            sound.set(index);
          }
        });
    return summary(map, tree.depth(), expected, sound.cardinality() == expected);
  }

  private boolean checkArrayBlock(Path path, int index, ArrayBlock block, RegionMap map) {
    long wordCount = (map.regionCount() + Long.SIZE - 1) / Long.SIZE;
    int firstWord = index * ArrayBlock.WORDS;
    int words = (int) Math.min(ArrayBlock.WORDS, wordCount - firstWord);
    try {
      block.check(path.blockNr(), words);
    } catch (FormatException e) {
      findings.problem(e, path);
      return false;
    }
    for (int i = 0; i < words; i++) {
      map.setWord(firstWord + i, block.word(i));
    }
    for (int i = words; i < ArrayBlock.WORDS; i++) {
      if (block.word(i) != 0) {
        findings.warn("array block " + index + " has data after its last word");
        break;
      }
    }
    int bitsOfLastWord = (int) (map.regionCount() % Long.SIZE);
    if (firstWord + words == wordCount
        && bitsOfLastWord != 0
        && block.word(words - 1) >>> bitsOfLastWord != 0) {
      findings.warn("bits past the last region are set in the last word of the bitset");
    }
    return true;
  }

  private BitsetSummary summary(RegionMap map, int depth, int arrayBlocks, boolean isComplete) {
    List<RegionRange> ranges = new ArrayList<>();
    long rangeCount = 0;
    long end = map.regionCount();
    for (long first = map.nextHydrated(0, end); first < end; ) {
      long next = map.nextUnhydrated(first);
      rangeCount++;
      if (ranges.size() < maxRanges) {
        ranges.add(new RegionRange(first, next - first));
      }
      first = map.nextHydrated(next, end);
    }
    return new BitsetSummary(
        end, depth, arrayBlocks, isComplete, map.hydratedCount(), List.copyOf(ranges), rangeCount);
  }
}
