package oxbow.nbd.server;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The exports of a server and how many clients use each. Used by all loops, under its own lock. */
final class ExportTable {
  private final Map<String, Export> exports = new LinkedHashMap<>();
  private final Map<Export, Integer> connections = new HashMap<>();
  private boolean isClosing;

  synchronized void add(Export export) {
    if (exports.putIfAbsent(export.name(), export) != null) {
      throw new IllegalArgumentException("export " + export.name() + " exists");
    }
  }

  /** Nobody can attach to it any more; those who are attached stay so. */
  synchronized @Nullable Export remove(String name) {
    return exports.remove(name);
  }

  /** From now on nobody can attach to anything. */
  synchronized void close() {
    isClosing = true;
  }

  synchronized boolean isClosing() {
    return isClosing;
  }

  /** In the order in which they were added. */
  synchronized List<Export> all() {
    return new ArrayList<>(exports.values());
  }

  /** The export of that name; the empty name also means the only one. */
  synchronized @Nullable Export find(String name) {
    Export export = exports.get(name);
    if (export == null && name.isEmpty() && exports.size() == 1) {
      return exports.values().iterator().next();
    }
    return export;
  }

  /** Counts a client in, unless the export is gone or has as many as it may have. */
  synchronized boolean attach(Export export) {
    int count = connections.getOrDefault(export, 0);
    if (!isOffered(export) || count >= export.maxConnections()) {
      return false;
    }
    connections.put(export, count + 1);
    return true;
  }

  /** How many clients are attached. */
  synchronized int connectionCount(Export export) {
    return connections.getOrDefault(export, 0);
  }

  /** Whether it has neither been removed nor the table been closed. */
  synchronized boolean isOffered(Export export) {
    return !isClosing && export.equals(exports.get(export.name()));
  }

  synchronized void detach(Export export) {
    connections.computeIfPresent(export, (e, count) -> count == 1 ? null : count - 1);
  }
}
