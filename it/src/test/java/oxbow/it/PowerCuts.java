package oxbow.it;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import oxbow.nbd.wire.Nbd;
import oxbow.nbd.wire.SimpleReply;

/**
 * Goes through the system calls of a server that works on two files, and cuts the power after each.
 * What the disk holds then is what was synced, with any choice of what was not; a file whose
 * directory was not synced may be gone. In every such state the server must find what it can go on
 * with, and what had been promised (O41): that is for a {@link Judge} to say.
 *
 * <ul>
 *   <li>A sync covers what had ended before it began, and counts once it has ended.
 *   <li>An answer counts from the moment it is sent.
 * </ul>
 */
final class PowerCuts {
  private static final int RANDOM_STATES = 4;

  /** Ext4 and the others write whole pages, disks whole sectors: that is where writes tear. */
  private static final int SECTOR_BYTES = 512;

  private final List<Requirements> required;
  private final DiskState first;
  private final DiskState second;
  private final Judge judge;
  private final Random random;
  private int stateCount;

  /** Says what is wrong with a state of the two files. */
  interface Judge {
    /**
     * @throws Lost if the state must not be
     */
    void judge(Image first, Image second) throws IOException, Lost;
  }

  /** Something that was promised is not there, or what is there is of no use. */
  static final class Lost extends Exception {
    private static final long serialVersionUID = 1;

    Lost(String what) {
      super(what);
    }
  }

  /** An effect on a file that no sync has covered. */
  private record Effect(SystemCalls.Call call, long offset, byte @Nullable [] bytes, long length) {
    boolean isResize() {
      return offset < 0;
    }
  }

  /** One file: what is durable of it, and what is not yet. */
  static final class DiskState {
    final String path;
    final String directory;
    final byte[] durable;
    long durableSize;
    boolean isMade;
    boolean isNameDurable;
    final List<Effect> pending = new ArrayList<>();
    final Set<SystemCalls.Call> ended = new HashSet<>();
    final Map<SystemCalls.Call, List<Effect>> covered = new HashMap<>();

    private DiskState(String path, byte[] durable, boolean isThere) {
      this.path = path;
      this.directory = path.substring(0, path.lastIndexOf('/'));
      this.durable = durable;
      this.isMade = isThere;
      this.isNameDurable = isThere;
      this.durableSize = isThere ? durable.length : 0;
    }

    /** A file that the program is to make. */
    static DiskState missing(String path, int maxBytes) {
      return new DiskState(path, new byte[maxBytes], false);
    }

    /** A file that is there, with that content. */
    static DiskState holding(String path, byte[] content) {
      return new DiskState(path, content.clone(), true);
    }
  }

  /** A choice of what a file holds after the cut; null content: no file. */
  record Image(byte @Nullable [] bytes, long size) {
    /** Whether there is no file, or one that has no bytes. */
    boolean isEmpty() {
      return bytes == null || size == 0;
    }
  }

  /**
   * @param required what was promised of each device that is served
   * @param first the one whose name may be lost while the other has got far
   */
  PowerCuts(
      List<Requirements> required, DiskState first, DiskState second, Judge judge, long seed) {
    this.required = required;
    this.first = first;
    this.second = second;
    this.judge = judge;
    this.random = new Random(seed);
  }

  /** Both files are there already, full of zeros; whether their names are durable is not known. */
  PowerCuts leftOver() {
    for (DiskState file : List.of(first, second)) {
      file.isMade = true;
      file.durableSize = file.durable.length;
    }
    return this;
  }

  /**
   * Fails at the first cut that would lose something.
   *
   * @param isEndAPromise what was acknowledged must have become durable at the end
   * @return how many states were looked at
   */
  int check(List<SystemCalls.Event> events, boolean isEndAPromise) throws IOException {
    for (SystemCalls.Event event : events) {
      if (play(event)) {
        cut(event.call().toString());
      }
    }
    if (isEndAPromise) {
      required.forEach(Requirements::requireAll);
      cut("the end");
    }
    return stateCount;
  }

  /** Whether a story in which something is missing is noticed to lose something. */
  boolean loses(List<SystemCalls.Event> events) throws IOException {
    try {
      check(events, true);
      return false;
    } catch (AssertionError lost) {
      if (!(lost.getCause() instanceof Lost)) {
        throw lost;
      }
      return true;
    }
  }

  /** True when other states have become possible, or fewer lawful. */
  private boolean play(SystemCalls.Event event) {
    SystemCalls.Call call = event.call();
    if (call.name.equals("openat")) {
      for (DiskState file : List.of(first, second)) {
        boolean isMade = call.words.toString().contains("O_CREAT");
        file.isMade |= event.isEnd() && isMade && call.opened().equals(file.path);
      }
      return false;
    }
    boolean isChanged = false;
    for (DiskState file : List.of(first, second)) {
      if (call.path.equals(file.directory) && call.isSync()) {
        file.isNameDurable |= file.isMade && event.isEnd() && call.hasSucceeded();
      } else if (call.path.equals(file.path)) {
        isChanged |= play(file, call, event.isEnd());
      }
    }
    if (!event.isEnd()) {
      isChanged |= answer(call);
    }
    return isChanged;
  }

