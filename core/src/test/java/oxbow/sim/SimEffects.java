package oxbow.sim;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Objects;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;
import oxbow.block.Errno;
import oxbow.block.Flags;
import oxbow.block.Operation;
import oxbow.sim.SimRequest.SimPiece;
import oxbow.target.Effects;
import oxbow.target.ExtentQuery;
import oxbow.target.Job;
import oxbow.target.Mapping;
import oxbow.target.Piece;

/** What a core wants done on its own devices: noted, and later begun as I/O in flight. */
final class SimEffects implements Effects {
  private static final int SECTOR = SimFrame.SECTOR;

  /** No more extents than this come in one answer: a core has to ask again. */
  private static final int EXTENTS_PER_ANSWER = 3;

  /** Part of a buffer that the core forgot to fill. */
  private static final byte GARBAGE = (byte) 0x9d;

  private final SimFrame frame;
  private final SimTarget target;

  /** Copies, merges and reads that are written elsewhere, too, in flight. */
  private int buffers;

  /** The contents of a range between the two halves of a merged write. */
  private record Merge(long baseBytes, byte[] buffer) {}

  SimEffects(SimFrame frame, SimTarget target) {
    this.frame = frame;
    this.target = target;
  }

  private String what(String verb) {
    return target.name() + ": " + verb;
  }

  private static boolean isFua(int flags) {
    return (flags & Flags.FUA) != 0;
  }

  /** A job begins; it ends with {@link SimTarget#ended}. */
  private void job(Runnable begin) {
    frame.note(
        () -> {
          target.jobBegins();
          begin.run();
        });
  }

  // Users' pieces.

  @Override
  public void complete(Piece piece, int errno) {
    frame.note(() -> target.end(((SimPiece) piece).takeFromTarget(), errno));
  }

  @Override
  public void issue(Piece piece, int slot, long offsetBytes) {
    issue(piece, slot, offsetBytes, Mapping.NO_TICKET);
  }

  @Override
  public void issue(Piece piece, int slot, long offsetBytes, int ticket) {
    frame.note(() -> send(((SimPiece) piece).takeFromTarget(), slot, offsetBytes, ticket));
  }

  @Override
  public void issueRange(
      Piece piece, int slot, Operation operation, long offsetBytes, long lengthBytes, int flags) {
    frame.note(
        () -> {
          SimPiece user = ((SimPiece) piece).takeFromTarget();
          startRange(operation, slot, offsetBytes, lengthBytes, flags, e -> target.end(user, e));
        });
  }

  /** A piece goes to a device as it is; the device's answer is the user's. */
  void send(SimPiece piece, int slot, long offsetBytes, int ticket) {
    SimDevice device = target.device(slot);
    long length = piece.lengthBytes();
    String what = what("user " + piece.operation());
    IntConsumer end =
        errno -> {
          target.giveBack(ticket);
          target.end(piece, errno);
        };
    switch (piece.operation()) {
      case READ -> startUserRead(what, piece, device, offsetBytes, end);
      case WRITE, WRITE_ZEROES, DISCARD ->
          frame.startWrite(what, device, offsetBytes, piece.bytes(0, length), piece.isFua(), end);
      case FLUSH -> frame.startFlush(what, device, end);
      case CACHE -> frame.startStep(what, () -> end.accept(Errno.OK));
    }
  }

  private void startUserRead(
      String what, SimPiece piece, SimDevice device, long offsetBytes, IntConsumer end) {
    frame.startRead(
        what,
        device,
        offsetBytes,
        piece.lengthBytes(),
        (found, errno) -> {
          if (errno == Errno.OK) {
            piece.fill(found, 0);
          }
          end.accept(errno);
        });
  }

  private void startRange(
      Operation operation,
      int slot,
      long offsetBytes,
      long lengthBytes,
      int flags,
      IntConsumer end) {
    String what = what(operation.toString());
    if (operation.changesData()) {
      byte[] zeros = new byte[Math.toIntExact(lengthBytes)];
      frame.startWrite(what, target.device(slot), offsetBytes, zeros, isFua(flags), end);
    } else {
      frame.startStep(what, () -> end.accept(Errno.OK));
    }
  }

  // Jobs of one request.

  @Override
  public void read(Job job, Piece piece, int slot, long offsetBytes) {
    job(
        () ->
            startUserRead(
                what("read"),
                (SimPiece) piece,
                target.device(slot),
                offsetBytes,
                errno -> target.ended(job, errno)));
  }

