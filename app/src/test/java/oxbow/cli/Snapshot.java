package oxbow.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * All that a refused command must leave as it was: the names in a directory, and size, content and
 * time of change of every file.
 */
record Snapshot(Map<String, String> files) {
  static Snapshot of(Path directory) throws IOException {
    Map<String, String> files = new TreeMap<>();
    try (Stream<Path> all = Files.walk(directory)) {
      all.filter(path -> !path.equals(directory))
          .forEach(path -> files.put(directory.relativize(path).toString(), describe(path)));
    }
    return new Snapshot(files);
  }

  /** The same without the times of change. */
  Snapshot withoutTimes() {
    Map<String, String> content = new TreeMap<>(files);
    content.replaceAll((name, description) -> description.replaceFirst(" of \\S+ ", " "));
    return new Snapshot(content);
  }

  private static String describe(Path path) {
    try {
      if (!Files.isRegularFile(path)) {
        return "not a file";
      }
      FileTime changed = Files.getLastModifiedTime(path);
      byte[] hash = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(path));
      return Files.size(path) + " bytes of " + changed + " " + HexFormat.of().formatHex(hash);
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException(impossible);
    }
  }
}