  private static boolean play(DiskState file, SystemCalls.Call call, boolean isEnd) {
    if (call.isSync()) {
      if (!isEnd) {
        file.covered.put(
            call, file.pending.stream().filter(e -> file.ended.contains(e.call())).toList());
      } else if (call.hasSucceeded()) {
        List<Effect> covered = file.covered.getOrDefault(call, List.of());
        for (Effect effect : covered) {
          file.durableSize = apply(effect, file.durable, file.durableSize);
        }
        file.pending.removeAll(covered);
      }
      return false;
    }
    if (isEnd) {
      file.ended.add(call);
      return false;
    }
    Effect effect =
        switch (call.name) {
          case "pwrite64" -> new Effect(call, call.number(-1), call.data, call.data.length);
          case "ftruncate" -> new Effect(call, -1, null, call.number(-1));
          case "fallocate" -> new Effect(call, call.number(-2), null, call.number(-1));
          case "openat" -> null;
          default -> throw new AssertionError("not foreseen: " + call);
        };
    boolean isOnlyReserved =
        call.name.equals("fallocate") && call.words.contains("FALLOC_FL_KEEP_SIZE");
    if (effect == null || isOnlyReserved) {
      return false;
    }
    file.pending.add(effect);
    return true;
  }

  private static long apply(Effect effect, byte[] bytes, long size) {
    if (effect.isResize()) {
      return effect.length();
    }
    byte[] written = effect.bytes();
    int offset = (int) effect.offset();
    if (written == null) {
      // The end of a file is where it is tried whether holes can be punched.
      int end = (int) Math.min(bytes.length, offset + effect.length());
      Arrays.fill(bytes, offset, Math.max(offset, end), (byte) 0);
      return size;
    }
    System.arraycopy(written, 0, bytes, offset, written.length);
    return Math.max(size, effect.offset() + written.length);
  }

  private boolean answer(SystemCalls.Call sent) {
    boolean isPromise = false;
    for (long cookie : cookies(sent)) {
      for (Requirements each : required) {
        isPromise |= each.answered(cookie);
      }
    }
    return isPromise;
  }

  /**
   * The cookies of the good answers that a call sends. Simple replies lie one after the other;
   * whatever else is sent belongs to the handshake.
   */
  static long[] cookies(SystemCalls.Call call) {
    boolean isSocket = call.path.startsWith("socket:") || call.path.startsWith("UNIX");
    ByteBuffer bytes = ByteBuffer.wrap(call.data);
    LongStream.Builder cookies = LongStream.builder();
    int at = 0;
    while (isSocket
        && at + SimpleReply.SIZE_BYTES <= bytes.capacity()
        && SimpleReply.magic(bytes, at) == Nbd.SIMPLE_REPLY_MAGIC) {
      if (SimpleReply.error(bytes, at) == 0) {
        cookies.add(SimpleReply.cookie(bytes, at));
      }
      at += SimpleReply.SIZE_BYTES;
    }
    return cookies.build().toArray();
  }

  /** Nothing, all, either file, all but one, only one, and at random with torn writes. */
  private void cut(String where) throws IOException {
    List<Image> firsts = images(first);
    List<Image> seconds = images(second);
    for (Image one : firsts.subList(0, 2)) {
      for (Image other : seconds) {
        look(one, other, where);
      }
    }
    for (Image one : firsts.subList(2, firsts.size())) {
      look(one, seconds.get(random.nextInt(seconds.size())), where);
    }
    if (!first.isNameDurable) {
      for (Image other : seconds) {
        look(new Image(null, 0), other, where);
      }
    }
  }

  private void look(Image one, Image other, String where) throws IOException {
    stateCount++;
    try {
      judge.judge(one, other);
    } catch (Lost lost) {
      throw new AssertionError("power is cut at " + where + ": " + lost.getMessage(), lost);
    }
  }

  /** The first is the least that can be left of a file, the second the most. */
  private List<Image> images(DiskState file) {
    List<Effect> pending = file.pending;
    List<Image> images = new ArrayList<>();
    boolean mayBeGone = !file.isNameDurable;
    images.add(mayBeGone ? new Image(null, 0) : image(file, List.of(), false));
    images.add(file.isMade ? image(file, pending, false) : new Image(null, 0));
    if (!file.isMade || pending.isEmpty()) {
      return images;
    }
    images.add(image(file, List.of(), false));
    Effect last = pending.getLast();
    images.add(image(file, List.of(last), false));
    images.add(image(file, pending.subList(0, pending.size() - 1), false));
    for (int i = 0; i < RANDOM_STATES; i++) {
      List<Effect> chosen = pending.stream().filter(e -> random.nextBoolean()).toList();
      images.add(image(file, chosen, i % 2 == 0));
    }
    return images;
  }

  private Image image(DiskState file, List<Effect> chosen, boolean isTorn) {
    byte[] bytes = file.durable.clone();
    long size = file.durableSize;
    for (Effect effect : chosen) {
      size = apply(isTorn ? torn(effect, bytes) : effect, bytes, size);
    }
    return new Image(bytes, size);
  }

  /** Some sectors of a write get there, others do not. */
  private Effect torn(Effect effect, byte[] under) {
    byte[] written = effect.bytes();
    if (written == null) {
      return effect;
    }
    byte[] torn = written.clone();
    int offset = (int) effect.offset();
    for (int at = 0; at < torn.length; at += SECTOR_BYTES - (offset + at) % SECTOR_BYTES) {
      if (random.nextInt(3) == 0) {
        int end = Math.min(torn.length, at + SECTOR_BYTES - (offset + at) % SECTOR_BYTES);
        System.arraycopy(under, offset + at, torn, at, end - at);
      }
    }
    return new Effect(effect.call(), effect.offset(), torn, torn.length);
  }
}
