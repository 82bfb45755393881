package oxbow.inspect;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;
import oxbow.block.BlockingIo;
import oxbow.format.Marks;
import oxbow.format.bow.BowLog;
import oxbow.format.bow.BowMagic;
import oxbow.format.clone.CloneSuperblock;
import oxbow.format.snapshot.StoreHeader;
import oxbow.target.clone.CloneMetadata;
import oxbow.target.clone.Probe;

/** What lies on a device, as far as its marks tell. */
public sealed interface Recognised {
  /** For people: "clone metadata", "ext2, ext3 or ext4 file system". */
  String name();

  /** Clone metadata whose superblock is right; {@link CloneMetadataCheck} verifies the rest. */
  record OfClone(CloneSuperblock superblock) implements Recognised {
    @Override
    public String name() {
      return "clone metadata";
    }
  }

  /**
   * Clone metadata that cannot be used.
   *
   * @param reason what is wrong
   */
  record OfDamagedClone(String reason) implements Recognised {
    @Override
    public String name() {
      return "clone metadata, damaged";
    }
  }

  /** Clone metadata whose formatting was interrupted; no region is hydrated. */
  record OfUnfinishedClone() implements Recognised {
    @Override
    public String name() {
      return "clone metadata, not fully formatted";
    }
  }

  /** A persistent exception store of dm-snapshot; {@link SnapshotStoreCheck} verifies the rest. */
  record OfSnapshotStore(StoreHeader header) implements Recognised {
    @Override
    public String name() {
      return "snapshot store";
    }
  }

  /**
   * A checkpoint of backup-on-write; {@link BowLogCheck} verifies it. What else block 0 seems to
   * hold is stale, and may be a file system's superblock.
   */
  record OfBowLog(BowLog log) implements Recognised {
    @Override
    public String name() {
      return log.magic() == BowMagic.WOB ? "bow log, being rolled back" : "bow log";
    }
  }

  /** Something that carries a mark we know, of ours to come or of others. */
  record Marked(String name) implements Recognised {}

  /** Zeros in all places that a file system or a format of ours marks. */
  record Zeros() implements Recognised {
    @Override
    public String name() {
      return "zeros";
    }
  }

  /** Data without a mark we know. */
  record Unknown(String name) implements Recognised {}

  /** Reads the places where marks would be. Blocks; never writes. */
  static Recognised of(BlockingIo device) throws IOException {
    Optional<BowLog> log = BowLogCheck.newest(device);
    if (log.isPresent()) {
      return new OfBowLog(log.get());
    }
    return switch (CloneMetadata.probe(device)) {
      case Probe.Formatted clone -> new OfClone(clone.superblock());
      case Probe.Damaged clone -> new OfDamagedClone(clone.reason());
      case Probe.Unfinished clone -> new OfUnfinishedClone();
      case Probe.Zero zero -> new Zeros();
      case Probe.Foreign foreign -> markOf(device, foreign);
    };
  }

  private static Recognised markOf(BlockingIo device, Probe.Foreign foreign) throws IOException {
    byte[] head = new byte[(int) Math.min(Marks.HEAD_BYTES, device.sizeBytes())];
    device.read(0, ByteBuffer.wrap(head));
    if (head.length >= StoreHeader.SIZE_BYTES) {
      StoreHeader store = StoreHeader.decode(head, 0);
      if (store.magic() == StoreHeader.MAGIC) {
        return new OfSnapshotStore(store);
      }
    }
    return Marks.recognise(head, head.length)
        .<Recognised>map(Marked::new)
        .orElseGet(() -> new Unknown(foreign.what()));
  }
}
