package oxbow.device.file;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import oxbow.block.DeviceException;
import oxbow.block.Errno;
import oxbow.block.Sectors;
import oxbow.engine.DiskPool;
import oxbow.linux.DiskCalls;
import oxbow.linux.DiskFile;
import oxbow.linux.FileFacts;

/** Opens and creates {@link FileDevice}s. All methods block. */
public final class FileOpener {
  /** What becomes of an end of the file that makes no whole sector (O12). */
  public enum OddTail {
    /** It is not served; {@link FileDevice#lostBytes} tells how much that is. */
    DROP,
    /**
     * The device is padded with zeros to a whole sector. A writable file grows when the padding is
     * first written to.
     */
    PAD
  }

  /** Why a file may not be opened for writing though it can be read. */
  private static final Set<Integer> UNWRITABLE =
      Set.of(Errno.EACCES, Errno.EPERM, Errno.EROFS, Errno.EBUSY, Errno.ETXTBSY);

  private final DiskCalls calls;
  private final DiskPool pool;

  /** With the best calls this machine has. The pool must outlive all devices. */
  public FileOpener(DiskPool pool) {
    this(DiskCalls.best(), pool);
  }

  public FileOpener(DiskCalls calls, DiskPool pool) {
    this.calls = calls;
    this.pool = pool;
  }

  /**
   * Opens for reading, under a lock that other readers share.
   *
   * @throws DeviceInUseException when somebody of this program has it open for writing
   */
  public FileDevice openReadOnly(Path path, OddTail tail) throws IOException {
    return open(path, DiskFile.Mode.READ_ONLY, tail);
  }

  /**
   * Opens for reading and writing, under a lock that nobody shares.
   *
   * @throws DeviceInUseException when somebody of this program has it open
   */
  public FileDevice openWritable(Path path, OddTail tail) throws IOException {
    return open(path, DiskFile.Mode.READ_WRITE, tail);
  }

  /**
   * Opens for reading as {@link #openReadOnly} does, but so that {@link FileDevice#becomeWritable}
   * may follow where the file can be written at all.
   */
  public FileDevice openUpgradable(Path path, OddTail tail) throws IOException {
    try {
      return open(path, DiskFile.Mode.READ_WRITE, true, tail);
    } catch (DeviceException unwritable) {
      if (UNWRITABLE.contains(unwritable.errno())) {
        return openReadOnly(path, tail);
      }
      throw unwritable;
    }
  }

  private FileDevice open(Path path, DiskFile.Mode mode, OddTail tail) throws IOException {
    return open(path, mode, mode == DiskFile.Mode.READ_ONLY, tail);
  }

  private FileDevice open(Path path, DiskFile.Mode mode, boolean isReadOnly, OddTail tail)
      throws IOException {
    DiskFile file = calls.open(path, mode);
    try {
      lock(file, path, !isReadOnly);
      return asDevice(file, path, mode, isReadOnly, tail);
    } catch (IOException | RuntimeException e) {
      closeAfter(e, file);
      throw e;
    }
  }

  /**
   * Creates a sparse file, durably, name included (O41), and opens it for writing. What could not
   * be finished is removed again.
   *
   * @param sizeBytes whole sectors
   * @throws DeviceException with EEXIST when the path exists
   */
  public FileDevice create(Path path, long sizeBytes) throws IOException {
    checkSize(sizeBytes);
    DiskFile file = calls.open(path, DiskFile.Mode.CREATE_NEW);
    try {
      lock(file, path, true);
      giveSize(file, path, sizeBytes);
      return asDevice(file, path, DiskFile.Mode.CREATE_NEW, false, OddTail.DROP);
    } catch (IOException | RuntimeException e) {
      closeAfter(e, file);
      Files.deleteIfExists(path);
      throw e;
    }
  }

  /**
   * Gives an empty file its size, durably, and opens it for writing: what is left of a creation
   * that was interrupted, or a file that was made to be filled. What cannot be finished stays
   * empty.
   *
   * @param sizeBytes whole sectors
   * @throws DeviceException with EEXIST when the file is not empty
   */
  public FileDevice createInEmpty(Path path, long sizeBytes) throws IOException {
    checkSize(sizeBytes);
    DiskFile file = calls.open(path, DiskFile.Mode.READ_WRITE);
    try {
      lock(file, path, true);
      if (file.sizeBytes() != 0) {
        throw new DeviceException(Errno.EEXIST, path.toString());
      }
      giveSize(file, path, sizeBytes);
      return asDevice(file, path, DiskFile.Mode.READ_WRITE, false, OddTail.DROP);
    } catch (IOException | RuntimeException e) {
      closeAfter(e, file);
      throw e;
    }
  }

  private static void checkSize(long sizeBytes) {
    if (sizeBytes < 0 || !Sectors.isAligned(sizeBytes)) {
      throw new IllegalArgumentException("not a whole number of sectors: " + sizeBytes);
    }
  }

  /** Makes size and name durable; an interrupted creation may have left the name volatile (O41). */
  private void giveSize(DiskFile file, Path path, long sizeBytes) throws IOException {
    check(file.resize(sizeBytes), path);
    check(file.flushAll(), path);
    syncName(path);
  }

  /**
   * Makes the name of an open file durable. Creating does so by itself; but a file that was found
   * may be what an interrupted creation left, and its name only in memory (O41). Other kinds of
   * devices have no name that could be lost.
   */
  public void syncName(FileDevice device) throws IOException {
    if (device.isRegularFile()) {
      syncName(device.path());
    }
  }

  private void syncName(Path path) throws IOException {
    Path directory = path.toAbsolutePath().getParent();
    if (directory == null) {
      throw new DeviceException(Errno.EEXIST, path.toString()); // The root of all files.
    }
    calls.syncDirectory(directory);
  }

  static void lock(DiskFile file, Path path, boolean isExclusive) throws IOException {
    long result = file.lock(isExclusive);
    if (result == -Errno.EAGAIN) {
      throw new DeviceInUseException(path);
    }
    if (result < 0) {
      throw new DeviceException((int) -result, path + ": cannot be locked");
    }
  }

  private FileDevice asDevice(
      DiskFile file, Path path, DiskFile.Mode mode, boolean isReadOnly, OddTail tail)
      throws IOException {
    FileFacts facts = file.facts();
    long fileEndBytes = file.sizeBytes();
    check(fileEndBytes, path);
    long sizeBytes = Sectors.toBytes(Sectors.fromBytes(fileEndBytes));
    if (tail == OddTail.PAD && sizeBytes < fileEndBytes) {
      sizeBytes += Sectors.SIZE_BYTES;
    }
    boolean isUpgradable = isReadOnly && mode != DiskFile.Mode.READ_ONLY;
    return new FileDevice(
        path, file, facts, isReadOnly, isUpgradable, sizeBytes, fileEndBytes, pool);
  }

  private static void check(long result, Path path) throws DeviceException {
    if (result < 0) {
      throw new DeviceException((int) -result, path.toString());
    }
  }

  private static void closeAfter(Throwable failure, DiskFile file) {
    try {
      file.close();
    } catch (IOException e) {
      failure.addSuppressed(e);
    }
  }
}
