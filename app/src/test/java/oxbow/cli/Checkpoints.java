package oxbow.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import oxbow.format.bow.BowChecksum;
import oxbow.format.bow.BowEntry;
import oxbow.format.bow.BowLogHeader;
import oxbow.format.bow.BowMagic;

/**
 * A device with a checkpoint, written by hand: blocks 5 and 6 were changed since, and block 0.
 *
 * @param before as it was at the checkpoint; what is free is the same in all three
 * @param now with the log in block 0
 * @param live as it was seen last
 */
record Checkpoints(byte[] before, byte[] now, byte[] live) {
  static final int COUNT = 3;

  private static final int BLOCKS = 64;
  private static final int FIRST_FREE = 32;

  /** Blocks of so many bytes. */
  static Checkpoints of(int blockBytes) {
    Random random = new Random(blockBytes);
    byte[] before = new byte[BLOCKS * blockBytes];
    random.nextBytes(before);
    byte[] live = before.clone();
    byte[] changed = new byte[blockBytes];
    int sectors = blockBytes / 512;
    BowEntry[] entries = new BowEntry[COUNT];
    int[] sources = {0, 5, 6};
    for (int i = 0; i < COUNT; i++) {
      int copy = FIRST_FREE + 1 + i;
      byte[] saved = new byte[blockBytes];
      System.arraycopy(before, sources[i] * blockBytes, saved, 0, blockBytes);
      for (byte[] image : new byte[][] {before, live}) {
        System.arraycopy(saved, 0, image, copy * blockBytes, blockBytes);
      }
      random.nextBytes(changed);
      System.arraycopy(changed, 0, live, sources[i] * blockBytes, blockBytes);
      entries[i] =
          new BowEntry(
              (long) sources[i] * sectors,
              (long) copy * sectors,
              blockBytes,
              BowChecksum.of(sources[i], saved));
    }
    for (byte[] image : new byte[][] {before, live}) {
      System.arraycopy(live, 0, image, FIRST_FREE * blockBytes, blockBytes);
    }
    byte[] now = live.clone();
    BowLogHeader.create(blockBytes, COUNT, 0, (long) FIRST_FREE * sectors).encode(now, 0);
    for (int i = 0; i < COUNT; i++) {
      entries[i].encode(now, entryAt(i));
    }
    return new Checkpoints(before, now, live);
  }

  static int entryAt(int index) {
    return BowLogHeader.SIZE_BYTES + index * BowEntry.SIZE_BYTES;
  }

  /** Where the copy of an entry lies. */
  int copyAt(int index) {
    return (int) BowEntry.decode(now, entryAt(index)).dest() * 512;
  }

  /** The same with a roll-back begun. */
  Checkpoints rollingBack() {
    byte[] begun = now.clone();
    BowLogHeader.decode(now, 0).with(BowMagic.WOB, COUNT).encode(begun, 0);
    return new Checkpoints(before, begun, live);
  }

  /** The same with a byte changed. */
  Checkpoints damagedAt(int at) {
    byte[] damaged = now.clone();
    damaged[at] ^= 0x40;
    return new Checkpoints(before, damaged, live);
  }

  Path write(Path file) throws IOException {
    return Files.write(file, now);
  }
}
