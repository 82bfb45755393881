package oxbow.it;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What clients asked, and which answer promised what to be durable. Written down while they ask;
 * read when the system calls of the server are gone through afterwards. Content goes by granules
 * and stamps, as in {@link VolatileModel}.
 */
final class Promises {
  /** All granules of a range get a stamp. */
  record Change(long cookie, int first, int count, int stamp) {}

  /** By granule, the changes in the order in which they were asked for; they never overlap. */
  private final List<List<Change>> history = new ArrayList<>();

  private final List<Change> acknowledged = new ArrayList<>();

  /** By the cookie of the answer: what that answer promises to be durable. */
  private final Map<Long, List<Change>> promised = new HashMap<>();

  /** The cookie of a connection's first request; the others follow without a gap. */
  static long firstCookie(int connection) {
    return (connection + 1L) << Integer.SIZE;
  }

  static boolean isFirstOfConnection(long cookie) {
    return (int) cookie == 0;
  }

  Promises(int granuleCount) {
    for (int i = 0; i < granuleCount; i++) {
      history.add(new ArrayList<>());
    }
  }

  synchronized Change begin(long cookie, int first, int count, int stamp, boolean isFua) {
    Change change = new Change(cookie, first, count, stamp);
    history.subList(first, first + count).forEach(changes -> changes.add(change));
    if (isFua) {
      promised.put(cookie, List.of(change));
    }
    return change;
  }

  synchronized void acknowledged(Change change) {
    acknowledged.add(change);
  }

  /** A flush promises whatever was acknowledged, to anyone, before it was asked for (O4). */
  synchronized void flushBegins(long cookie) {
    promised.put(cookie, List.copyOf(acknowledged));
  }

  /** What the answer with this cookie promises; nothing for most. */
  synchronized List<Change> by(long cookie) {
    return promised.getOrDefault(cookie, List.of());
  }

  /** All that was ever acknowledged, which an orderly end promises. */
  synchronized List<Change> byTheEnd() {
    return List.copyOf(acknowledged);
  }

  int granuleCount() {
    return history.size();
  }

  /** The changes of a granule; the first is number 1, since 0 is the source. */
  synchronized List<Change> history(int granule) {
    return history.get(granule);
  }
}
