package oxbow.target.bow;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import java.util.function.UnaryOperator;
import oxbow.block.Flags;
import oxbow.block.Operation;
import oxbow.target.Target;

/**
 * A random life of a device: state 0, the transition, a checkpoint with writes anywhere, also where
 * copies and block 0 lie, and often a commit; I/O ends in any order, and before each event crash
 * states are rolled back and forward.
 */
final class BowHistory {
  private static final int[] BLOCK_BYTES = {512, 512, 1024, 4096};

  final BowWorld world;
  private final Random random;
  private final int blocks;

  /** With small blocks, much of it free, and many small writes: several logs. */
  private final boolean isLong;

  /** I/O of the target's own fails now and then. */
  private final boolean hasFailures;

  BowHistory(long seed, int samples, UnaryOperator<Target> defect) {
    random = new Random(seed * 0x9e3779b97f4a7c15L); // Neighbours begin alike otherwise.
    int blockBytes = BLOCK_BYTES[random.nextInt(BLOCK_BYTES.length)];
    isLong = blockBytes <= 1024 && random.nextBoolean();
    blocks = isLong ? 250 : 24 + random.nextInt(blockBytes == 512 ? 120 : 40);
    hasFailures = random.nextInt(4) == 0;
    world = new BowWorld(blockBytes, blocks, defect);
    world.frame.copyPartBytes = random.nextBoolean() ? 1 << 20 : 1024;
    world.frame.decideBy(() -> random.nextInt(4) == 0);
    world.crashing(seed, samples);
  }

  BowHistory run() {
    for (int i = 5 + random.nextInt(15); i > 0; i--) {
      useInTrim();
    }
    makeFree();
    world.message("when_full " + (random.nextInt(6) == 0 ? "commit" : "fail"));
    if (!world.checkpoint().isEmpty()) {
      world.frame.finishAll();
      return this;
    }
    int requests = isLong ? 180 : 20 + random.nextInt(60);
    for (int i = 0; i < requests && world.state() != BowState.COMMITTED; i++) {
      use();
    }
    if (random.nextBoolean()) {
      world.message("commit");
      for (int i = 0; i < 15; i++) {
        use();
      }
    }
    world.frame.finishAll();
    world.target.flush();
    world.frame.finishAll();
    world.check(world.disk.crashImage(random));
    world.target.suspend();
    world.frame.finishAll();
    assertThat(world.target.isSuspended()).isTrue();
    return this;
  }

  /** Some time passes. */
  private void finishSome() {
    int most = random.nextInt(4) == 0 ? 40 : 4;
    for (int i = random.nextInt(most); i > 0 && world.frame.inFlight() > 0; i--) {
      int index = random.nextInt(world.frame.inFlight());
      boolean fails = hasFailures && world.frame.canFail(index) && random.nextInt(60) == 0;
      if (fails && !world.frame.whatIsInFlight().get(index).startsWith("bow: user")) {
        world.frame.fail(index);
      } else {
        world.frame.finish(index);
      }
    }
  }

  private void useInTrim() {
    if (random.nextInt(3) == 0) {
      discard(randomSector());
    } else {
      use();
    }
  }

  private void makeFree() {
    for (int i = isLong ? 9 : 2 + random.nextInt(5); i > 0; i--) {
      int block = 1 + random.nextInt(blocks - 1);
      int count = Math.min(blocks - block, 1 + random.nextInt(random.nextBoolean() ? 4 : 30));
      send(Operation.DISCARD, world.at(block), world.at(count), 0);
      finishSome();
    }
  }

  private void use() {
    switch (random.nextInt(12)) {
      case 0 -> world.target.flush();
      case 1 -> discard(randomSector());
      case 2, 3 -> send(Operation.READ, randomSector(), 1 + random.nextInt(20), 0);
      case 4 -> send(Operation.WRITE_ZEROES, randomSector(), 1 + random.nextInt(20), 0);
      default -> {
        int most = random.nextInt(8) == 0 && !isLong ? 40 : 3 * world.sectorsPerBlock;
        int flags = random.nextInt(4) == 0 ? Flags.FUA : 0;
        send(Operation.WRITE, randomSector(), 1 + random.nextInt(most), flags);
      }
    }
    finishSome();
  }

  /** Anywhere; often in block 0, where it lies, and where copies lie. */
  private int randomSector() {
    int inBlock = random.nextInt(world.sectorsPerBlock);
    int choice = random.nextInt(10);
    if (choice == 0) {
      return inBlock;
    }
    if (choice <= 2) {
      List<Integer> found = blocksOf(choice == 1 ? "Sector0_current" : "Backup");
      if (!found.isEmpty()) {
        return found.get(random.nextInt(found.size())) + inBlock;
      }
    }
    return random.nextInt(world.sectors);
  }

  private List<Integer> blocksOf(String type) {
    return world.ranges().stream()
        .filter(range -> range.type().equals(type))
        .map(BowWorld.Listed::firstSector)
        .toList();
  }

  private void discard(int sector) {
    send(Operation.DISCARD, sector, 1 + random.nextInt(6 * world.sectorsPerBlock), 0);
  }

  /** Discards and other requests of one place do not overlap in time: nobody knows their order. */
  private void send(Operation operation, int first, int count, int flags) {
    int end = Math.min(world.sectors, first + count);
    boolean isDiscard = operation == Operation.DISCARD;
    boolean spares0 = isDiscard && first < world.sectorsPerBlock && random.nextInt(20) > 0;
    if (!spares0 && !world.model.isBusy(first, end, !isDiscard)) {
      world.target.submit(operation, first, end - first, flags);
    }
  }
}
