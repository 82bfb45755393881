package oxbow.format.trace;

import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;

/**
 * Ranges of a device in the order in which they were first touched.
 *
 * <pre>
 * oxbow-trace 1 DEVICE-SECTORS
 * FIRST-SECTOR SECTOR-COUNT
 * ...
 * </pre>
 *
 * <p>A last line without its end is one that was being written when the writer was killed: it is
 * left out. Everything else that is not a line as above makes the whole no trace.
 *
 * @see "docs/format/trace.md"
 */
public final class AccessTrace {
  /** No trace has more ranges; a writer stops there. */
  public static final int MAX_RANGES = 1 << 20;

  private static final String MAGIC = "oxbow-trace";
  private static final int VERSION = 1;

  /** Longer than any line: three numbers of 19 digits at most. */
  private static final int MAX_LINE_BYTES = 80;

  private long deviceSectors;
  private long[] firstSectors = new long[64];
  private long[] sectorCounts = new long[64];
  private int rangeCount;
  private long wholeBytes;

  private AccessTrace() {}

  /** The line that a trace begins with, its end included. */
  public static String header(long deviceSectors) {
    return MAGIC + " " + VERSION + " " + deviceSectors + "\n";
  }

  /** The line of a range, its end included. */
  public static String line(long firstSector, long sectorCount) {
    return firstSector + " " + sectorCount + "\n";
  }

  /**
   * Reads a trace to its end. Blocks.
   *
   * @throws IOException if it cannot be read, or is no trace: the message names the line
   */
  public static AccessTrace read(InputStream in) throws IOException {
    AccessTrace trace = new AccessTrace();
    byte[] chunk = new byte[1 << 16];
    StringBuilder line = new StringBuilder();
    int lines = 0;
    for (int length = in.read(chunk); length >= 0; length = in.read(chunk)) {
      for (int i = 0; i < length; i++) {
        if (chunk[i] != '\n') {
          line.append((char) (chunk[i] & 0xff));
          if (line.length() > MAX_LINE_BYTES) {
            throw wrong(lines + 1, "too long");
          }
          continue;
        }
        trace.take(line.toString(), ++lines);
        trace.wholeBytes += line.length() + 1;
        line.setLength(0);
      }
    }
    if (lines == 0) {
      throw wrong(1, "not a trace: no first line \"" + header(0).strip() + "\"");
    }
    return trace;
  }

  private void take(String line, int number) throws IOException {
    String[] words = line.split(" ", -1);
    if (number == 1) {
      if (words.length != 3 || !words[0].equals(MAGIC)) {
        throw wrong(number, "not a trace: no first line \"" + header(0).strip() + "\"");
      }
      if (number(words[1]) != VERSION) {
        throw wrong(number, "a trace of version " + words[1] + "; only 1 is known");
      }
      deviceSectors = number(words[2]);
      if (deviceSectors < 0) {
        throw wrong(number, "not a number of sectors: " + words[2]);
      }
      return;
    }
    long first = words.length == 2 ? number(words[0]) : -1;
    long count = words.length == 2 ? number(words[1]) : -1;
    if (first < 0 || count < 1 || first + count < 0) {
      throw wrong(number, "not a first sector and a count of sectors");
    }
    if (rangeCount == MAX_RANGES) {
      throw wrong(number, "more than " + MAX_RANGES + " ranges");
    }
    if (rangeCount == firstSectors.length) {
      firstSectors = Arrays.copyOf(firstSectors, 2 * rangeCount);
      sectorCounts = Arrays.copyOf(sectorCounts, 2 * rangeCount);
    }
    firstSectors[rangeCount] = first;
    sectorCounts[rangeCount++] = count;
  }

  /** A decimal number that bytes of it fit in 63 bits; or -1. */
  private static long number(String word) {
    boolean isNumber =
        !word.isEmpty() && word.length() <= 16 && word.chars().allMatch(c -> c >= '0' && c <= '9');
    return isNumber ? Long.parseLong(word) : -1;
  }

  private static IOException wrong(int line, String what) {
    return new IOException("line " + line + ": " + what);
  }

  /** Size of the device on which it was recorded. */
  public long deviceSectors() {
    return deviceSectors;
  }

  public int rangeCount() {
    return rangeCount;
  }

  public long firstSector(int index) {
    return firstSectors[index];
  }

  /** At least 1. */
  public long sectorCount(int index) {
    return sectorCounts[index];
  }

  /** Length of the text without a last line that was cut short: where more may be appended. */
  public long wholeBytes() {
    return wholeBytes;
  }
}
