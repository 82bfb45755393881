package oxbow.sim;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockingIo;
import oxbow.block.DeviceException;
import oxbow.block.Errno;

/**
 * A disk in memory with a volatile write cache, sparse, of any size.
 *
 * <p>Reads see all completed writes. A write is durable once a flush that was submitted after the
 * write's completion has itself completed, or, with FUA, once it has completed. What survives a
 * crash is what is durable, plus a lawful choice of what else was submitted, whether its completion
 * has been seen or not: any subset of the 512-byte sectors of those writes, the one completed later
 * on top where they overlap. A sector is atomic; nothing larger is.
 *
 * <p>There are two faces: blocking calls, for code that waits for its disk, and {@link
 * #submitWrite}, {@link #submitFlush} and what ends them, for a frame that keeps I/O in flight.
 *
 * <p>A test takes crash images whenever it likes, or lets power fail by itself before the n-th
 * operation, and so tries every crash point of a scenario:
 *
 * <pre>{@code
 * for (int n = 0, done = false; !done; n++) {
 *   SimDisk disk = new SimDisk(SIZE).failPowerBefore(n);
 *   done = runs(scenario, disk);                     // false after PowerFailure
 *   disk.forEachCrashImage(4096, this::check);       // or random ones: crashImage(random)
 * }
 * }</pre>
 *
 * <p>The disk can also fail ({@link #failOperation}) or lie ({@link #ignoreFlush}): a test of an
 * order of writes and flushes must notice when one of its flushes does nothing.
 *
 * <p>Not thread-safe.
 */
public final class SimDisk implements BlockingIo {
  public static final int SECTOR_BYTES = 512;

  private static final int PAGE_BYTES = 4096;

  private final long sizeBytes;

  /** Pages by number. A page is never changed, only replaced: maps share them. */
  private final Map<Long, byte[]> content;

  private final Map<Long, byte[]> durable;

  /** Completed writes that are not durable, in the order of their completion. */
  private final List<Write> cached = new ArrayList<>();

  /** Writes that have not been completed, in the order of their submission. */
  private final List<Write> inFlight = new ArrayList<>();

  private final List<Range> journal = new ArrayList<>();
  private Runnable beforeEvent = () -> {};
  private boolean refusesOverlaps;
  private long completedWrites;
  private int operationCount;
  private int flushCount;
  private int failureCount;
  private long bytesRead;
  private int powerFailsBefore = Integer.MAX_VALUE;
  private final Set<Integer> failingOperations = new HashSet<>();
  private final Set<Integer> ignoredFlushes = new HashSet<>();

  /** A write that was submitted. */
  public static final class Write {
    private final long offsetBytes;
    private final byte[] bytes;
    private final boolean isFua;

    /** Sectors whose fate no crash decides any more: durable, overwritten durably, or refused. */
    private final BitSet settled = new BitSet();

    private long completedAt;

    /** A flush that should have covered it has failed: no later one makes up for that. */
    private boolean isForsaken;

    private Write(long offsetBytes, byte[] bytes, boolean isFua) {
      this.offsetBytes = offsetBytes;
      this.bytes = bytes;
      this.isFua = isFua;
    }

    private int sectorCount() {
      return bytes.length / SECTOR_BYTES;
    }

    private ByteBuffer sector(int index) {
      return ByteBuffer.wrap(bytes, index * SECTOR_BYTES, SECTOR_BYTES);
    }

    /** What was durably written over it later is out of a crash's reach. */
    private void settle(Write later, int firstOfLater, int count) {
      long first = later.offsetBytes / SECTOR_BYTES + firstOfLater - offsetBytes / SECTOR_BYTES;
      long end = first + count;
      if (first < sectorCount() && end > 0) {
        settled.set((int) Math.max(0, first), (int) Math.min(sectorCount(), end));
      }
    }

    private boolean overlaps(Write other) {
      return offsetBytes < other.offsetBytes + other.bytes.length
          && other.offsetBytes < offsetBytes + bytes.length;
    }
  }

  /** A flush that was submitted: it covers the writes completed before. */
  public static final class Flush {
    private final long coveredWrites;

    private Flush(long coveredWrites) {
      this.coveredWrites = coveredWrites;
    }
  }

  /** Where something was written. */
  public record Range(long offsetBytes, int lengthBytes) {}

  /** Every operation throws it once power has failed. */
  public static final class PowerFailure extends IOException {
    PowerFailure() {
      super("power has failed");
    }
  }

  /** Receives crash images. */
  @FunctionalInterface
  public interface ImageVisitor {
    /** An image is a disk of its own. */
    void image(SimDisk image) throws IOException;
  }

