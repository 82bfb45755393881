package oxbow.inspect;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import oxbow.format.Fault;
import oxbow.format.FormatException;
import oxbow.format.pdata.SpaceMapBitmap;
import oxbow.format.pdata.SpaceMapIndex;
import oxbow.format.pdata.SpaceMapRoot;
import oxbow.inspect.CloneMetadataReport.SpaceMapSummary;
import oxbow.inspect.Findings.Path;
import oxbow.inspect.Findings.Use;

/** Compares the counts of a space map with the references that were found. To be run last. */
final class SpaceMapCheck {
  private static final int MAX_LISTED_LEAKS = 20;

  private final Findings findings;
  private final SpaceMapRoot root;
  private final Map<Long, BtreeCheck.Entry> manyReferences = new HashMap<>();
  private long usedCount;
  private final List<Long> leaks = new ArrayList<>();
  private long leakedCount;

  SpaceMapCheck(Findings findings, SpaceMapRoot root) {
    this.findings = findings;
    this.root = root;
  }

  /** Null when nothing could be compared. */
  @Nullable SpaceMapSummary run() {
    BtreeCheck refCounts = new BtreeCheck(findings, Use.REF_COUNT_NODE, Integer.BYTES);
    refCounts.walk(Path.SUPERBLOCK.child(root.refCountRoot()));
    refCounts.entries().forEach(entry -> manyReferences.put(entry.key(), entry));
    Path indexPath = Path.SUPERBLOCK.child(root.bitmapRoot());
    @Nullable SpaceMapIndex index = readIndex(indexPath);
    if (index == null) {
      findings.problem(
          Fault.SPACE_MAP, indexPath, "index unusable; reference counts were not compared");
      return null;
    }
    int bitmapCount = SpaceMapIndex.bitmapCount(root.blockCount());
    warnAboutUnusedBytes(index, bitmapCount);
    checkBitmaps(index, indexPath, bitmapCount);
    checkManyReferences();
    report();
    return new SpaceMapSummary(
        root.blockCount(), bitmapCount, usedCount, manyReferences.size(), leakedCount);
  }

  private @Nullable SpaceMapIndex readIndex(Path path) {
    List<SpaceMapIndex> found = new ArrayList<>();
    findings.read(
        List.of(path),
        Use.INDEX,
        (i, bytes, at) -> {
          byte[] own = Arrays.copyOfRange(bytes, at, at + SpaceMapIndex.SIZE_BYTES);
          SpaceMapIndex index = SpaceMapIndex.decode(own, 0);
          try {
            index.check(path.blockNr());
            found.add(index);
          } catch (FormatException e) {
            findings.problem(e, path);
          }
        });
    return found.isEmpty() ? null : found.getFirst();
  }

  private void warnAboutUnusedBytes(SpaceMapIndex index, int bitmapCount) {
    if (index.padding() != 0) {
      findings.warn("padding of the index block is not zero");
    }
    for (int i = bitmapCount; i < SpaceMapIndex.ENTRIES; i++) {
      if (index.bitmapBlockNr(i) != 0 || index.freeCount(i) != 0 || index.noneFreeBefore(i) != 0) {
        findings.warn("index entry " + i + " is past the last bitmap, but not zero");
      }
    }
  }

  private void checkBitmaps(SpaceMapIndex index, Path indexPath, int bitmapCount) {
    SpaceMapBitmap[] bitmaps = new SpaceMapBitmap[bitmapCount];
    List<Path> paths = new ArrayList<>();
    for (int i = 0; i < bitmapCount; i++) {
      paths.add(indexPath.child(index.bitmapBlockNr(i)));
    }
    // First all of them, since bitmaps are counted in bitmaps.
    findings.read(
        paths,
        Use.BITMAP,
        (i, bytes, at) -> {
          byte[] own = Arrays.copyOfRange(bytes, at, at + SpaceMapBitmap.SIZE_BYTES);
          SpaceMapBitmap bitmap = SpaceMapBitmap.decode(own, 0);
          try {
            bitmap.check(paths.get(i).blockNr());
            bitmaps[i] = bitmap;
          } catch (FormatException e) {
            findings.problem(e, paths.get(i));
          }
        });
    for (int i = 0; i < bitmapCount; i++) {
      if (bitmaps[i] == null) {
        findings.problem(
            Fault.SPACE_MAP, paths.get(i), "bitmap " + i + " unusable; its counts not compared");
      } else {
        checkIndexEntry(index, indexPath, i, bitmaps[i]);
        checkCounts(bitmaps[i], (long) i * SpaceMapBitmap.ENTRIES, paths.get(i));
      }
    }
  }

