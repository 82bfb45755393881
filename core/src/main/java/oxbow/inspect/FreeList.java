package oxbow.inspect;

import java.io.BufferedReader;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import oxbow.block.ByteSize;
import oxbow.block.Sectors;

/**
 * A list of what is free on a device, as somebody has written it down: a text of one range a line,
 * {@code OFFSET LENGTH}, each a number of bytes or with a unit, {@code s} for sectors among them.
 * What follows a {@code #} is a comment. A list that cannot be meant is refused as a whole, since
 * free blocks are overwritten.
 *
 * @see "docs/format/free-list.md"
 */
public final class FreeList {
  private static final int WORDS = 2;

  private record Line(ByteRange range, int number) {}

  private final String name;
  private final long deviceBytes;
  private final List<Line> lines = new ArrayList<>();

  private FreeList(String name, long deviceBytes) {
    this.name = name;
    this.deviceBytes = deviceBytes;
  }

  /**
   * Reads a list. Blocks.
   *
   * @param name of the file, for messages
   * @param deviceBytes size of the device; no range may go beyond
   * @return the ranges, ascending; neighbours are one
   * @throws IOException with file, line and reason: no two words, no size, not whole sectors,
   *     outside the device, at the very beginning (where the log will be), overlapping another
   */
  public static List<ByteRange> parse(String name, BufferedReader text, long deviceBytes)
      throws IOException {
    FreeList list = new FreeList(name, deviceBytes);
    int number = 0;
    for (String line = text.readLine(); line != null; line = text.readLine()) {
      number++;
      int comment = line.indexOf('#');
      String said = (comment < 0 ? line : line.substring(0, comment)).strip();
      if (!said.isEmpty()) {
        list.lines.add(new Line(list.range(said, number), number));
      }
    }
    return list.merged();
  }

  private ByteRange range(String said, int number) throws IOException {
    String[] words = said.split("\\s+", -1);
    if (words.length != WORDS) {
      throw failure(number, "\"" + said + "\": an offset and a length are expected");
    }
    ByteRange range;
    try {
      range = new ByteRange(ByteSize.parse(words[0]), ByteSize.parse(words[1]));
    } catch (IllegalArgumentException noSize) {
      throw failure(number, String.valueOf(noSize.getMessage()));
    }
    if (!Sectors.isAligned(range.offsetBytes()) || !Sectors.isAligned(range.lengthBytes())) {
      throw failure(number, "\"" + said + "\": whole sectors of 512 bytes are expected");
    }
    if (range.lengthBytes() == 0) {
      throw failure(number, "\"" + said + "\": the range is empty");
    }
    if (range.offsetBytes() < Sectors.SIZE_BYTES) {
      throw failure(number, "the beginning of the device cannot be free: the log will be there");
    }
    if (range.lengthBytes() > deviceBytes
        || range.offsetBytes() > deviceBytes - range.lengthBytes()) {
      throw failure(
          number, "\"" + said + "\" goes past the end of a device of " + deviceBytes + " bytes");
    }
    return range;
  }

  private List<ByteRange> merged() throws IOException {
    lines.sort(Comparator.comparingLong(line -> line.range().offsetBytes()));
    List<ByteRange> ranges = new ArrayList<>();
    for (int i = 0; i < lines.size(); i++) {
      ByteRange next = lines.get(i).range();
      ByteRange last = ranges.isEmpty() ? null : ranges.getLast();
      if (last == null || last.endBytes() < next.offsetBytes()) {
        ranges.add(next);
      } else if (last.endBytes() == next.offsetBytes()) {
        long length = last.lengthBytes() + next.lengthBytes();
        ranges.set(ranges.size() - 1, new ByteRange(last.offsetBytes(), length));
      } else {
        throw failure(
            lines.get(i).number(), "the range overlaps that of line " + lines.get(i - 1).number());
      }
    }
    return List.copyOf(ranges);
  }

  private IOException failure(int number, String why) {
    return new IOException(name + ", line " + number + ": " + why);
  }
}
