package oxbow.it;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
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
import oxbow.inspect.CloneMetadataCheck;
import oxbow.nbd.wire.Nbd;
import oxbow.nbd.wire.SimpleReply;
import oxbow.sim.SimDisk;
import oxbow.target.clone.CloneMetadata;
import oxbow.target.clone.Probe;
import oxbow.target.clone.RegionMap;

/**
 * Goes through the system calls of a clone and cuts the power after each. What the disk holds then
 * is what was synced, with any choice of what was not; a file whose directory was not synced may be
 * gone. In every such state a clone must open and hold what had been promised (O41).
 *
 * <ul>
 *   <li>A sync covers what had ended before it began, and counts once it has ended.
 *   <li>An answer counts from the moment it is sent.
 * </ul>
 */
final class PowerCuts {
  private static final int RANDOM_STATES = 4;
  private static final int REGION_BYTES = 4096;
  private static final int REGION_GRANULES = REGION_BYTES / VolatileModel.GRANULE_BYTES;

  /** Ext4 and the others write whole pages, disks whole sectors: that is where writes tear. */
  private static final int SECTOR_BYTES = 512;

  private final Promises promises;
  private final byte[] source;
  private final DiskState destination;
  private final DiskState metadata;
  private final Random random;

  /** By granule, the number of the oldest change that may be read; 0 is the source. */
  private final int[] required;

  private final Set<Long> answered = new HashSet<>();
  private boolean isAnythingPromised;
  private int stateCount;

  /** An effect on a file that no sync has covered. */
  private record Effect(SystemCalls.Call call, long offset, byte @Nullable [] bytes, long length) {
    boolean isResize() {
      return offset < 0;
    }
  }

  /** One file: what is durable of it, and what is not yet. */
  private static final class DiskState {
    final String path;
    final String directory;
    final byte[] durable;
    long durableSize;
    boolean isMade;
    boolean isNameDurable;
    final List<Effect> pending = new ArrayList<>();
    final Set<SystemCalls.Call> ended = new HashSet<>();
    final Map<SystemCalls.Call, List<Effect>> covered = new HashMap<>();

    DiskState(String path, int maxBytes, boolean isThere) {
      this.path = path;
      this.directory = path.substring(0, path.lastIndexOf('/'));
      this.durable = new byte[maxBytes];
      this.isMade = isThere;
      this.isNameDurable = isThere;
      this.durableSize = isThere ? maxBytes : 0;
    }
  }

  /** A choice of what a file holds after the cut; null content: no file. */
  private record Image(byte @Nullable [] bytes, long size) {}

  /**
   * @param metadataBytes how large the metadata is made
   */
  PowerCuts(Promises promises, byte[] source, String destination, int metadataBytes, long seed) {
    this.promises = promises;
    this.source = source;
    this.destination = new DiskState(destination, source.length, false);
    this.metadata = new DiskState(destination + ".meta", metadataBytes, false);
    this.random = new Random(seed);
    this.required = new int[promises.granuleCount()];
  }

  /** Both files are there already, full of zeros; whether their names are durable is not known. */
  PowerCuts leftOver() {
    for (DiskState file : List.of(destination, metadata)) {
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
      require(promises.byTheEnd());
      cut("the end");
    }
    return stateCount;
  }