  private void checkIndexEntry(SpaceMapIndex index, Path indexPath, int i, SpaceMapBitmap bitmap) {
    int free = bitmap.freeCount();
    if (index.freeCount(i) != free) {
      findings.problem(
          Fault.SPACE_MAP,
          indexPath,
          "index entry %d: nr_free %d, bitmap has %d free".formatted(i, index.freeCount(i), free));
    }
    int firstFree = bitmap.nextFree(0);
    if (index.noneFreeBefore(i) > firstFree) {
      findings.problem(
          Fault.SPACE_MAP,
          indexPath,
          "index entry %d: none_free_before %d, but entry %d is free"
              .formatted(i, index.noneFreeBefore(i), firstFree));
    }
    if (bitmap.unused() != 0) {
      findings.warn("block " + bitmap.blockNr() + ": unused word of the bitmap is not zero");
    }
  }

  private void checkCounts(SpaceMapBitmap bitmap, long firstBlockNr, Path path) {
    int inside = (int) Math.min(SpaceMapBitmap.ENTRIES, root.blockCount() - firstBlockNr);
    for (int entry = 0; entry < inside; entry++) {
      checkCount(bitmap.count(entry), firstBlockNr + entry, path);
    }
    for (int entry = inside; entry < SpaceMapBitmap.ENTRIES; entry++) {
      if (bitmap.count(entry) != 0) {
        findings.problem(
            Fault.SPACE_MAP, path, "counts are set for blocks past the end, the first is " + entry);
        return;
      }
    }
  }

  private void checkCount(int stored, long blockNr, Path path) {
    int found = findings.references(blockNr);
    if (stored != 0) {
      usedCount++;
    }
    if (stored == SpaceMapBitmap.MANY && !manyReferences.containsKey(blockNr)) {
      findings.problem(
          Fault.SPACE_MAP,
          path,
          "count of block " + blockNr + " is 3, but it has no entry in the reference count tree");
    }
    if (stored > Math.min(found, SpaceMapBitmap.MANY)) {
      leakedCount++;
      if (leaks.size() < MAX_LISTED_LEAKS) {
        leaks.add(blockNr);
      }
    } else if (stored < Math.min(found, SpaceMapBitmap.MANY)) {
      findings.problem(
          Fault.REFERENCE_COUNT,
          path,
          "stored count of block %d is %d, but %d references were found (%s)"
              .formatted(blockNr, stored, found, findings.useOf(blockNr).orElse("unused")));
    }
  }

  private void checkManyReferences() {
    for (BtreeCheck.Entry entry : manyReferences.values()) {
      long blockNr = entry.key();
      if (entry.value() < SpaceMapBitmap.MANY) {
        findings.problem(
            Fault.SPACE_MAP,
            entry.leaf(),
            "reference count tree holds " + entry.value() + " for block " + blockNr + ": too few");
      }
      if (blockNr >= root.blockCount()) {
        findings.problem(
            Fault.SPACE_MAP,
            entry.leaf(),
            "reference count of block " + blockNr + ": past the end");
      } else if (entry.value() != findings.references(blockNr)) {
        findings.problem(
            Fault.REFERENCE_COUNT,
            entry.leaf(),
            "stored count of block %d is %d, but %d references were found"
                .formatted(blockNr, entry.value(), findings.references(blockNr)));
      }
    }
  }

  private void report() {
    if (leakedCount > 0) {
      findings.problem(
          Fault.LEAK,
          Path.SUPERBLOCK.child(leaks.getFirst()),
          "%d block(s) counted but not reachable: %s%s"
              .formatted(leakedCount, leaks, leakedCount > leaks.size() ? " and more" : ""));
    }
    if (usedCount != root.allocatedCount()) {
      findings.problem(
          Fault.SPACE_MAP,
          Path.SUPERBLOCK,
          "nr_allocated %s, bitmaps hold %d used blocks"
              .formatted(Long.toUnsignedString(root.allocatedCount()), usedCount));
    }
  }
}
