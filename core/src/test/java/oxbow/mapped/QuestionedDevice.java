package oxbow.mapped;

import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import oxbow.block.BlockDevice;
import oxbow.block.BlockRequest;
import oxbow.block.Extents;
import oxbow.block.Limits;

/** A device whose beginning is in memory, and which keeps a question if the test wants that. */
final class QuestionedDevice implements BlockDevice {
  private final BlockDevice below;
  private final long cachedBytes;
  private final CompletableFuture<Extents> kept = new CompletableFuture<>();
  private boolean isKeeping;

  QuestionedDevice(BlockDevice below, long cachedBytes) {
    this.below = below;
    this.cachedBytes = cachedBytes;
  }

  /** Whoever asks from now on has to wait for the test. */
  QuestionedDevice keep() {
    isKeeping = true;
    return this;
  }

  /** Who is to be answered, as soon as there is one. */
  CompletableFuture<Extents> kept() {
    return kept;
  }

  @Override
  public void extents(long offsetBytes, long lengthBytes, int maxExtents, Extents receiver) {
    if (isKeeping) {
      kept.complete(receiver);
    } else {
      below.extents(offsetBytes, lengthBytes, maxExtents, receiver);
    }
  }

  @Override
  public boolean isInMemory(long offsetBytes, long lengthBytes) {
    return offsetBytes + lengthBytes <= cachedBytes;
  }

  @Override
  public void submit(BlockRequest request) {
    below.submit(request);
  }

  @Override
  public String address() {
    return below.address();
  }

  @Override
  public long sizeBytes() {
    return below.sizeBytes();
  }

  @Override
  public Limits limits() {
    return below.limits();
  }

  @Override
  public void close() throws IOException {
    below.close();
  }
}