  /** All zeros. */
  public SimDisk(long sizeBytes) {
    this(sizeBytes, new HashMap<>());
  }

  private SimDisk(long sizeBytes, Map<Long, byte[]> durable) {
    this.sizeBytes = sizeBytes;
    this.durable = durable;
    this.content = new HashMap<>(durable);
  }

  /** A disk that begins with the given content, all of it durable; the rest is zeros. */
  public static SimDisk of(byte[] content, long sizeBytes) {
    Map<Long, byte[]> pages = new HashMap<>();
    store(pages, 0, ByteBuffer.wrap(content));
    return new SimDisk(sizeBytes, pages);
  }

  /** The same content on a disk of another size, all of it durable. */
  public SimDisk resized(long newSizeBytes) {
    return new SimDisk(newSizeBytes, new HashMap<>(content));
  }

  @Override
  public String address() {
    return "sim";
  }

  @Override
  public long sizeBytes() {
    return sizeBytes;
  }

  @Override
  public void read(long offsetBytes, ByteBuffer into) throws IOException {
    beginOrFail(offsetBytes, into.remaining());
    bytesRead += into.remaining();
    for (long at = offsetBytes; into.hasRemaining(); ) {
      int inPage = (int) (at % PAGE_BYTES);
      int length = Math.min(into.remaining(), PAGE_BYTES - inPage);
      byte[] page = content.get(at / PAGE_BYTES);
      into.put(page == null ? new byte[length] : page, page == null ? 0 : inPage, length);
      at += length;
    }
  }

  @Override
  public void write(long offsetBytes, ByteBuffer from) throws IOException {
    int operation = operationCount;
    boolean fails = begin(offsetBytes, from.remaining());
    Write write = submitWrite(offsetBytes, from, false);
    if (fails) {
      failWrite(write, write.sectorCount() / 2);
      throw failure(operation);
    }
    completeWrite(write);
  }

  @Override
  public void flush() throws IOException {
    int operation = operationCount;
    boolean fails = begin(0, 0);
    if (ignoredFlushes.contains(flushCount++)) {
      return;
    }
    Flush flush = submitFlush();
    if (fails) {
      failFlush(flush);
      throw failure(operation);
    }
    completeFlush(flush);
  }

  private void beginOrFail(long offsetBytes, int lengthBytes) throws IOException {
    if (begin(offsetBytes, lengthBytes)) {
      throw failure(operationCount - 1);
    }
  }

  /** Whether the operation shall fail. */
  private boolean begin(long offsetBytes, int lengthBytes) throws IOException {
    Objects.checkFromIndexSize(offsetBytes, lengthBytes, sizeBytes);
    if (operationCount >= powerFailsBefore) {
      throw new PowerFailure();
    }
    boolean fails = failingOperations.contains(operationCount++);
    failureCount += fails ? 1 : 0;
    return fails;
  }

  private static DeviceException failure(int operation) {
    return new DeviceException(Errno.EIO, "sim: operation " + operation + " failed");
  }

  private static void store(Map<Long, byte[]> pages, long offsetBytes, ByteBuffer from) {
    for (long at = offsetBytes; from.hasRemaining(); ) {
      int inPage = (int) (at % PAGE_BYTES);
      int length = Math.min(from.remaining(), PAGE_BYTES - inPage);
      byte[] before = pages.get(at / PAGE_BYTES);
      byte[] page = before == null ? new byte[PAGE_BYTES] : before.clone();
      from.get(page, inPage, length);
      pages.put(at / PAGE_BYTES, page);
      at += length;
    }
  }

  // ---- I/O in flight ----

  /** Has something run before each submission and each completion from now on. */
  void beforeEachEvent(Runnable action) {
    beforeEvent = action;
  }

  /**
   * From now on it is an error to submit a write while another one of the same sectors is in
   * flight: which of the two is on top in the end is not defined.
   */
  public SimDisk refuseOverlaps() {
    refusesOverlaps = true;
    return this;
  }

  /** Submits a write. From now on a crash may leave any of its sectors; reads do not see it yet. */
  public Write submitWrite(long offsetBytes, ByteBuffer from, boolean isFua) {
    Objects.checkFromIndexSize(offsetBytes, from.remaining(), sizeBytes);
    if (offsetBytes % SECTOR_BYTES != 0 || from.remaining() % SECTOR_BYTES != 0) {
      throw new IllegalArgumentException("not whole sectors: " + offsetBytes);
    }
    beforeEvent.run();
    byte[] bytes = new byte[from.remaining()];
    from.get(bytes);
    Write write = new Write(offsetBytes, bytes, isFua);
    if (refusesOverlaps && inFlight.stream().anyMatch(write::overlaps)) {
      throw new IllegalStateException("two writes in flight at byte " + offsetBytes);
    }
    inFlight.add(write);
    journal.add(new Range(offsetBytes, bytes.length));
    return write;
  }

