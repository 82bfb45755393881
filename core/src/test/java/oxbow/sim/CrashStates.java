package oxbow.sim;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.IntPredicate;
import oxbow.format.logwrites.LogEntry;
import oxbow.target.logwrites.LogReader;

/**
 * What a crash may leave of several devices, by the ordered log of what was done to them. The crash
 * comes after some step (the cut). Of each device there is what was durable then, and any choice of
 * the 512-byte sectors that were written since: lost, torn, and, since any subset may be there, as
 * if in another order. Where writes overlap the later one is on top.
 *
 * <pre>{@code
 * List<CrashStates.Step> steps = CrashStates.steps(log, sizes);
 * new CrashStates(imagesAtFirst, steps).forEachCut(cut -> check(cut.marks(), cut.state(random)));
 * }</pre>
 */
public final class CrashStates {
  private static final int SECTOR_BYTES = 512;
  private static final int MOST_EXHAUSTIVE_SECTORS = 14;

  /** What a step does. */
  public enum Kind {
    /** Also of zeros: a discard is one that may be lost like any. */
    WRITE,
    FLUSH,
    MARK
  }

  /**
   * A step of the log.
   *
   * @param device index; 0 for marks
   * @param isFua the write is durable at once, though others before it need not be
   * @param mark text of a mark
   */
  public record Step(
      Kind kind, int device, long offsetBytes, byte[] data, boolean isFua, String mark) {}

  /** A write that may be lost, unless it must not. */
  private record Pending(int offsetBytes, byte[] data, boolean isFua) {
    int sectors() {
      return data.length / SECTOR_BYTES;
    }
  }

  /** Receives each cut in turn, valid during the call. */
  @FunctionalInterface
  public interface CutVisitor {
    void cut(Cut cut) throws IOException;
  }

  private final List<byte[]> durable = new ArrayList<>();
  private final List<List<Pending>> pending = new ArrayList<>();
  private final List<Step> steps;
  private final List<String> marks = new ArrayList<>();

  /**
   * @param atFirst content of each device before the first step; not changed
   */
  public CrashStates(List<byte[]> atFirst, List<Step> steps) {
    this.steps = steps;
    for (byte[] image : atFirst) {
      durable.add(image.clone());
      pending.add(new ArrayList<>());
    }
  }

  /**
   * The steps of a log.
   *
   * @param sizesBytes lengths of the devices, in the order of their windows
   */
  public static List<Step> steps(LogReader log, List<Long> sizesBytes) throws IOException {
    List<Step> steps = new ArrayList<>();
    for (LogReader.Entry entry = log.next(); entry != null; entry = log.next()) {
      LogEntry head = entry.head();
      if (head.isMark()) {
        steps.add(new Step(Kind.MARK, 0, 0, new byte[0], false, entry.text()));
        continue;
      }
      int device = 0;
      long offset = head.sector() * log.sectorBytes();
      while (offset >= sizesBytes.get(device)) {
        offset -= sizesBytes.get(device++);
      }
      if (head.isFlush()) {
        // A write that comes with a flush is none of what was flushed.
        steps.add(new Step(Kind.FLUSH, device, 0, new byte[0], false, ""));
      }
      if (head.sectorCount() > 0) {
        byte[] data =
            head.isDiscard()
                ? new byte[Math.toIntExact(head.sectorCount() * log.sectorBytes())]
                : log.data(entry);
        steps.add(new Step(Kind.WRITE, device, offset, data, head.isFua(), ""));
      }
    }
    return steps;
  }

  /** A crash before the first step, after each, and after the last. Only once. */
  public void forEachCut(CutVisitor visitor) throws IOException {
    visitor.cut(new Cut(0));
    for (int i = 0; i < steps.size(); i++) {
      apply(steps.get(i));
      visitor.cut(new Cut(i + 1));
    }
  }

  private void apply(Step step) {
    List<Pending> open = pending.get(step.device);
    switch (step.kind) {
      case MARK -> marks.add(step.mark);
      case WRITE -> open.add(new Pending((int) step.offsetBytes, step.data, step.isFua));
      case FLUSH -> {
        durable.set(step.device, image(step.device, sector -> true));
        open.clear();
      }
    }
  }

  /** A device's content: what is durable, and the pending sectors that are chosen, by number. */
  private byte[] image(int device, IntPredicate survives) {
    byte[] image = durable.get(device).clone();
    int number = 0;
    for (Pending write : pending.get(device)) {
      for (int i = 0; i < write.sectors(); i++) {
        if (survives.test(number++) || write.isFua) {
          int at = i * SECTOR_BYTES;
          System.arraycopy(write.data, at, image, write.offsetBytes + at, SECTOR_BYTES);
        }
      }
    }
    return image;
  }

  /** A moment at which power may fail. */
  public final class Cut {
    private final int number;

    private Cut(int number) {
      this.number = number;
    }

    /** How many steps were taken before. */
    public int number() {
      return number;
    }

    /** Those before the cut, in their order. */
    public List<String> marks() {
      return List.copyOf(marks);
    }

    /** Sectors of all devices that may or may not be there; where writes overlap, each counts. */
    public int pendingSectors() {
      return pending.stream().flatMap(List::stream).mapToInt(Pending::sectors).sum();
    }

    /**
     * A random lawful state; for each device nothing, all, whole writes, a torn one, or sectors.
     */
    public List<byte[]> state(Random random) {
      List<byte[]> state = new ArrayList<>();
      for (int device = 0; device < durable.size(); device++) {
        boolean[] chosen = choose(pending.get(device), random);
        state.add(image(device, sector -> chosen[sector]));
      }
      return state;
    }

    /**
     * Every lawful state.
     *
     * @throws IllegalStateException if there are too many
     */
    public List<List<byte[]>> allStates() {
      int sectors = pendingSectors();
      if (sectors > MOST_EXHAUSTIVE_SECTORS) {
        throw new IllegalStateException(sectors + " sectors are too many to try all");
      }
      List<List<byte[]>> states = new ArrayList<>();
      for (int choice = 0; choice < 1 << sectors; choice++) {
        List<byte[]> state = new ArrayList<>();
        int left = choice;
        for (int device = 0; device < durable.size(); device++) {
          int bits = left;
          state.add(image(device, sector -> (bits >> sector & 1) != 0));
          left >>= pending.get(device).stream().mapToInt(Pending::sectors).sum();
        }
        states.add(state);
      }
      return states;
    }

    @Override
    public String toString() {
      return "cut " + number + " of " + steps.size();
    }
  }

  private static boolean[] choose(List<Pending> writes, Random random) {
    boolean[] chosen = new boolean[writes.stream().mapToInt(Pending::sectors).sum()];
    int style = random.nextInt(5);
    int torn = writes.isEmpty() ? -1 : random.nextInt(writes.size());
    int at = 0;
    for (int w = 0; w < writes.size(); w++) {
      int sectors = writes.get(w).sectors();
      boolean isWhole = random.nextBoolean();
      int prefix = random.nextInt(sectors + 1);
      for (int i = 0; i < sectors; i++) {
        chosen[at + i] =
            switch (style) {
              case 0 -> false;
              case 1 -> true;
              case 2 -> isWhole;
              case 3 -> w == torn ? i < prefix : isWhole;
              default -> random.nextBoolean();
            };
      }
      at += sectors;
    }
    return chosen;
  }
}