  @Override
  public void write(
      Job job,
      Piece piece,
      long partOffsetBytes,
      long partLengthBytes,
      int slot,
      long offsetBytes,
      int flags) {
    job(
        () ->
            frame.startWrite(
                what("write"),
                target.device(slot),
                offsetBytes,
                ((SimPiece) piece).bytes(partOffsetBytes, partLengthBytes),
                isFua(flags),
                errno -> target.ended(job, errno)));
  }

  @Override
  public void writeBytes(Job job, byte[] bytes, int slot, long offsetBytes, int flags) {
    job(
        () ->
            frame.startWrite(
                what("bytes"),
                target.device(slot),
                offsetBytes,
                bytes,
                isFua(flags),
                errno -> target.ended(job, errno)));
  }

  @Override
  public void range(
      Job job, int slot, Operation operation, long offsetBytes, long lengthBytes, int flags) {
    job(
        () ->
            startRange(
                operation,
                slot,
                offsetBytes,
                lengthBytes,
                flags,
                errno -> target.ended(job, errno)));
  }

  @Override
  public void flushThen(Job job, int slot, @Nullable BlockingTask task) {
    job(
        () ->
            frame.startFlush(
                what("flush"),
                target.device(slot),
                errno -> {
                  if (errno != Errno.OK || task == null) {
                    target.ended(job, errno);
                  } else {
                    startTask(job, task);
                  }
                }));
  }

  @Override
  public void run(Job job, BlockingTask task) {
    job(() -> startTask(job, task));
  }

  private void startTask(Job job, BlockingTask task) {
    frame.startStep(what("task"), () -> target.ended(job, task.run()));
  }

  // Copies.

  @Override
  public void copy(
      Job job,
      int fromSlot,
      long fromOffsetBytes,
      int toSlot,
      long toOffsetBytes,
      long lengthBytes,
      boolean skipZeros) {
    job(
        () -> {
          buffers++;
          Copy copy =
              new Copy(job, target.device(fromSlot), target.device(toSlot), "copy-", skipZeros);
          copy.readPart(fromOffsetBytes, toOffsetBytes, lengthBytes);
        });
  }

  /** A copy under way, part by part, each part run by run. */
  private final class Copy {
    private final Job job;
    private final SimDevice from;
    private final SimDevice to;
    private final String verb;
    private final boolean skipsZeros;

    Copy(Job job, SimDevice from, SimDevice to, String verb, boolean skipsZeros) {
      this.job = job;
      this.from = from;
      this.to = to;
      this.verb = verb;
      this.skipsZeros = skipsZeros;
    }

    void readPart(long fromBytes, long toBytes, long leftBytes) {
      if (leftBytes == 0) {
        end(Errno.OK);
        return;
      }
      int length = (int) Math.min(leftBytes, frame.copyPartBytes);
      frame.startRead(
          what(verb + "read"),
          from,
          fromBytes,
          length,
          (found, errno) -> {
            if (errno != Errno.OK) {
              end(errno);
              return;
            }
            job.dataRead(fromBytes, MemorySegment.ofArray(found), length);
            write(
                found,
                0,
                toBytes,
                () -> readPart(fromBytes + length, toBytes + length, leftBytes - length));
          });
    }

    /** Writes the next run, from a place in the part on, that is not known to be there. */
    void write(byte[] part, int at, long toBytes, Runnable then) {
      int start = at;
      while (skipsZeros && start < part.length && isZero(part, start)) {
        start += SECTOR;
      }
      if (start == part.length) {
        then.run();
        return;
      }
      int end = start;
      while (end < part.length && !(skipsZeros && isZero(part, end))) {
        end += SECTOR;
      }
      int next = end;
      frame.startWrite(
          what(verb + "write"),
          to,
          toBytes + start,
          Arrays.copyOfRange(part, start, end),
          false,
          errno -> {
            if (errno == Errno.OK) {
              write(part, next, toBytes, then);
            } else {
              end(errno);
            }
          });
    }

    void end(int errno) {
      buffers--;
      target.ended(job, errno);
    }
  }

  private static boolean isZero(byte[] bytes, int at) {
    for (int i = at; i < at + SECTOR; i++) {
      if (bytes[i] != 0) {
        return false;
      }
    }
    return true;
  }

  @Override
  public void readThrough(
      Job job,
      Piece piece,
      int fromSlot,
      int toSlot,
      long baseBytes,
      long lengthBytes,
      boolean skipZeros) {
    job(
        () -> {
          SimDevice from = target.device(fromSlot);
          SimPiece user = (SimPiece) piece;
          if (frame.missingBuffers > 0) {
            frame.missingBuffers--;
            send(user.takeFromTarget(), fromSlot, piece.offsetBytes(), Mapping.NO_TICKET);
            frame.startStep(what("no buffer"), () -> target.ended(job, Errno.EAGAIN));
            return;
          }
          buffers++;
          Copy copy = new Copy(job, from, target.device(toSlot), "through-", skipZeros);
          startUserRead(
              what("through-user"),
              user,
              from,
              piece.offsetBytes(),
              errno -> {
                target.end(user.takeFromTarget(), errno);
                readTheRest(copy, user, baseBytes, lengthBytes, errno);
              });
        });
  }

