package oxbow.target.snapshot;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockingIo;
import oxbow.format.Fault;
import oxbow.format.FormatException;
import oxbow.format.Marks;
import oxbow.format.snapshot.StoreHeader;
import oxbow.format.snapshot.StoreLayout;
import oxbow.target.DataSearch;

/**
 * Makes persistent stores out of devices. All methods that take a device block.
 *
 * @see "docs/format/snapshot.md"
 */
public final class StoreOpener {
  private static final int PIECE_BYTES = 1 << 20;

  /** The header and the first area: less cannot be formatted. */
  private static final long FEWEST_CHUNKS = 2;

  private StoreOpener() {}

  /**
   * Tells what lies on a device that shall be a store, so that nothing foreign is overwritten.
   * Changes nothing.
   */
  public static StoreProbe probe(BlockingIo store) throws IOException {
    DataSearch search = new DataSearch(store);
    int length = search.read(0);
    if (length < StoreHeader.SIZE_BYTES) {
      return new StoreProbe.Foreign("device of " + length + " bytes");
    }
    StoreHeader header = StoreHeader.decode(search.buffer(), 0);
    if (header.magic() == StoreHeader.MAGIC) {
      try {
        header.check();
        return new StoreProbe.Formatted(header);
      } catch (FormatException e) {
        return new StoreProbe.Damaged(String.valueOf(e.getMessage()));
      }
    }
    Optional<String> mark = Marks.recognise(search.buffer(), length);
    if (mark.isPresent()) {
      return new StoreProbe.Foreign(mark.get());
    }
    long dataAt = search.find();
    return dataAt < 0
        ? new StoreProbe.Zero()
        : new StoreProbe.Foreign("data of an unknown kind at byte " + dataAt);
  }

  /**
   * Opens the store on a device, and makes an empty one where there is provably nothing.
   *
   * @param chunkSectors for a new store; where there is one, its header counts
   * @param originBytes old chunks must begin below
   * @throws FormatException if something else is there, or the store is damaged
   */
  static PersistentStore open(
      BlockingIo store, long chunkSectors, long originBytes, ExceptionSink sink)
      throws IOException {
    StoreProbe found = probe(store);
    if (found instanceof StoreProbe.Foreign foreign) {
      throw new FormatException(
          Fault.MAGIC, 0, "Invalid or corrupt snapshot: " + foreign.what() + ", not a store");
    }
    if (found.mayBeFormatted()) {
      format(store, chunkSectors);
    }
    return load(store, originBytes, sink);
  }

  /**
   * Reads the table of a store, and makes all that it read durable: after a crash of the process
   * alone the last writes may still be in a volatile cache. The exceptions of an invalid store are
   * not read.
   *
   * @param originBytes old chunks must begin below
   * @param sink gets all exceptions, unless this fails
   * @throws FormatException if the header or an exception cannot be, or a chunk is used twice
   */
  static PersistentStore load(BlockingIo store, long originBytes, ExceptionSink sink)
      throws IOException {
    byte[] sector = new byte[StoreHeader.SIZE_BYTES];
    store.read(0, ByteBuffer.wrap(sector));
    StoreHeader header = StoreHeader.decode(sector, 0);
    header.check();
    return new StoreLoader(store, header, originBytes, sink).load();
  }

  /**
   * What the sizes of a new store mean for its user.
   *
   * @return a warning; null if there is nothing to say
   * @throws FormatException if there is no room even for an empty store
   */
  public static @Nullable String checkCreation(long storeBytes, long chunkSectors)
      throws FormatException {
    StoreLayout layout = new StoreLayout(chunkSectors);
    long chunks = layout.chunkCount(storeBytes);
    if (chunks < FEWEST_CHUNKS) {
      throw new FormatException(
          Fault.GEOMETRY,
          0,
          "store of %d bytes is too small for chunks of %d sectors: at least %d bytes, with room"
                  .formatted(storeBytes, chunkSectors, FEWEST_CHUNKS * layout.chunkBytes())
              + " for an exception %d".formatted((FEWEST_CHUNKS + 1) * layout.chunkBytes()));
    }
    if (chunks == FEWEST_CHUNKS) {
      return "the store has no room for a single exception: it should be of %d bytes or more"
          .formatted((FEWEST_CHUNKS + 1) * layout.chunkBytes());
    }
    if (layout.isMetadata(chunks)) {
      return ("the store ends where its next metadata area would begin: the write that fills it"
              + " makes the snapshot invalid; a store of %d bytes does not have that")
          .formatted((chunks + 1) * layout.chunkBytes());
    }
    return null;
  }

  /**
   * Makes a device a store without exceptions, byte for byte as a kernel does. What was on it is
   * lost: the caller has made sure that it may be ({@link #probe}).
   *
   * <p>A crash leaves what was there, something without a magic, or the whole new store: a header
   * that was there goes first, and the new one comes last, each durably before what comes next.
   * Otherwise an old header could stand before areas that are gone, or a new one before an area of
   * whatever was there, and would be believed.
   */
  public static void format(BlockingIo store, long chunkSectors) throws IOException {
    checkCreation(store.sizeBytes(), chunkSectors);
    StoreLayout layout = new StoreLayout(chunkSectors);
    clear(store, 0, StoreHeader.SIZE_BYTES);
    store.flush();
    clear(store, 0, layout.offsetBytes(layout.areaChunk(0)) + layout.chunkBytes());
    store.flush();
    byte[] sector = new byte[StoreHeader.SIZE_BYTES];
    StoreHeader.create(true, chunkSectors).encode(sector, 0);
    store.write(0, ByteBuffer.wrap(sector));
    store.flush();
  }

  /** Has a range read as zeros; what is zeros already is not written, so that holes stay. */
  private static void clear(BlockingIo store, long fromBytes, long toBytes) throws IOException {
    byte[] piece = new byte[(int) Math.min(PIECE_BYTES, toBytes - fromBytes)];
    byte[] zeros = new byte[piece.length];
    for (long at = fromBytes; at < toBytes; at += piece.length) {
      int length = (int) Math.min(piece.length, toBytes - at);
      store.read(at, ByteBuffer.wrap(piece, 0, length));
      if (Arrays.mismatch(piece, 0, length, zeros, 0, length) >= 0) {
        store.write(at, ByteBuffer.wrap(zeros, 0, length));
      }
    }
  }
}
