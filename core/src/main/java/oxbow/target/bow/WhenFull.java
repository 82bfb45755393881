package oxbow.target.bow;

import java.util.Locale;
import java.util.Optional;

/** What becomes of a write when there is no room for a copy of what it overwrites. */
public enum WhenFull {
  /** It fails with ENOSPC; the checkpoint stays as it is, and smaller writes may still succeed. */
  FAIL,
  /** The checkpoint is committed, then the write goes on. */
  COMMIT,
  /** It fails, and so does every write that needs a copy, until the checkpoint is committed. */
  STOP;

  /** The policy that is called so. */
  public static Optional<WhenFull> of(String word) {
    return switch (word) {
      case "fail" -> Optional.of(FAIL);
      case "commit" -> Optional.of(COMMIT);
      case "stop" -> Optional.of(STOP);
      default -> Optional.empty();
    };
  }

  /** As messages and command lines have it. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}