  /**
   * The user has its answer: reads the whole range, as if around the user's part, and writes it.
   */
  private void readTheRest(Copy copy, SimPiece user, long baseBytes, long lengthBytes, int errno) {
    if (errno != Errno.OK) {
      copy.end(errno);
      return;
    }
    byte[] answered = new byte[Math.toIntExact(user.lengthBytes())];
    MemorySegment.copy(
        user.data(), user.dataOffset(), MemorySegment.ofArray(answered), 0, answered.length);
    int at = Math.toIntExact(user.offsetBytes() - baseBytes);
    frame.startRead(
        what("through-rest"),
        copy.from,
        baseBytes,
        lengthBytes,
        (found, result) -> {
          if (result != Errno.OK) {
            copy.end(result);
            return;
          }
          System.arraycopy(answered, 0, found, at, answered.length);
          copy.job.dataRead(baseBytes, MemorySegment.ofArray(found), found.length);
          copy.write(found, 0, baseBytes, () -> copy.end(Errno.OK));
        });
  }

  // Merges.

  @Override
  public void readForMerge(
      Job job, int slot, long baseBytes, long lengthBytes, long readFromBytes, long readToBytes) {
    job(
        () -> {
          buffers++;
          frame.startRead(
              what("merge-read"),
              target.device(slot),
              readFromBytes,
              readToBytes - readFromBytes,
              (found, errno) -> {
                if (errno == Errno.OK) {
                  byte[] buffer = new byte[Math.toIntExact(lengthBytes)];
                  Arrays.fill(buffer, GARBAGE);
                  int at = Math.toIntExact(readFromBytes - baseBytes);
                  System.arraycopy(found, 0, buffer, at, found.length);
                  job.frame = new Merge(baseBytes, buffer);
                } else {
                  buffers--;
                }
                target.ended(job, errno);
              });
        });
  }

  @Override
  public void writeMerged(Job job, Piece pieces, int slot, long toOffsetBytes) {
    job(
        () -> {
          Merge merge = (Merge) Objects.requireNonNull(job.frame);
          job.frame = null;
          for (Piece piece = pieces; piece != null; piece = piece.next) {
            byte[] bytes = ((SimPiece) piece).bytes(0, piece.lengthBytes());
            int at = Math.toIntExact(piece.offsetBytes() - merge.baseBytes);
            System.arraycopy(bytes, 0, merge.buffer, at, bytes.length);
          }
          frame.startWrite(
              what("merge-write"),
              target.device(slot),
              toOffsetBytes,
              merge.buffer,
              false,
              errno -> {
                buffers--;
                target.ended(job, errno);
              });
        });
  }

  @Override
  public void releaseBuffers() {
    frame.note(
        () -> {
          if (buffers > 0) {
            throw new AssertionError(target.name() + " gives up buffers that are in use");
          }
        });
  }

  // All else.

  @Override
  public void extents(ExtentQuery query, int slot, long offsetBytes, long lengthBytes) {
    SimDevice device = target.device(slot);
    job(
        () ->
            frame.startQuestion(
                what("extents"),
                device,
                errno -> {
                  if (errno == Errno.OK) {
                    answer(query, device, offsetBytes, lengthBytes);
                  }
                  target.ended(query, errno);
                }));
  }

  private static void answer(ExtentQuery query, SimDevice device, long offset, long length) {
    long at = offset / SECTOR;
    long end = (offset + length) / SECTOR;
    for (int n = 0; at < end && n < EXTENTS_PER_ANSWER; n++) {
      boolean isZero = device.isZero(at);
      long next = at + 1;
      while (next < end && device.isZero(next) == isZero) {
        next++;
      }
      query.add((next - at) * SECTOR, isZero);
      at = next;
    }
  }

  @Override
  public void wakeAt(long nanos) {
    frame.note(() -> target.wakeAt(nanos));
  }

  @Override
  public void event(String why) {
    frame.note(() -> target.raise(why));
  }

  @Override
  public void warn(String what) {
    frame.note(
        () -> {
          target.warnings().add(what);
          frame.log().add("warning of " + target.name() + ": " + what);
        });
  }
}
