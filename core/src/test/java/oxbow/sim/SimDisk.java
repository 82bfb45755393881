package oxbow.sim;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.function.IntPredicate;
import oxbow.block.BlockingIo;
import oxbow.block.DeviceException;
import oxbow.block.Errno;

/**
 * A disk in memory with a volatile write cache, sparse, of any size.
 *
 * <p>Reads see all writes. What survives a crash is the content at the last completed flush, plus a
 * lawful choice of what was written since: any subset of the 512-byte sectors of those writes, the
 * later write on top where they overlap. A sector is atomic; nothing larger is.
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

  private Map<Long, byte[]> durable;

  private final List<Write> pending = new ArrayList<>();
  private final List<Write> journal = new ArrayList<>();
  private int operationCount;
  private int flushCount;
  private long bytesRead;
  private int powerFailsBefore = Integer.MAX_VALUE;
  private final Set<Integer> failingOperations = new HashSet<>();
  private final Set<Integer> ignoredFlushes = new HashSet<>();

  /** A write call, by offset and what was written. */
  private record Write(long offsetBytes, ByteBuffer bytes) {
    int sectorCount() {
      return bytes.capacity() / SECTOR_BYTES;
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
    begin(offsetBytes, into.remaining());
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
    begin(offsetBytes, from.remaining());
    if (offsetBytes % SECTOR_BYTES != 0 || from.remaining() % SECTOR_BYTES != 0) {
      throw new IllegalArgumentException("not whole sectors: " + offsetBytes);
    }
    ByteBuffer copy = ByteBuffer.allocate(from.remaining()).put(from).clear();
    Write write = new Write(offsetBytes, copy);
    pending.add(write);
    journal.add(write);
    store(content, offsetBytes, copy.duplicate());
  }

  @Override
  public void flush() throws IOException {
    begin(0, 0);
    if (!ignoredFlushes.contains(flushCount++)) {
      durable = new HashMap<>(content);
      pending.clear();
    }
  }

  private void begin(long offsetBytes, int lengthBytes) throws IOException {
    Objects.checkFromIndexSize(offsetBytes, lengthBytes, sizeBytes);
    if (operationCount >= powerFailsBefore) {
      throw new PowerFailure();
    }
    if (failingOperations.contains(operationCount++)) {
      throw new DeviceException(Errno.EIO, "sim: operation " + (operationCount - 1) + " failed");
    }
  }

  private static void store(Map<Long, byte[]> pages, long offsetBytes, ByteBuffer from) {
    for (long at = offsetBytes; from.hasRemaining(); ) {
      int inPage = (int) (at % PAGE_BYTES);
      int length = Math.min(from.remaining(), PAGE_BYTES - inPage);
      byte[] page = pages.getOrDefault(at / PAGE_BYTES, new byte[PAGE_BYTES]).clone();
      from.get(page, inPage, length);
      pages.put(at / PAGE_BYTES, page);
      at += length;
    }
  }

  // ---- What shall go wrong ----

  /** Lets power fail before an operation (read, write or flush), counted from 0. */
  public SimDisk failPowerBefore(int operation) {
    powerFailsBefore = operation;
    return this;
  }

  /** Lets an operation, counted from 0, fail with EIO and have no effect. */
  public SimDisk failOperation(int operation) {
    failingOperations.add(operation);
    return this;
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

  /** Flushes so far, ignored ones included. */
  public int flushCount() {
    return flushCount;
  }

  public long bytesRead() {
    return bytesRead;
  }

  /** All writes since the disk was made or {@link #clearWrites} was called, in their order. */
  public List<Range> writes() {
    return journal.stream()
        .map(write -> new Range(write.offsetBytes, write.bytes.capacity()))
        .toList();
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

  /** Changes content behind the back of whoever uses the disk, durably: damage. */
  public void flipBit(long offsetBytes, int bit) {
    long number = offsetBytes / PAGE_BYTES;
    byte[] page = content.getOrDefault(number, new byte[PAGE_BYTES]).clone();
    page[(int) (offsetBytes % PAGE_BYTES)] ^= (byte) (1 << bit);
    content.put(number, page);
    durable.put(number, page);
  }

  // ---- What a crash leaves ----

  /** Sectors written since the last flush; where writes overlap, each counts. */
  public int pendingSectors() {
    return pending.stream().mapToInt(Write::sectorCount).sum();
  }

  /**
   * What is left when power fails now.
   *
   * @param survives whether a pending sector, by its index in the order of writing, made it
   */
  public SimDisk crashImage(IntPredicate survives) {
    Map<Long, byte[]> pages = new HashMap<>(durable);
    int index = 0;
    for (Write write : pending) {
      for (int i = 0; i < write.sectorCount(); i++) {
        if (survives.test(index++)) {
          int at = i * SECTOR_BYTES;
          store(pages, write.offsetBytes + at, write.bytes.slice(at, SECTOR_BYTES));
        }
      }
    }
    return new SimDisk(sizeBytes, pages);
  }

  /** A random lawful image: nothing, all, a subset of the writes, a torn write, any sectors. */
  public SimDisk crashImage(Random random) {
    int sectors = pendingSectors();
    boolean[] survives = new boolean[sectors];
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
