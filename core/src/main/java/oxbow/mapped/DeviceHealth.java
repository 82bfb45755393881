package oxbow.mapped;

import java.util.Locale;
import java.util.concurrent.TimeUnit;

/**
 * How a device underneath is doing at one moment.
 *
 * @param role what it is to the target: source, destination, metadata
 * @param forNanos how long it has been in this state; while GOOD, how long its slowest request has
 *     waited
 * @param why half a sentence; empty if nothing is known
 * @param held how many requests wait: all while AWAY, else those that have for more than a second
 * @param isRemote whether it can go away and has a hold
 * @param holdNanos how long requests are held while it is away; {@link oxbow.block.Remote#FOREVER}
 */
public record DeviceHealth(
    String role,
    String address,
    State state,
    long forNanos,
    String why,
    long held,
    boolean isRemote,
    long holdNanos) {

  /** From well to hopeless. */
  public enum State {
    /** As far as is known. */
    GOOD,
    /** Requests have been waiting for long, and nobody knows why. */
    HANGING,
    /** It cannot be reached, and requests are held until it is back. */
    AWAY,
    /** It cannot be reached, and requests fail until it is back. */
    FAILING,
    /** It will not come back; requests fail. */
    GONE
  }

  public long seconds() {
    return TimeUnit.NANOSECONDS.toSeconds(forNanos);
  }

  /** As the status says it, e.g. {@code away}. */
  public String stateWord() {
    return state.name().toLowerCase(Locale.ROOT);
  }

  /** What a status line has behind the target's own words; empty while all is well. */
  public String toStatusWords() {
    return switch (state) {
      case GOOD -> "";
      case HANGING, AWAY -> "%s_%s %ds held %d".formatted(role, stateWord(), seconds(), held);
      case FAILING, GONE -> "%s_%s %ds".formatted(role, stateWord(), seconds());
    };
  }

  /** For people; empty while all is well. */
  public String toSentence() {
    String who = role + " " + address;
    String reason = why.isEmpty() ? "" : " (" + why + ")";
    return switch (state) {
      case GOOD -> "";
      case HANGING ->
          "%s does not answer: %s waiting for up to %d s".formatted(who, requests(held), seconds());
      case AWAY -> "%s away for %d s%s; %s held".formatted(who, seconds(), reason, requests(held));
      case FAILING -> "%s away for %d s%s; requests fail".formatted(who, seconds(), reason);
      case GONE -> "%s gone for good%s; requests fail".formatted(who, reason);
    };
  }

  private static String requests(long count) {
    return count == 1 ? "1 request" : count + " requests";
  }
}
