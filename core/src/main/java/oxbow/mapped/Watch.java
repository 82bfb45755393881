package oxbow.mapped;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import oxbow.mapped.DeviceHealth.State;

/**
 * Makes sure that no request waits unseen: looks at all devices underneath once a second and says
 * when one of them stops answering, and when it does again.
 */
final class Watch {
  private final List<Underlying> places;
  private final Consumer<String> events;

  /** What was said last of each; guarded by this. */
  private final DeviceHealth[] said;

  /**
   * @param places the devices underneath, and where tasks write
   */
  Watch(List<Underlying> places, Consumer<String> events) {
    this.places = List.copyOf(places);
    this.events = events;
    long now = System.nanoTime();
    this.said = places.stream().map(place -> place.health(now)).toArray(DeviceHealth[]::new);
  }

  /** A second has passed; at most one thread at a time is let in. */
  synchronized void tick(long nowNanos) {
    for (int i = 0; i < places.size(); i++) {
      Underlying place = places.get(i);
      place.tick(nowNanos);
      DeviceHealth last = said[i];
      DeviceHealth now = place.health(nowNanos);
      if (now.state() != State.GOOD && now.state() != last.state()) {
        events.accept(now.toSentence());
      } else if (now.state() == State.GOOD && last.state() != State.GOOD) {
        String again = last.state() == State.HANGING ? " answers again" : " is back";
        events.accept(now.role() + " " + now.address() + again);
      }
      said[i] = now;
    }
  }

  /** How each is now. Any thread. */
  List<DeviceHealth> health() {
    long now = System.nanoTime();
    return places.stream().map(place -> place.health(now)).toList();
  }

  /** What a status line has behind the target's own words: empty, or words after a space. */
  String statusWords() {
    List<String> words = new ArrayList<>();
    for (DeviceHealth each : health()) {
      if (each.state() != State.GOOD) {
        words.add(" " + each.toStatusWords());
      }
    }
    return String.join("", words);
  }
}
