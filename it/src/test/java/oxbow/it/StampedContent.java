package oxbow.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The bytes that belong to a stamp of {@link VolatileModel}: each granule tells which write it
 * comes from, so that a wrong one tells what went wrong.
 */
final class StampedContent {
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;
  private static final int LONGS = VolatileModel.GRANULE_BYTES / Long.BYTES;

  /** The source has a hole of so many granules, and data of thrice as many, in turn. */
  private static final int HOLE_GRANULES = 512;

  private StampedContent() {}

  /** Whether the source has a hole there. */
  static boolean isSourceHole(int granule) {
    return granule / HOLE_GRANULES % 4 == 3;
  }

  /** Makes an image that holds the source. */
  static Path makeSource(Path image, int granuleCount) throws IOException {
    byte[] bytes = new byte[granuleCount * VolatileModel.GRANULE_BYTES];
    MemorySegment memory = MemorySegment.ofArray(bytes);
    for (int granule = 0; granule < granuleCount; granule++) {
      fill(memory, (long) granule * VolatileModel.GRANULE_BYTES, granule, VolatileModel.SOURCE);
    }
    try (var file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(bytes.length);
      int piece = 1 << 12;
      for (int offset = 0; offset < bytes.length; offset += piece) {
        if (!isSourceHole(offset / VolatileModel.GRANULE_BYTES)) {
          file.seek(offset);
          file.write(bytes, offset, piece);
        }
      }
    }
    return image;
  }

  /** Fails unless an image that nobody uses holds what was acknowledged last. */
  static void assertIs(Path image, VolatileModel model) throws IOException {
    MemorySegment content = MemorySegment.ofArray(Files.readAllBytes(image));
    for (int granule = 0; granule < model.granuleCount(); granule++) {
      long offset = (long) granule * VolatileModel.GRANULE_BYTES;
      int stamp = model.newest(granule);
      if (!matches(content, offset, granule, stamp)) {
        assertThat(describe(content, offset, granule))
            .as("byte %d of %s", offset, image)
            .isEqualTo("stamp " + stamp);
      }
    }
  }

  /** Puts the content of one granule into memory. */
  static void fill(MemorySegment memory, long offsetBytes, int granule, int stamp) {
    for (int i = 0; i < LONGS; i++) {
      memory.set(LONG, offsetBytes + (long) i * Long.BYTES, word(granule, stamp, i));
    }
  }

  /** Whether one granule in memory is what the stamp says. */
  static boolean matches(MemorySegment memory, long offsetBytes, int granule, int stamp) {
    for (int i = 0; i < LONGS; i++) {
      if (memory.get(LONG, offsetBytes + (long) i * Long.BYTES) != word(granule, stamp, i)) {
        return false;
      }
    }
    return true;
  }

  /** What lies there, in words for a failure. */
  static String describe(MemorySegment memory, long offsetBytes, int granule) {
    long first = memory.get(LONG, offsetBytes);
    int stamp = (int) (first >>> 32);
    if (matches(memory, offsetBytes, granule, VolatileModel.ZERO)) {
      return "zeros";
    }
    if (matches(memory, offsetBytes, granule, VolatileModel.SOURCE)) {
      return "the source";
    }
    if (matches(memory, offsetBytes, granule, stamp)) {
      return "write " + stamp;
    }
    return "nothing known, the first word is %016x".formatted(first);
  }

  private static long word(int granule, int stamp, int index) {
    boolean isZero =
        stamp == VolatileModel.ZERO || (stamp == VolatileModel.SOURCE && isSourceHole(granule));
    return isZero ? 0 : (((long) stamp << 32) | granule) + index * 0x9E37_79B9_7F4A_7C15L;
  }
}
