package oxbow.target.clone;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import oxbow.block.Operation;
import oxbow.target.Effects;
import oxbow.target.ExtentQuery;
import oxbow.target.Job;
import oxbow.target.Piece;

/** Notes what a core wants done, as words, and does nothing of it. */
final class RecordedEffects implements Effects {
  final List<String> wanted = new ArrayList<>();

  /** The last task that a flush was to be followed by. */
  @Nullable BlockingTask task;

  /** The last job that was begun. */
  @Nullable Job job;

  /** What was wanted since the last call. */
  List<String> take() {
    List<String> taken = List.copyOf(wanted);
    wanted.clear();
    return taken;
  }

  private void began(Job begun, String what) {
    job = begun;
    wanted.add(what);
  }

  @Override
  public void complete(Piece piece, int errno) {
    wanted.add("complete " + piece + " " + errno);
  }

  @Override
  public void issue(Piece piece, int slot, long offsetBytes, int ticket) {
    wanted.add("issue " + piece + " to " + slot);
  }

  @Override
  public void issueRange(
      Piece piece, int slot, Operation operation, long offsetBytes, long lengthBytes, int flags) {
    wanted.add("issue " + operation + " " + offsetBytes + "+" + lengthBytes + " to " + slot);
  }

  @Override
  public void read(Job begun, Piece piece, int slot, long offsetBytes) {
    began(begun, "read " + piece);
  }

  @Override
  public void writeBytes(Job begun, byte[] bytes, int slot, long offsetBytes, int flags) {
    began(begun, "write " + bytes.length + " bytes at " + offsetBytes);
  }

  @Override
  public void run(Job begun, BlockingTask then) {
    task = then;
    began(begun, "run");
  }

  @Override
  public void write(
      Job begun,
      Piece piece,
      long partBytes,
      long lengthBytes,
      int slot,
      long offsetBytes,
      int flags) {
    began(begun, "write " + piece);
  }

  @Override
  public void range(
      Job begun, int slot, Operation operation, long offsetBytes, long lengthBytes, int flags) {
    began(begun, operation + " " + offsetBytes + "+" + lengthBytes);
  }

  @Override
  public void copy(
      Job begun,
      int fromSlot,
      long fromBytes,
      int toSlot,
      long toBytes,
      long lengthBytes,
      boolean skipZeros) {
    began(begun, "copy " + fromBytes + "+" + lengthBytes + (skipZeros ? " skipping zeros" : ""));
  }

  @Override
  public void readThrough(
      Job begun,
      Piece piece,
      int fromSlot,
      int toSlot,
      long baseBytes,
      long lengthBytes,
      boolean skipZeros) {
    String how = skipZeros ? " skipping zeros" : "";
    began(begun, "read " + piece + " through " + baseBytes + "+" + lengthBytes + how);
  }

  @Override
  public void readForMerge(
      Job begun, int slot, long baseBytes, long lengthBytes, long readFromBytes, long readToBytes) {
    began(begun, "read for merge " + readFromBytes + " to " + readToBytes);
  }

  @Override
  public void writeMerged(Job begun, Piece pieces, int slot, long toBytes) {
    began(begun, "write merged " + pieces);
  }

  @Override
  public void flushThen(Job begun, int slot, @Nullable BlockingTask then) {
    task = then;
    began(begun, then == null ? "flush" : "flush, then commit");
  }

  @Override
  public void releaseBuffers() {
    wanted.add("release buffers");
  }

  @Override
  public void extents(ExtentQuery query, int slot, long offsetBytes, long lengthBytes) {
    began(query, "extents " + offsetBytes + "+" + lengthBytes + " of " + slot);
  }

  @Override
  public void wakeAt(long nanos) {
    wanted.add("wake at " + nanos);
  }

  @Override
  public void event(String why) {
    wanted.add("event " + why);
  }

  @Override
  public void warn(String what) {
    wanted.add("warn " + what);
  }
}
