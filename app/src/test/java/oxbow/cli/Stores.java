package oxbow.cli;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Exception stores as a kernel would leave them, written by hand: docs/format/snapshot.md. */
final class Stores {
  private Stores() {}

  /** A header, and an area without exceptions. */
  static Path empty(Path store, int chunkSectors, long sizeBytes) throws IOException {
    return of(store, 1, 1, chunkSectors, sizeBytes);
  }

  /** The same with what else the header may say. */
  static Path of(Path store, int valid, int version, int chunkSectors, long sizeBytes)
      throws IOException {
    sparse(store, sizeBytes);
    ByteBuffer header = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN);
    header.put("SnAp".getBytes(StandardCharsets.US_ASCII));
    header.putInt(valid).putInt(version).putInt(chunkSectors);
    return write(store, 0, header.array());
  }

  /** Puts an exception into the first area. */
  static Path exception(Path store, int chunkBytes, int index, long oldChunk, long newChunk)
      throws IOException {
    ByteBuffer entry = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN);
    entry.putLong(oldChunk).putLong(newChunk);
    return write(store, chunkBytes + 16L * index, entry.array());
  }

  /** A file of holes, or one that is made longer or cut. */
  static Path sparse(Path path, long sizeBytes) throws IOException {
    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
      file.setLength(sizeBytes);
    }
    return path;
  }

  static Path write(Path path, long offsetBytes, byte[] bytes) throws IOException {
    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
      file.seek(offsetBytes);
      file.write(bytes);
    }
    return path;
  }
}
