package oxbow.linux;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import oxbow.block.Errno;

/**
 * A {@link FileChannel}. Its errors have no numbers: what is not plainly a lack of space is EIO. It
 * makes garbage (views of the memory), which the Linux implementation does not. Its locks are those
 * of the process: closing one opening of a file may end the lock of another.
 */
final class PortableFile extends DiskFile {
  /**
   * How often this process has each file open under a lock: the JDK's locks are the process's, and
   * refuse a second shared one. Guarded by itself.
   */
  private static final Map<Object, Integer> SHARED_OPENINGS = new HashMap<>();

  private final FileChannel channel;
  private final Path path;
  private final Object identity;
  private boolean isCountedAsShared;

  /** Null when another opening of this process has, or had, the shared one. */
  private @Nullable FileLock lock;

  PortableFile(FileChannel channel, Path path) throws IOException {
    this.channel = channel;
    this.path = path;
    this.identity = identityOf(path);
  }

  private static Object identityOf(Path path) throws IOException {
    Object key = Files.readAttributes(path, BasicFileAttributes.class).fileKey();
    return key != null ? key : path.toRealPath();
  }

  /** What a channel does. */
  private interface Action {
    long run() throws IOException;
  }

  private static long attempt(Action action) {
    try {
      return action.run();
    } catch (IOException e) {
      String why = Objects.requireNonNullElse(e.getMessage(), "");
      return why.contains("No space left") || why.contains("quota") ? -Errno.ENOSPC : -Errno.EIO;
    }
  }

  private static ByteBuffer view(MemorySegment data, long dataOffset, long length) {
    return data.asSlice(dataOffset, length).asByteBuffer();
  }

  @Override
  public FileFacts facts() throws IOException {
    BasicFileAttributes attributes = Files.readAttributes(path, BasicFileAttributes.class);
    FileFacts.Kind kind =
        attributes.isRegularFile()
            ? FileFacts.Kind.REGULAR_FILE
            : attributes.isDirectory() ? FileFacts.Kind.DIRECTORY : FileFacts.Kind.OTHER;
    return new FileFacts(kind, -1, identity);
  }

  @Override
  public long sizeBytes() {
    return attempt(channel::size);
  }

  @Override
  public long read(long offsetBytes, MemorySegment data, long dataOffset, long length) {
    return attempt(() -> Math.max(0, channel.read(view(data, dataOffset, length), offsetBytes)));
  }

  @Override
  public long readNow(long offsetBytes, MemorySegment data, long dataOffset, long length) {
    return -Errno.ENOTSUP;
  }

  @Override
  public long write(long offsetBytes, MemorySegment data, long dataOffset, long length) {
    return attempt(() -> channel.write(view(data, dataOffset, length), offsetBytes));
  }

  @Override
  public long flush() {
    return force(false);
  }

  @Override
  public long flushAll() {
    return force(true);
  }

  private long force(boolean withMetadata) {
    return attempt(
        () -> {
          channel.force(withMetadata);
          return 0;
        });
  }

  @Override
  public long punchHole(long offsetBytes, long lengthBytes) {
    return -Errno.ENOTSUP;
  }

  @Override
  public long zeroRange(long offsetBytes, long lengthBytes) {
    return -Errno.ENOTSUP;
  }

  @Override
  public long allocate(long offsetBytes, long lengthBytes) {
    return -Errno.ENOTSUP;
  }

  @Override
  public long discard(long offsetBytes, long lengthBytes) {
    return -Errno.ENOTSUP;
  }

  @Override
  public long seekData(long offsetBytes) {
    return -Errno.ENOTSUP;
  }

  @Override
  public long seekHole(long offsetBytes) {
    return -Errno.ENOTSUP;
  }

  @Override
  public long resize(long sizeBytes) {
    return attempt(
        () -> {
          if (sizeBytes < channel.size()) {
            channel.truncate(sizeBytes);
          } else if (sizeBytes > channel.size()) {
            // One byte at the new end: file systems that know holes keep the rest as one.
            channel.write(ByteBuffer.allocate(1), sizeBytes - 1);
          }
          return 0;
        });
  }

  @Override
  public long prefetch(long offsetBytes, long lengthBytes) {
    return -Errno.ENOTSUP;
  }

  @Override
  public long cachedBytes(long offsetBytes, long lengthBytes) {
    return -Errno.ENOTSUP;
  }

  @Override
  public long lock(boolean isExclusive) {
    return attempt(
        () -> {
          synchronized (SHARED_OPENINGS) {
            if (isCountedAsShared) {
              return isExclusive ? exchange() : 0;
            }
            if (!isExclusive && SHARED_OPENINGS.containsKey(identity)) {
              countShared(1);
              return 0;
            }
            lock = tryLock(isExclusive);
            if (lock == null) {
              return -Errno.EAGAIN;
            }
            if (!isExclusive) {
              countShared(1);
            }
            return 0;
          }
        });
  }

  /** The shared lock for an exclusive one; the JDK knows no other way than through none. */
  private long exchange() throws IOException {
    if (!Integer.valueOf(1).equals(SHARED_OPENINGS.get(identity))) {
      return -Errno.EAGAIN;
    }
    FileLock shared = lock;
    if (shared != null) {
      shared.release();
    }
    lock = tryLock(true);
    if (lock == null) {
      lock = tryLock(false);
      return -Errno.EAGAIN;
    }
    countShared(-1);
    return 0;
  }

  private @Nullable FileLock tryLock(boolean isExclusive) throws IOException {
    try {
      return channel.tryLock(DiskCalls.LOCKED_BYTE, 1, !isExclusive);
    } catch (OverlappingFileLockException lockedByThisProcess) {
      return null;
    }
  }

  private void countShared(int change) {
    isCountedAsShared = change > 0;
    SHARED_OPENINGS.merge(identity, change, (old, more) -> old + more == 0 ? null : old + more);
  }

  @Override
  public DiskFile openDirect() throws IOException {
    throw new IOException(path + ": no direct I/O without native access");
  }

  @Override
  public void close() throws IOException {
    synchronized (SHARED_OPENINGS) {
      if (isCountedAsShared) {
        countShared(-1);
      }
    }
    channel.close();
  }
}
