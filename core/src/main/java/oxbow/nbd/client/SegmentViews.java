package oxbow.nbd.client;

import java.lang.foreign.MemorySegment;
import oxbow.engine.IoBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The buffers of requests as the stream wants them. Requests come with the same few long-lived
 * segments again and again, so their views are remembered instead of made anew each time. Two
 * segments that meet at one place take turns, which costs garbage but is not wrong.
 *
 * <p>A view has one position, so sending and receiving keep theirs apart.
 */
final class SegmentViews {
  private static final int PLACES = 256;

  private final @Nullable IoBuffer[] views = new IoBuffer[PLACES];
  private int offset;

  /** A view that contains the range; {@link #offset} says where the range begins in it. */
  IoBuffer of(MemorySegment segment, long at, int length) {
    if (segment.byteSize() > Integer.MAX_VALUE) {
      offset = 0;
      return IoBuffer.of(segment.asSlice(at, length));
    }
    offset = (int) at;
    int place = Long.hashCode(segment.address() * 0x9E3779B97F4A7C15L) & (PLACES - 1);
    IoBuffer view = views[place];
    if (view == null || view.segment() != segment) {
      view = IoBuffer.of(segment);
      views[place] = view;
    }
    return view;
  }

  /** Where in the view last returned its range begins. */
  int offset() {
    return offset;
  }
}
