package oxbow.linux;

import java.io.IOException;
import java.lang.foreign.MemorySegment;

/** A file that passes every call on; tests override the calls that shall fail. */
public class ForwardingDiskFile extends DiskFile {
  private final DiskFile real;

  public ForwardingDiskFile(DiskFile real) {
    this.real = real;
  }

  @Override
  public FileFacts facts() throws IOException {
    return real.facts();
  }

  @Override
  public long sizeBytes() {
    return real.sizeBytes();
  }

  @Override
  public long read(long offsetBytes, MemorySegment data, long dataOffset, long length) {
    return real.read(offsetBytes, data, dataOffset, length);
  }

  @Override
  public long readNow(long offsetBytes, MemorySegment data, long dataOffset, long length) {
    return real.readNow(offsetBytes, data, dataOffset, length);
  }

  @Override
  public long write(long offsetBytes, MemorySegment data, long dataOffset, long length) {
    return real.write(offsetBytes, data, dataOffset, length);
  }

  @Override
  public long flush() {
    return real.flush();
  }

  @Override
  public long flushAll() {
    return real.flushAll();
  }

  @Override
  public long punchHole(long offsetBytes, long lengthBytes) {
    return real.punchHole(offsetBytes, lengthBytes);
  }

  @Override
  public long zeroRange(long offsetBytes, long lengthBytes) {
    return real.zeroRange(offsetBytes, lengthBytes);
  }

  @Override
  public long allocate(long offsetBytes, long lengthBytes) {
    return real.allocate(offsetBytes, lengthBytes);
  }

  @Override
  public long discard(long offsetBytes, long lengthBytes) {
    return real.discard(offsetBytes, lengthBytes);
  }

  @Override
  public long seekData(long offsetBytes) {
    return real.seekData(offsetBytes);
  }

  @Override
  public long seekHole(long offsetBytes) {
    return real.seekHole(offsetBytes);
  }

  @Override
  public long resize(long sizeBytes) {
    return real.resize(sizeBytes);
  }

  @Override
  public long prefetch(long offsetBytes, long lengthBytes) {
    return real.prefetch(offsetBytes, lengthBytes);
  }

  @Override
  public long cachedBytes(long offsetBytes, long lengthBytes) {
    return real.cachedBytes(offsetBytes, lengthBytes);
  }

  @Override
  public long lock(boolean isExclusive) {
    return real.lock(isExclusive);
  }

  @Override
  public DiskFile openDirect() throws IOException {
    return real.openDirect();
  }

  @Override
  public void close() throws IOException {
    real.close();
  }
}
