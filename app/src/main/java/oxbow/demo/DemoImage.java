package oxbow.demo;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.SplittableRandom;

/**
 * The image that is cloned: stretches of random bytes, which follow from their position, and holes.
 */
final class DemoImage {
  static final int SIZE_BYTES = 256 << 20;
  private static final int PIECE_BYTES = 1 << 20;

  /** Every piece of data is followed by so many holes. */
  private static final int STRIDE_PIECES = 3;

  private DemoImage() {}

  /** Writes the image to a new file. Blocks. */
  static void write(Path path) throws IOException {
    try (FileChannel file =
        FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      for (int piece = 0; piece < SIZE_BYTES / PIECE_BYTES; piece++) {
        if (isData(piece)) {
          file.position((long) piece * PIECE_BYTES);
          ByteBuffer bytes = ByteBuffer.wrap(content(piece));
          while (bytes.hasRemaining()) {
            file.write(bytes);
          }
        }
      }
    }
  }

  /** What a range of the image holds. */
  static byte[] read(int offsetBytes, int lengthBytes) {
    byte[] bytes = new byte[lengthBytes];
    int last = (offsetBytes + lengthBytes - 1) / PIECE_BYTES;
    for (int piece = offsetBytes / PIECE_BYTES; piece <= last; piece++) {
      if (isData(piece)) {
        int start = Math.max(offsetBytes, piece * PIECE_BYTES);
        int end = Math.min(offsetBytes + lengthBytes, (piece + 1) * PIECE_BYTES);
        System.arraycopy(
            content(piece), start % PIECE_BYTES, bytes, start - offsetBytes, end - start);
      }
    }
    return bytes;
  }

  static int dataBytes() {
    return Math.ceilDiv(SIZE_BYTES / PIECE_BYTES, STRIDE_PIECES) * PIECE_BYTES;
  }

  private static boolean isData(int piece) {
    // The last piece is one of them, which gives the file its length.
    return piece % STRIDE_PIECES == 0;
  }

  private static byte[] content(int piece) {
    byte[] bytes = new byte[PIECE_BYTES];
    new SplittableRandom(piece).nextBytes(bytes);
    return bytes;
  }
}
