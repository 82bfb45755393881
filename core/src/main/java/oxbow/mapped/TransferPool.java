package oxbow.mapped;

import java.util.ArrayDeque;

/** Transfers not in use, and the buffers they share. Any thread. */
final class TransferPool implements AutoCloseable {
  private final ArrayDeque<Transfer> idle = new ArrayDeque<>();
  private final CopyBuffers buffers = new CopyBuffers();

  synchronized Transfer take() {
    Transfer transfer = idle.poll();
    return transfer == null ? new Transfer(this) : transfer;
  }

  synchronized void give(Transfer transfer) {
    idle.push(transfer);
  }

  CopyBuffers buffers() {
    return buffers;
  }

  @Override
  public void close() {
    buffers.close();
  }
}
