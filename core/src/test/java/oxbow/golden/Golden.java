package oxbow.golden;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.GZIPInputStream;

/** Reads what lies in the folders of golden images. */
final class Golden {
  private Golden() {}

  /** What the first group of a pattern matches. */
  static String field(String json, String pattern) {
    Matcher matcher = Pattern.compile(pattern).matcher(json);
    if (!matcher.find()) {
      throw new IllegalArgumentException("no " + pattern);
    }
    return Objects.requireNonNull(matcher.group(1));
  }

  static byte[] unzipped(String path) {
    try (InputStream in = new GZIPInputStream(open(path))) {
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static String text(String path) {
    try (InputStream in = open(path)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static InputStream open(String path) {
    return Objects.requireNonNull(Golden.class.getResourceAsStream(path), path);
  }
}
