package oxbow.nbd.client;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import oxbow.engine.IoBuffer;

/**
 * The buffers of requests as the stream wants them. Requests come with the same few long-lived
 * segments again and again, so their views are remembered instead of made anew each time. When too
 * many meet at one place they take turns, which costs garbage but is not wrong.
 *
 * <p>A view has one position, so sending and receiving keep theirs apart.
 */
final class SegmentViews {
  private static final int PLACES = 128;
  private static final int WAYS = 4;

  private final @Nullable IoBuffer[] views = new IoBuffer[PLACES * WAYS];
  private int nextVictim;
  private int offset;

  /** A view that contains the range; {@link #offset} says where the range begins in it. */
  IoBuffer of(MemorySegment segment, long at, int length) {
    if (segment.byteSize() > Integer.MAX_VALUE) {
      offset = 0;
      return IoBuffer.of(segment.asSlice(at, length));
    }
    offset = (int) at;
    int place = WAYS * (Long.hashCode(segment.address() * 0x9E3779B97F4A7C15L) & (PLACES - 1));
    for (int way = 0; way < WAYS; way++) {
      IoBuffer known = views[place + way];
      if (known != null && known.segment() == segment) {
        return known;
      }
    }
    IoBuffer view = IoBuffer.of(segment);
    views[place + (nextVictim++ & (WAYS - 1))] = view;
    return view;
  }

  /** Where in the view last returned its range begins. */
  int offset() {
    return offset;
  }
}
