package oxbow.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Random;
import oxbow.block.Sectors;

/** Disk images in files: making them, and what is known about them without Oxbow. */
final class Images {
  private static final int MIB = 1 << 20;

  private Images() {}

  /** A file that is one hole. */
  static Path sparse(Path image, long sizeBytes) {
    try (var file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(sizeBytes);
      return image;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Writes random bytes into an image; the same ones for the same seed. */
  static Path random(Path image, long offsetBytes, int lengthBytes, long seed) {
    byte[] bytes = new byte[lengthBytes];
    new Random(seed).nextBytes(bytes);
    try (var file = new RandomAccessFile(image.toFile(), "rw")) {
      file.seek(offsetBytes);
      file.write(bytes);
      return image;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * An ext4 file system with three files of 3 MiB and some small ones.
   *
   * @param image made new, with holes where the file system is empty
   */
  static Path ext4(Path image, int sizeMib) {
    try {
      Path files = Files.createTempDirectory(image.toAbsolutePath().getParent(), "files-");
      for (int i = 0; i < 3; i++) {
        random(files.resolve("large-" + i), 0, 3 * MIB, i);
      }
      for (int i = 0; i < 20; i++) {
        random(files.resolve("small-" + i), 0, 100 + 700 * i, i);
      }
      Proc.of(Tool.require("mkfs.ext4", "e2fsprogs"), "-q", "-d", files, image, sizeMib + "M")
          .run()
          .ok();
      return image;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Fails unless the file system on an image is whole; nothing is repaired. */
  static void assertExt4IsClean(Path image) {
    Proc.of(Tool.require("e2fsck", "e2fsprogs"), "-f", "-n", image).run().ok();
  }

  /** SHA-256 of a whole file, in hexadecimal. */
  static String sha256(Path file) {
    try (InputStream in = Files.newInputStream(file)) {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      byte[] buffer = new byte[MIB];
      for (int length = in.read(buffer); length > 0; length = in.read(buffer)) {
        digest.update(buffer, 0, length);
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  /** Fails with the first byte that differs. */
  static void assertSameContent(Path actual, Path expected) {
    try {
      long differs = Files.mismatch(actual, expected);
      assertThat(differs)
          .as("first byte that differs between %s and %s", actual, expected)
          .isEqualTo(-1);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Whether a range of an image holds nothing but zeros. */
  static boolean isZero(Path image, long offsetBytes, long lengthBytes) {
    try (var file = new RandomAccessFile(image.toFile(), "r")) {
      file.seek(offsetBytes);
      byte[] buffer = new byte[MIB];
      for (long left = lengthBytes; left > 0; ) {
        int length = (int) Math.min(left, buffer.length);
        file.readFully(buffer, 0, length);
        for (int i = 0; i < length; i++) {
          if (buffer[i] != 0) {
            return false;
          }
        }
        left -= length;
      }
      return true;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The space that a file takes on its file system. */
  static long allocatedBytes(Path file) {
    String blocks = Proc.of("stat", "-c", "%b", file).run().ok().out().strip();
    return Sectors.toBytes(Long.parseLong(blocks));
  }
}
