package oxbow.it;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import oxbow.inspect.CloneMetadataCheck;
import oxbow.sim.SimDisk;
import oxbow.target.clone.CloneMetadata;
import oxbow.target.clone.Probe;
import oxbow.target.clone.RegionMap;

/** After a power cut a clone must open and hold what had been promised. */
final class CloneCuts implements PowerCuts.Judge {
  private static final int REGION_BYTES = 4096;
  private static final int REGION_GRANULES = REGION_BYTES / VolatileModel.GRANULE_BYTES;
  private static final int REGION_SECTORS = 8;

  private final Requirements required;
  private final byte[] source;
  private final int metadataBytes;

  private CloneCuts(Requirements required, byte[] source, int metadataBytes) {
    this.required = required;
    this.source = source;
    this.metadataBytes = metadataBytes;
  }

  /**
   * Cuts of a clone that makes its destination, and the metadata beside it.
   *
   * @param metadataBytes how large the metadata is made
   */
  static PowerCuts of(
      Promises promises, byte[] source, String destination, int metadataBytes, long seed) {
    Requirements required = new Requirements(promises);
    return new PowerCuts(
        List.of(required),
        PowerCuts.DiskState.missing(destination, source.length),
        PowerCuts.DiskState.missing(destination + ".meta", metadataBytes),
        new CloneCuts(required, source, metadataBytes),
        seed);
  }

  @Override
  public void judge(PowerCuts.Image content, PowerCuts.Image of)
      throws IOException, PowerCuts.Lost {
    byte[] bytes = content.bytes();
    byte[] ofBytes = of.bytes();
    if (ofBytes == null || of.isEmpty()) {
      checkBeginning(content);
      return;
    }
    SimDisk disk = SimDisk.of(ofBytes, of.size());
    Probe probe = CloneMetadata.probe(disk);
    if (!(probe instanceof Probe.Formatted)) {
      if (!probe.mayBeFormatted()) {
        throw new PowerCuts.Lost("the next start would refuse " + probe);
      }
      if (of.size() != metadataBytes) {
        throw new PowerCuts.Lost("metadata was left with " + of.size() + " bytes");
      }
      checkBeginning(content);
      return;
    }
    var report = CloneMetadataCheck.run(disk, 10, 10);
    if (!report.isClean()) {
      throw new PowerCuts.Lost("metadata is damaged: " + report.problems());
    }
    if (bytes == null || content.size() != source.length) {
      throw new PowerCuts.Lost("metadata, but no whole destination");
    }
    RegionMap map = new RegionMap(source.length / REGION_BYTES);
    try (CloneMetadata opened =
        CloneMetadata.open(
            disk, (long) source.length / REGION_BYTES * REGION_SECTORS, REGION_SECTORS)) {
      opened.load(map);
    }
    checkContent(bytes, map);
  }

  /** Without metadata all is the source's, and the destination must look unused (O11). */
  private void checkBeginning(PowerCuts.Image content) throws PowerCuts.Lost {
    byte[] bytes = content.bytes();
    if (required.isAnythingPromised()) {
      throw new PowerCuts.Lost("no metadata, but something was promised");
    }
    if (bytes != null && Arrays.mismatch(bytes, new byte[bytes.length]) >= 0) {
      throw new PowerCuts.Lost("no metadata, but data in the destination");
    }
    if (bytes != null && content.size() != 0 && content.size() != source.length) {
      throw new PowerCuts.Lost("the destination was left with " + content.size() + " bytes");
    }
  }

  private void checkContent(byte[] bytes, RegionMap map) throws PowerCuts.Lost {
    MemorySegment inDestination = MemorySegment.ofArray(bytes);
    MemorySegment inSource = MemorySegment.ofArray(source);
    int granules = source.length / VolatileModel.GRANULE_BYTES;
    for (int granule = 0; granule < granules; granule++) {
      boolean isHydrated = map.isHydrated(granule / REGION_GRANULES);
      MemorySegment read = isHydrated ? inDestination : inSource;
      required.check(granule, read, (long) granule * VolatileModel.GRANULE_BYTES);
    }
  }
}