  /** The write has ended well: reads see it, later flushes cover it. */
  public void completeWrite(Write write) {
    beforeEvent.run();
    complete(write, write.sectorCount());
  }

  /**
   * The write has ended with an error.
   *
   * @param sectors so many, from its first one on, were written all the same
   */
  public void failWrite(Write write, int sectors) {
    beforeEvent.run();
    write.settled.set(sectors, write.sectorCount());
    complete(write, sectors);
  }

  private void complete(Write write, int sectors) {
    if (!inFlight.remove(write)) {
      throw new IllegalStateException("not in flight: the write at byte " + write.offsetBytes);
    }
    store(content, write.offsetBytes, ByteBuffer.wrap(write.bytes, 0, sectors * SECTOR_BYTES));
    write.completedAt = completedWrites++;
    cached.add(write);
    if (write.isFua && sectors == write.sectorCount()) {
      harden(write);
    }
  }

  /** Submits a flush. */
  public Flush submitFlush() {
    beforeEvent.run();
    return new Flush(completedWrites);
  }

  /** The flush has ended well: what it covers is durable. */
  public void completeFlush(Flush flush) {
    beforeEvent.run();
    for (Write write : List.copyOf(cached)) {
      if (write.completedAt < flush.coveredWrites && !write.isForsaken) {
        harden(write);
      }
    }
  }

  /**
   * The flush has ended with an error. Nothing it covers can be relied on any more, whatever later
   * flushes answer: a kernel may have dropped the dirty pages.
   */
  public void failFlush(Flush flush) {
    beforeEvent.run();
    for (Write write : cached) {
      write.isForsaken |= write.completedAt < flush.coveredWrites;
    }
  }

  private void harden(Write write) {
    for (int i = write.settled.nextClearBit(0); i < write.sectorCount(); ) {
      int end = write.settled.nextSetBit(i);
      int count = (end < 0 ? write.sectorCount() : end) - i;
      int at = i * SECTOR_BYTES;
      ByteBuffer run = ByteBuffer.wrap(write.bytes, at, count * SECTOR_BYTES);
      store(durable, write.offsetBytes + at, run);
      for (Write older : cached) {
        if (older.completedAt < write.completedAt) {
          older.settle(write, i, count);
        }
      }
      i = write.settled.nextClearBit(i + count);
    }
    cached.remove(write);
  }

  // ---- What shall go wrong ----

  /** Lets power fail before an operation (read, write or flush), counted from 0. */
  public SimDisk failPowerBefore(int operation) {
    powerFailsBefore = operation;
    return this;
  }

  /**
   * Lets an operation, counted from 0, fail with EIO. A write has written its first half all the
   * same; what a flush should have made durable can be lost for good.
   */
  public SimDisk failOperation(int operation) {
    failingOperations.add(operation);
    return this;
  }

  /** From now on no operation fails any more. */
  public void repair() {
    failingOperations.clear();
  }

  /** Lets a flush, counted from 0, succeed without doing anything. */
  public SimDisk ignoreFlush(int flush) {
    ignoredFlushes.add(flush);
    return this;
  }

  // ---- What happened ----

  /** Reads, writes and flushes so far, failed ones included. */
  public int operationCount() {
    return operationCount;
  }

  /** Operations that failed so far, as they were told to. */
  public int failureCount() {
    return failureCount;
  }

  /** Flushes so far, ignored ones included. */
  public int flushCount() {
    return flushCount;
  }

  public long bytesRead() {
    return bytesRead;
  }

  /** All writes since the disk was made or {@link #clearWrites} was called, in their order. */
  public List<Range> writes() {
    return List.copyOf(journal);
  }

  /** Forgets what {@link #writes} lists; contents stay. */
  public void clearWrites() {
    journal.clear();
  }

  /** A copy of part of what reads see. */
  public byte[] bytes(long offsetBytes, int lengthBytes) {
    byte[] bytes = new byte[lengthBytes];
    for (int i = 0; i < lengthBytes; ) {
      int inPage = (int) ((offsetBytes + i) % PAGE_BYTES);
      int length = Math.min(lengthBytes - i, PAGE_BYTES - inPage);
      byte[] page = content.get((offsetBytes + i) / PAGE_BYTES);
      if (page != null) {
        System.arraycopy(page, inPage, bytes, i, length);
      }
      i += length;
    }
    return bytes;
  }