  /** True when other states have become possible, or fewer lawful. */
  private boolean play(SystemCalls.Event event) {
    SystemCalls.Call call = event.call();
    if (call.name.equals("openat")) {
      for (DiskState file : List.of(destination, metadata)) {
        boolean isMade = call.words.toString().contains("O_CREAT");
        file.isMade |= event.isEnd() && isMade && call.opened().equals(file.path);
      }
      return false;
    }
    boolean isChanged = false;
    for (DiskState file : List.of(destination, metadata)) {
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
      answered.add(cookie);
      isPromise |= require(promises.by(cookie));
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

  private boolean require(List<Promises.Change> changes) {
    for (Promises.Change change : changes) {
      isAnythingPromised = true;
      for (int granule = change.first(); granule < change.first() + change.count(); granule++) {
        int number = promises.history(granule).indexOf(change) + 1;
        required[granule] = Math.max(required[granule], number);
      }
    }
    return !changes.isEmpty();
  }

  /** Nothing, all, either file, all but one, only one, and at random with torn writes. */
  private void cut(String where) throws IOException {
    List<Image> destinations = images(destination);
    List<Image> metadatas = images(metadata);
    for (Image content : destinations.subList(0, 2)) {
      for (Image of : metadatas) {
        check(content, of, where);
      }
    }
    for (Image content : destinations.subList(2, destinations.size())) {
      check(content, metadatas.get(random.nextInt(metadatas.size())), where);
    }
    if (!destination.isNameDurable) {
      Image gone = new Image(null, 0);
      for (Image of : metadatas) {
        check(gone, of, where);
      }
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

  private void check(Image content, Image of, String where) throws IOException {
    stateCount++;
    byte[] metadataBytes = of.bytes();
    byte[] bytes = content.bytes();
    if (metadataBytes == null || of.size() == 0) {
      checkBeginning(content, where);
      return;
    }
    SimDisk disk = SimDisk.of(metadataBytes, of.size());
    Probe probe = CloneMetadata.probe(disk);
    if (!(probe instanceof Probe.Formatted)) {
      if (!probe.mayBeFormatted()) {
        throw lost("the next start would refuse " + probe, where);
      }
      if (of.size() != metadata.durable.length) {
        throw lost("metadata was left with " + of.size() + " bytes", where);
      }
      checkBeginning(content, where);
      return;
    }
    var report = CloneMetadataCheck.run(disk, 10, 10);
    if (!report.isClean()) {
      throw lost("metadata is damaged: " + report.problems(), where);
    }
    if (bytes == null || content.size() != source.length) {
      throw lost("metadata, but no whole destination", where);
    }
    RegionMap map = new RegionMap(source.length / REGION_BYTES);
    try (CloneMetadata opened = CloneMetadata.open(disk, source.length / SECTOR_BYTES, 8)) {
      opened.load(map);
    }
    checkContent(bytes, map, where);
  }

  /** Without metadata all is the source's, and the destination must look unused (O11). */
  private void checkBeginning(Image content, String where) {
    byte[] bytes = content.bytes();
    if (isAnythingPromised) {
      throw lost("no metadata, but something was promised", where);
    }
    if (bytes != null && Arrays.mismatch(bytes, new byte[bytes.length]) >= 0) {
      throw lost("no metadata, but data in the destination", where);
    }
    if (bytes != null && content.size() != 0 && content.size() != source.length) {
      throw lost("the destination was left with " + content.size() + " bytes", where);
    }
  }

  private void checkContent(byte[] bytes, RegionMap map, String where) {
    MemorySegment inDestination = MemorySegment.ofArray(bytes);
    MemorySegment inSource = MemorySegment.ofArray(source);
    for (int granule = 0; granule < required.length; granule++) {
      boolean isHydrated = map.isHydrated(granule / REGION_GRANULES);
      MemorySegment read = isHydrated ? inDestination : inSource;
      if (!isAllowed(read, granule)) {
        throw lost(
            "granule %d is %s, required is change %d of %s"
                .formatted(
                    granule,
                    StampedContent.describe(
                        read, (long) granule * VolatileModel.GRANULE_BYTES, granule),
                    required[granule],
                    promises.history(granule)),
            where);
      }
    }
  }

  private boolean isAllowed(MemorySegment read, int granule) {
    long offset = (long) granule * VolatileModel.GRANULE_BYTES;
    List<Promises.Change> history = promises.history(granule);
    for (int number = required[granule]; number <= history.size(); number++) {
      boolean isPossible = number == 0 || hasBegun(history.get(number - 1));
      int stamp = number == 0 ? VolatileModel.SOURCE : history.get(number - 1).stamp();
      if (isPossible && StampedContent.matches(read, offset, granule, stamp)) {
        return true;
      }
    }
    return false;
  }

  /** A client asks one thing at a time: not before it has the answer to what it asked before. */
  private boolean hasBegun(Promises.Change change) {
    long previous = change.cookie() - 1;
    return answered.contains(previous) || Promises.isFirstOfConnection(change.cookie());
  }

  private static AssertionError lost(String what, String where) {
    return new AssertionError("power is cut at " + where + ": " + what);
  }
}
