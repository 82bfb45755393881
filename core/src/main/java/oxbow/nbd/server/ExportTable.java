package oxbow.nbd.server;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The exports of a server and how many clients use each. Used by all loops, under its own lock. */
final class ExportTable {
  private final Map<String, Offer> offers = new LinkedHashMap<>();
  private @Nullable String defaultName;
  private boolean isClosing;

  synchronized void add(Export export) {
    requireNew(export.name());
    offers.put(export.name(), new Offer(export));
  }

  private void requireNew(String name) {
    if (offers.containsKey(name)) {
      throw new IllegalArgumentException("export " + name + " exists");
    }
  }

  /** Nobody can attach to it any more; those who are attached stay so. */
  synchronized @Nullable Offer remove(String name) {
    return offers.remove(name);
  }

  /** Clients find it under the new name only; those who are attached notice nothing. */
  synchronized void rename(String oldName, String newName) {
    Offer offer = offers.get(oldName);
    if (offer == null) {
      throw new IllegalArgumentException("export " + oldName + " does not exist");
    }
    requireNew(newName);
    offer.rename(newName);
    offers.remove(oldName);
    offers.put(newName, offer);
    if (oldName.equals(defaultName)) {
      defaultName = newName;
    }
  }

  /** What the empty name means; null for the only export. */
  synchronized void setDefault(@Nullable String name) {
    defaultName = name;
  }

  /** From now on nobody can attach to anything. */
  synchronized void close() {
    isClosing = true;
  }

  synchronized boolean isClosing() {
    return isClosing;
  }

  /** In the order in which they got their names. */
  synchronized List<Offer> all() {
    return new ArrayList<>(offers.values());
  }

  /** The export of that name; see {@link NbdServer#setDefault} for the empty one. */
  synchronized @Nullable Offer find(String name) {
    if (name.isEmpty() && defaultName != null) {
      return offers.get(defaultName);
    }
    Offer offer = offers.get(name);
    if (offer == null && name.isEmpty() && offers.size() == 1) {
      return offers.values().iterator().next();
    }
    return offer;
  }

  /** Counts a client in, unless the export is gone or has as many as it may have. */
  synchronized boolean attach(Offer offer) {
    if (!isOffered(offer) || offer.connectionCount >= offer.export().limits().maxConnections()) {
      return false;
    }
    offer.connectionCount++;
    return true;
  }

  /** How many clients are attached. */
  synchronized int connectionCount(Offer offer) {
    return offer.connectionCount;
  }

  /** How many clients are attached to the export of that very name. */
  synchronized int connectionCount(String name) {
    Offer offer = offers.get(name);
    return offer == null ? 0 : offer.connectionCount;
  }

  /** Whether it has neither been removed nor the table been closed. */
  synchronized boolean isOffered(Offer offer) {
    return !isClosing && offers.get(offer.export().name()) == offer;
  }

  synchronized void detach(Offer offer) {
    offer.connectionCount--;
  }
}