  /** The first bytes of a sector as a number, as reads see it. */
  public int intAt(long offsetBytes) {
    return intAt(content, offsetBytes);
  }

  /** The same of what is durable. */
  public int durableIntAt(long offsetBytes) {
    return intAt(durable, offsetBytes);
  }

  private static int intAt(Map<Long, byte[]> pages, long offsetBytes) {
    byte[] page = pages.get(offsetBytes / PAGE_BYTES);
    return page == null ? 0 : ByteBuffer.wrap(page).getInt((int) (offsetBytes % PAGE_BYTES));
  }

  /** What reads see, as a key: equal for disks of equal content. Later writes do not change it. */
  public Object contentKey() {
    return new Content(new HashMap<>(content));
  }

  private record Content(Map<Long, byte[]> pages) {
    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof Content that
          && pages.keySet().equals(that.pages.keySet())
          && pages.entrySet().stream()
              .allMatch(page -> Arrays.equals(page.getValue(), that.pages.get(page.getKey())));
    }

    @Override
    public int hashCode() {
      int hash = 0;
      for (Map.Entry<Long, byte[]> page : pages.entrySet()) {
        hash += page.getKey().hashCode() ^ Arrays.hashCode(page.getValue());
      }
      return hash;
    }
  }

  /** Changes content behind the back of whoever uses the disk, durably: damage. */
  public void flipBit(long offsetBytes, int bit) {
    long number = offsetBytes / PAGE_BYTES;
    byte[] page = content.getOrDefault(number, new byte[PAGE_BYTES]).clone();
    page[(int) (offsetBytes % PAGE_BYTES)] ^= (byte) (1 << bit);
    content.put(number, page);
    durable.put(number, page);
  }

  // ---- What a crash leaves ----

  /** Writes that are not durable, in the order in which they lie over each other. */
  private List<Write> pending() {
    List<Write> pending = new ArrayList<>(cached);
    pending.addAll(inFlight);
    return pending;
  }

  /** Sectors that are not durable; where writes overlap, each counts. */
  public int pendingSectors() {
    int sectors = 0;
    for (Write write : cached) {
      sectors += write.sectorCount();
    }
    for (Write write : inFlight) {
      sectors += write.sectorCount();
    }
    return sectors;
  }

  /**
   * What is left when power fails now.
   *
   * @param survives whether a pending sector, by its index in the order of writing, made it
   */
  public SimDisk crashImage(IntPredicate survives) {
    Map<Long, byte[]> pages = new HashMap<>(durable);
    int index = 0;
    for (Write write : pending()) {
      for (int i = 0; i < write.sectorCount(); i++) {
        if (survives.test(index++) && !write.settled.get(i)) {
          store(pages, write.offsetBytes + (long) i * SECTOR_BYTES, write.sector(i));
        }
      }
    }
    return new SimDisk(sizeBytes, pages);
  }

  /** A random lawful image: nothing, all, a subset of the writes, a torn write, any sectors. */
  public SimDisk crashImage(Random random) {
    List<Write> pending = pending();
    boolean[] survives = new boolean[pendingSectors()];
    int style = random.nextInt(5);
    int torn = pending.isEmpty() ? -1 : random.nextInt(pending.size());
    int index = 0;
    for (int w = 0; w < pending.size(); w++) {
      boolean whole = random.nextBoolean();
      int prefix = random.nextInt(pending.get(w).sectorCount() + 1);
      for (int i = 0; i < pending.get(w).sectorCount(); i++) {
        survives[index++] =
            switch (style) {
              case 0 -> false;
              case 1 -> true;
              case 2 -> whole;
              case 3 -> w == torn ? i < prefix : whole;
              default -> random.nextBoolean();
            };
      }
    }
    return crashImage(i -> survives[i]);
  }

  /**
   * Every lawful image, at a granularity: each aligned piece of a pending write either made it or
   * not.
   *
   * @param granularityBytes a multiple of 512 that divides every pending write
   * @throws IllegalStateException if there are more than 2^16 images
   */
  public void forEachCrashImage(int granularityBytes, ImageVisitor visitor) throws IOException {
    int sectorsPerPiece = granularityBytes / SECTOR_BYTES;
    int pieces = pendingSectors() / sectorsPerPiece;
    if (pieces > 16) {
      throw new IllegalStateException(pieces + " pieces are too many to try all");
    }
    for (int choice = 0; choice < 1 << pieces; choice++) {
      int chosen = choice;
      visitor.image(crashImage(i -> (chosen >> (i / sectorsPerPiece) & 1) != 0));
    }
  }
}
