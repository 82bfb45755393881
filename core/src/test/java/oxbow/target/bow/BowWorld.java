package oxbow.target.bow;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.function.UnaryOperator;
import oxbow.block.BlockDevice;
import oxbow.block.Sectors;
import oxbow.format.bow.BowLog;
import oxbow.inspect.BowCondition;
import oxbow.inspect.BowForward;
import oxbow.inspect.BowLogCheck;
import oxbow.inspect.BowLogReport;
import oxbow.inspect.BowRestore;
import oxbow.sim.SimDevice;
import oxbow.sim.SimDisk;
import oxbow.sim.SimFrame;
import oxbow.sim.SimMachine;
import oxbow.sim.SimRequest;
import oxbow.sim.SimTarget;
import oxbow.target.MessageException;
import oxbow.target.Target;
import oxbow.target.TargetDevices;
import oxbow.target.TargetException;

/** A bow target on a simulated disk, with a model of what it promises. */
final class BowWorld {
  static final int FIRST_STAMP = 1_000_000;

  final int blockBytes;
  final int sectorsPerBlock;
  final int sectors;
  final SimMachine machine = new SimMachine();
  final SimFrame frame = new SimFrame();
  final SimDisk disk;
  final SimDevice device;
  final BowTarget bow;
  final SimTarget target;
  final BowModel model;

  /** The way back may be gone. */
  private boolean isCommitBegun;

  /** What the crash states that were looked at had. */
  long crashStates;

  long rolledBack;
  long longestChain;
  long movesOfBlock0;

  BowWorld(int blockBytes, int blocks) {
    this(blockBytes, blocks, target -> target);
  }

  /**
   * @param defect puts something around the target that makes it do wrong
   */
  BowWorld(int blockBytes, int blocks, UnaryOperator<Target> defect) {
    this.blockBytes = blockBytes;
    sectorsPerBlock = blockBytes / Sectors.SIZE_BYTES;
    sectors = blocks * sectorsPerBlock;
    byte[] content = SimRequest.stamped(FIRST_STAMP, sectors);
    disk = machine.add(SimDisk.of(content, content.length));
    device = new SimDevice("disk", disk);
    bow = construct(device, blockBytes);
    target = frame.add("bow", defect.apply(bow));
    target.resume();
    model = new BowModel(sectors, FIRST_STAMP, sectorsPerBlock, () -> state() == BowState.TRIM);
    frame.listen(model);
  }

  static BowTarget construct(SimDevice device, int blockBytes) {
    TargetDevices devices =
        new TargetDevices() {
          @Override
          public BlockDevice open(String address, boolean isWritable) {
            return device;
          }
        };
    try {
      long length = Sectors.fromBytes(device.sizeBytes());
      List<String> words = List.of("disk", "1", "block_size:" + blockBytes);
      return (BowTarget) new BowTargetType().construct(length, words, devices);
    } catch (TargetException refused) {
      throw new IllegalStateException(refused);
    }
  }

  BowStatus status() {
    return bow.figures();
  }

  BowState state() {
    return status().state();
  }

  /** First sector of a block. */
  int at(int block) {
    return block * sectorsPerBlock;
  }

  String message(String line) {
    try {
      return target.message(line.split(" ", -1));
    } catch (MessageException refused) {
      return "refused: " + refused.getMessage();
    }
  }

  /** Asks for a checkpoint. */
  String checkpoint() {
    model.checkpointAsked();
    return message("checkpoint");
  }

  /** Discards blocks and takes a checkpoint, to its end. */
  BowWorld checkpointed(int firstFree, int freeBlocks) {
    target.discard(at(firstFree), freeBlocks * sectorsPerBlock);
    checkpoint();
    frame.finishAll();
    return this;
  }

  /** A line of the list of ranges. */
  record Listed(String type, int firstSector) {}

  /** The list of ranges. */
  List<Listed> ranges() {
    return message("ranges")
        .lines()
        .map(
            line -> {
              int colon = line.indexOf(": ");
              return new Listed(
                  line.substring(0, colon), Integer.parseInt(line.substring(colon + 2)));
            })
        .toList();
  }

  /** Whether a block is in a range of this type. */
  boolean isType(int block, String type) {
    String found = "";
    for (Listed range : ranges()) {
      if (range.firstSector > at(block)) {
        break;
      }
      found = range.type;
    }
    return found.equals(type);
  }

  /** Goes both ways from what a crash has left, and compares. */
  void check(SimDisk image) {
    crashStates++;
    try {
      BowLog newest = BowLogCheck.newest(image).orElse(null);
      if (newest == null) {
        model.assertForward(image);
      } else {
        check(image, newest);
      }
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }

  private void check(SimDisk image, BowLog newest) throws IOException {
    BowLogReport report = BowLogCheck.run(image, newest, 10, bytes -> {});
    boolean isSound = report.condition() == BowCondition.SOUND;
    isCommitBegun |= state() == BowState.COMMITTING || state() == BowState.COMMITTED;
    if (!isSound && !isCommitBegun) {
      throw new AssertionError(report.condition() + ": " + report.problems());
    }
    if (isSound) {
      SimDisk back = image.resized(image.sizeBytes());
      BowRestore.run(back, report, false, bytes -> {});
      model.assertBack(back);
      rolledBack++;
      longestChain = Math.max(longestChain, report.logCount());
      movesOfBlock0 = Math.max(movesOfBlock0, report.uncheckedEntryCount());
    }
    SimDisk forward = image.resized(image.sizeBytes());
    BowForward.run(forward, newest);
    model.assertForward(forward);
  }

  /** Has some crash states looked at before each event from now on. */
  BowWorld crashing(long seed, int samples) {
    machine.watch(
        ignored -> {
          int count = machine.hasPending() ? samples : 1;
          for (int sample = 0; sample < count; sample++) {
            check(machine.crash(seed, sample).getFirst());
          }
        });
    return this;
  }
}
