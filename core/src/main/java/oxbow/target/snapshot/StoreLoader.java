package oxbow.target.snapshot;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockingIo;
import oxbow.block.Sectors;
import oxbow.format.Fault;
import oxbow.format.FormatException;
import oxbow.format.snapshot.ExceptionArea;
import oxbow.format.snapshot.StoreHeader;
import oxbow.format.snapshot.StoreLayout;
import oxbow.target.snapshot.Commit.Zeroes;

/**
 * Reads the table of a store, once; see {@link StoreOpener#load}. The last area is read to its end,
 * as a kernel reads it, since what lies behind the end of the table must be known (O23).
 */
final class StoreLoader {
  /** An area may be as large as a chunk, 1 GiB: it is read in pieces. */
  private static final int PIECE_BYTES = 1 << 20;

  private final BlockingIo store;
  private final StoreHeader header;
  private final StoreLayout layout;
  private final long chunkCount;
  private final long originBytes;
  private final ExceptionSink sink;
  private final byte[] bytes;
  private final ChunkRanges oldChunks = new ChunkRanges();
  private final ChunkRanges newChunks = new ChunkRanges();

  private long entryCount;
  private long highestChunk;

  /** The exceptions that go on from each other and are not yet with the sink. */
  private long runOldChunk;

  private long runNewChunk;
  private long runCount;

  /** The beginning of the sector of the last entry, if that sector has room for another one. */
  private byte[] tail = new byte[0];

  private long staleFromBytes = -1;
  private long staleToBytes;

  /**
   * @param header that has been checked
   */
  StoreLoader(BlockingIo store, StoreHeader header, long originBytes, ExceptionSink sink) {
    this.store = store;
    this.header = header;
    this.layout = new StoreLayout(header.chunkSizeSectors());
    this.chunkCount = layout.chunkCount(store.sizeBytes());
    this.originBytes = originBytes;
    this.sink = sink;
    this.bytes = new byte[(int) Math.min(layout.chunkBytes(), PIECE_BYTES)];
  }

  PersistentStore load() throws IOException {
    if (header.isValid()) {
      long area = 0;
      while (readArea(area)) {
        area++;
      }
      endRun();
      checkTwice("old", oldChunks);
      checkTwice("new", newChunks);
      store.flush();
    }
    long nextFree = Math.max(StoreLayout.FIRST_DATA_CHUNK, layout.nextDataChunk(highestChunk));
    int tailCount = (int) (entryCount - EntryWindow.sectorStart(entryCount));
    return new PersistentStore(
        layout,
        store.sizeBytes(),
        header.isValid(),
        nextFree,
        new EntryWindow(entryCount - tailCount, tail, tailCount),
        stale());
  }

  private @Nullable Zeroes stale() {
    return staleFromBytes < 0 ? null : new Zeroes(staleFromBytes, staleToBytes - staleFromBytes);
  }

  /** Reads an area; whether the table does not end in it, so that the next one goes on. */
  private boolean readArea(long area) throws IOException {
    long chunk = layout.areaChunk(area);
    if (chunk >= chunkCount) {
      throw new FormatException(
          Fault.AREA,
          chunk,
          "metadata area " + area + " would lie past the end, and all before it are full");
    }
    long start = layout.offsetBytes(chunk);
    boolean isEnded = false;
    for (long at = start; at < start + layout.chunkBytes(); at += bytes.length) {
      store.read(at, ByteBuffer.wrap(bytes));
      ExceptionArea piece = ExceptionArea.over(bytes, bytes.length);
      int used = isEnded ? 0 : piece.terminator(0);
      for (int i = 0; i < used; i++) {
        add(piece.oldChunk(i), piece.newChunk(i), chunk);
      }
      entryCount += used;
      if (used < piece.entryCount()) {
        int usedBytes = used * ExceptionArea.ENTRY_BYTES;
        if (!isEnded) {
          int tailFrom = usedBytes / Sectors.SIZE_BYTES * Sectors.SIZE_BYTES;
          tail = Arrays.copyOfRange(bytes, tailFrom, tailFrom + Sectors.SIZE_BYTES);
        }
        isEnded = true;
        findStale(at, Math.ceilDiv(usedBytes, Sectors.SIZE_BYTES) * Sectors.SIZE_BYTES);
      }
    }
    return !isEnded;
  }

  /** Widens what is stale by the sectors of the piece, from one on, that are not zeros. */
  private void findStale(long pieceOffsetBytes, int from) {
    for (int at = from; at < bytes.length; at += Sectors.SIZE_BYTES) {
      if (!isZero(at)) {
        if (staleFromBytes < 0) {
          staleFromBytes = pieceOffsetBytes + at;
        }
        staleToBytes = pieceOffsetBytes + at + Sectors.SIZE_BYTES;
      }
    }
  }

  private boolean isZero(int sector) {
    for (int i = sector; i < sector + Sectors.SIZE_BYTES; i++) {
      if (bytes[i] != 0) {
        return false;
      }
    }
    return true;
  }

  private void add(long oldChunk, long newChunk, long areaChunk) throws FormatException {
    if (!StoreLayout.isChunkNumber(oldChunk) || !StoreLayout.isChunkNumber(newChunk)) {
      throw bad(Fault.RANGE, areaChunk, oldChunk, "has a number that no chunk can have");
    }
    if (newChunk >= chunkCount) {
      String where = "points to chunk " + newChunk + " of a store of " + chunkCount;
      throw bad(Fault.RANGE, areaChunk, oldChunk, where);
    }
    if (layout.isMetadata(newChunk)) {
      String where = "points to " + newChunk + ", a metadata area";
      throw bad(Fault.DOUBLE_USE, areaChunk, oldChunk, where);
    }
    if (oldChunk > (originBytes - 1) / layout.chunkBytes()) {
      String where = "lies past the end of an origin of " + originBytes + " bytes";
      throw bad(Fault.RANGE, areaChunk, oldChunk, where);
    }
    highestChunk = Math.max(highestChunk, newChunk);
    if (runOldChunk + runCount != oldChunk || runNewChunk + runCount != newChunk) {
      endRun();
      runOldChunk = oldChunk;
      runNewChunk = newChunk;
      runCount = 0;
    }
    runCount++;
  }

  private static FormatException bad(Fault fault, long areaChunk, long oldChunk, String what) {
    return new FormatException(
        fault, areaChunk, "exception of chunk " + Long.toUnsignedString(oldChunk) + " " + what);
  }

  private void endRun() {
    if (runCount > 0) {
      oldChunks.add(runOldChunk, runCount);
      newChunks.add(runNewChunk, runCount);
      sink.put(runOldChunk, runNewChunk, runCount);
    }
  }

  private static void checkTwice(String which, ChunkRanges ranges) throws FormatException {
    long chunk = ranges.firstInTwo();
    if (chunk >= 0) {
      throw new FormatException(
          Fault.DOUBLE_USE, chunk, which + " chunk " + chunk + " is in two exceptions");
    }
  }
}
