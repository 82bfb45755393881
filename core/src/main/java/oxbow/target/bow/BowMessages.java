package oxbow.target.bow;

import java.util.List;
import java.util.Locale;
import oxbow.block.Sectors;
import oxbow.target.Geometry;
import oxbow.target.MessageException;
import oxbow.target.Words;

/** The messages of the target: words, and what the core is told. */
final class BowMessages {
  private final BowCore core;
  private final Geometry blocks;

  BowMessages(BowCore core, Geometry blocks) {
    this.core = core;
    this.blocks = blocks;
  }

  /** Carries a message out, as far as that takes no time; transitions end with an event. */
  String take(List<String> words) throws MessageException {
    String line = String.join(" ", words);
    String verb = words.isEmpty() ? "" : words.getFirst().toLowerCase(Locale.ROOT);
    return switch (words.size()) {
      case 1 -> takeWord(verb, line);
      case 2 -> takeSetting(verb, words.get(1), line);
      case 3 -> takeRange(verb, words, line);
      default -> throw invalid(line);
    };
  }

  private static MessageException invalid(String line) {
    return new MessageException("Invalid argument: " + line);
  }

  private String takeWord(String verb, String line) throws MessageException {
    return switch (verb) {
      case "checkpoint" -> begin();
      case "commit" -> commit();
      case "state" -> state();
      case "ranges" -> listRanges();
      default -> throw invalid(line);
    };
  }

  private String state() {
    String answer = core.state().number() + " " + core.state().word();
    return core.problem().isEmpty() ? answer : answer + " (" + core.problem() + ")";
  }

  /** The original's list; after a commit there are no ranges any more. */
  private String listRanges() {
    long sectors = Sectors.fromBytes(blocks.deviceBytes());
    return core.state() == BowState.COMMITTED
        ? BowRanges.top(sectors)
        : core.ranges().list(Sectors.fromBytes(blocks.partBytes()));
  }

  private String takeSetting(String verb, String word, String line) throws MessageException {
    switch (verb) {
      case "state" -> {
        return switch (word) {
          case "1" -> begin();
          case "2" -> commit();
          default -> throw invalid(line);
        };
      }
      case "when_full" ->
          core.setWhenFull(
              WhenFull.of(word.toLowerCase(Locale.ROOT)).orElseThrow(() -> invalid(line)));
      case "warn_at" -> {
        long percent = Words.number(word);
        if (percent < 1 || percent > SpaceMark.MAX_PERCENT) {
          throw invalid(line);
        }
        core.setWarnAt((int) percent);
      }
      default -> throw invalid(line);
    }
    return "";
  }

  private String begin() throws MessageException {
    String problem = core.beginProblem();
    if (!problem.isEmpty()) {
      throw new MessageException("no checkpoint can begin: " + problem);
    }
    core.begin();
    return "";
  }

  private String commit() throws MessageException {
    if (core.state() != BowState.CHECKPOINT) {
      throw new MessageException("nothing can be committed: it is in state " + core.state().word());
    }
    core.commit();
    return "";
  }

  /** {@code free <first sector> <sectors>}: whole blocks inside, as a discard of them. */
  private String takeRange(String verb, List<String> words, String line) throws MessageException {
    long first = Words.number(words.get(1));
    long count = Words.number(words.get(2));
    long sectors = Sectors.fromBytes(blocks.deviceBytes());
    if (!verb.equals("free") || first < 0 || count < 1 || count > sectors - first) {
      throw invalid(line);
    }
    if (core.state() != BowState.TRIM) {
      throw new MessageException(
          "what is free can be told before the checkpoint only: it is in state "
              + core.state().word());
    }
    core.free(
        blocks.firstWhole(Sectors.toBytes(first)), blocks.partOf(Sectors.toBytes(first + count)));
    return "";
  }
}
