package oxbow.job;

import java.io.IOException;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockDevice;
import oxbow.block.ByteSize;
import oxbow.block.Sectors;
import oxbow.console.Console;
import oxbow.console.UserException;
import oxbow.device.Address;
import oxbow.device.file.FileDevice;
import oxbow.format.FormatException;
import oxbow.format.snapshot.StoreHeader;
import oxbow.target.snapshot.SnapshotArgs;
import oxbow.target.snapshot.StoreOpener;
import oxbow.target.snapshot.StoreProbe;

/**
 * Everything that can be wrong with a snapshot before anything is created or written (O11, O12).
 * Used once; blocks.
 */
final class SnapshotChecks {
  static final String COMMAND = "snapshot";
  private static final String UNCHANGED = DeviceStack.UNCHANGED;

  /** Header, metadata area, one chunk of data. */
  private static final int FEWEST_CHUNKS = 3;

  private final SnapshotOrder order;
  private final Console console;
  private final StoreChecks checks;

  /**
   * @param devices gets what is opened
   */
  SnapshotChecks(SnapshotOrder order, DeviceStack devices, Console console) {
    this.order = order;
    this.console = console;
    this.checks = new StoreChecks(COMMAND, devices, console);
  }

  /**
   * Checks all.
   *
   * @throws UserException says what is in the way
   */
  SnapshotPlan check() throws UserException, IOException {
    checkWords();
    Address origin = DeviceOpener.parse(COMMAND, order.origin());
    Address store = DeviceOpener.parse(COMMAND, order.store());
    checks.checkDistinct(origin, store);
    if (order.createBytes().isPresent()) {
      checkCanBeCreated(store);
    }
    if (order.growStepBytes().isPresent() && !(store instanceof Address.File)) {
      throw wrong("--grow: " + store.text() + " is no file that could grow");
    }
    return check(origin, store);
  }

  private static void checkWarnPercent(int percent) throws UserException {
    if (percent < 1 || percent > SnapshotArgs.MAX_WARN_PERCENT) {
      throw wrong(
          "--warn-at %d: 1 to %d are allowed".formatted(percent, SnapshotArgs.MAX_WARN_PERCENT));
    }
  }

  /** What can be told from the words alone; wrong ones are a wrong command line. */
  private void checkWords() throws UserException {
    if (order.chunkSizeBytes().isPresent()) {
      checkChunkSize(order.chunkSizeBytes().getAsLong());
    }
    if (order.isTransient() && order.isOverflow()) {
      throw wrong("--transient and --overflow contradict each other");
    }
    if (order.warnPercent().isPresent()) {
      checkWarnPercent(order.warnPercent().getAsInt());
    }
    checkSectors("--create", order.createBytes());
    checkSectors("--grow", order.growStepBytes());
    CommandWords.checkListen(COMMAND, "--listen", order.listen());
    CommandWords.checkListen(COMMAND, "--origin-listen", order.originListen());
    CommandWords.checkName(COMMAND, "--name", order.name());
    CommandWords.checkName(COMMAND, "--origin-name", order.originName());
    if (order.originName() != null && !order.isOriginServed()) {
      throw wrong("--origin-name needs --origin-listen: the origin is not served");
    }
    if (order.name() != null && order.name().equals(order.originName())) {
      throw wrong("--name and --origin-name are the same: " + order.name());
    }
  }

  private static void checkChunkSize(long bytes) throws UserException {
    long max = Sectors.toBytes(StoreHeader.MAX_CHUNK_SECTORS);
    String allowed =
        ": %d bytes (powers of 2 from %d to %d are allowed)"
            .formatted(bytes, Sectors.SIZE_BYTES, max);
    if (bytes < Sectors.SIZE_BYTES) {
      throw wrong("Invalid chunk size" + allowed);
    }
    if (Long.bitCount(bytes) != 1) {
      throw wrong("Chunk size is not a power of 2" + allowed);
    }
    if (bytes > max) {
      throw wrong("Chunk size is too high" + allowed);
    }
  }

  private static void checkSectors(String option, OptionalLong bytes) throws UserException {
    if (bytes.isPresent() && !Sectors.isAligned(bytes.getAsLong())) {
      throw wrong(option + " " + bytes.getAsLong() + ": no whole number of sectors of 512 bytes");
    }
  }

  private void checkCanBeCreated(Address store) throws UserException, IOException {
    if (!(store.bottom() instanceof Address.File)) {
      throw wrong("--create: " + store.text() + " is no file that could be created");
    }
    if (!DeviceOpener.isMissing(store) && !DeviceOpener.isEmptyFile(store)) {
      throw failed("--create: " + store.text() + ": File exists")
          .advise(UNCHANGED + " Without --create, the snapshot that is in it goes on.");
    }
    checkRoom(store, order.createBytes().getAsLong(), newChunkBytes(1));
  }

  private SnapshotPlan check(Address originAddress, Address storeAddress)
      throws UserException, IOException {
    BlockDevice origin = checks.openOrigin(originAddress, order.isOriginServed());
    BlockDevice store = order.createBytes().isPresent() ? null : openStore(storeAddress);
    int blockBytes = Math.max(blockBytes(origin), store == null ? 1 : blockBytes(store));
    long chunkBytes = newChunkBytes(blockBytes);
    boolean isNew = true;
    if (store != null && !order.isTransient()) {
      StoreHeader header = headerToKeep(store, storeAddress);
      if (header != null) {
        isNew = false;
        chunkBytes = chunkBytesOf(header, storeAddress);
      }
    } else if (store != null) {
      checkOverwritable(store, storeAddress, "a transient snapshot overwrites");
    }
    if (chunkBytes % blockBytes != 0) {
      throw failed(
              "Chunk size is not a multiple of device blocksize: %d bytes, blocks of %d"
                  .formatted(chunkBytes, blockBytes))
          .advise(UNCHANGED);
    }
    if (isNew) {
      checkNewStore(origin, originAddress, store, storeAddress, chunkBytes);
    }
    return new SnapshotPlan(
        order,
        originAddress,
        storeAddress,
        origin,
        store,
        isNew,
        origin.sizeBytes(),
        Sectors.fromBytes(chunkBytes));
  }

  private BlockDevice openStore(Address address) throws UserException, IOException {
    if (DeviceOpener.isMissing(address)) {
      throw failed(address.text() + ": No such file or directory")
          .advise(UNCHANGED + " --create SIZE makes a store.");
    }
    if (DeviceOpener.isEmptyFile(address)) {
      throw failed(address.text() + ": the store is empty")
          .advise(UNCHANGED + " --create SIZE gives it a size.");
    }
    return checks.openStore(address);
  }

  /** What a chunk of a new store gets: what was asked for, or the default for such blocks. */
  private long newChunkBytes(int blockBytes) {
    return order
        .chunkSizeBytes()
        .orElse(Math.max(Sectors.toBytes(StoreHeader.DEFAULT_CHUNK_SECTORS), blockBytes));
  }

  /** Asking a file for its limits would touch it, and its blocks are bytes. */
  private static int blockBytes(BlockDevice device) {
    return device instanceof FileDevice ? 1 : device.limits().blockSizeBytes();
  }

  /** The header of the store that is there; null if a new one is to be written. */
  private @Nullable StoreHeader headerToKeep(BlockDevice store, Address address)
      throws UserException, IOException {
    return switch (checks.probe(store, address)) {
      case StoreProbe.Formatted formatted when formatted.header().isValid() -> formatted.header();
      case StoreProbe.Formatted formatted -> {
        refuseUnlessForced(
            address.text() + ": the snapshot is invalid: its store ran full, or failed",
            UNCHANGED + " To lose it and begin a new one, add --force.");
        yield null;
      }
      case StoreProbe.Foreign foreign -> {
        refuseForeign(address, foreign.what(), "a snapshot would overwrite");
        yield null;
      }
      case StoreProbe.Damaged damaged -> throw checks.damaged(address, damaged.reason());
      case StoreProbe.Zero zero -> {
        checkOverwritable(store, address, "a snapshot would overwrite");
        yield null;
      }
    };
  }

  /** The header wins, as in the kernel. */
  private long chunkBytesOf(StoreHeader header, Address address) {
    long bytes = Sectors.toBytes(header.chunkSizeSectors());
    if (order.chunkSizeBytes().orElse(bytes) != bytes) {
      console.say(
          "warning: %s has chunks of %s; --chunk-size is for new stores"
              .formatted(address.text(), ByteSize.format(bytes)));
    }
    return bytes;
  }

  /** Swapped arguments must not cost the user an image (O11). */
  private void checkOverwritable(BlockDevice store, Address address, String what)
      throws UserException, IOException {
    if (!order.isForced()) {
      String found = Emptiness.dataIn(store, address);
      if (!found.isEmpty()) {
        refuseForeign(address, found, what);
      }
    }
  }

  private void refuseForeign(Address address, String found, String what) throws UserException {
    refuseUnlessForced(
        "%s: the store holds data (%s), which %s".formatted(address.text(), found, what),
        UNCHANGED + " If ORIGIN and STORE are not swapped, --force overwrites it.");
  }

  private void checkNewStore(
      BlockDevice origin,
      Address originAddress,
      @Nullable BlockDevice store,
      Address storeAddress,
      long chunkBytes)
      throws UserException {
    if (checks.isStore(origin)) {
      refuseUnlessForced(
          originAddress.text() + ": the origin is a snapshot store itself",
          UNCHANGED + " If ORIGIN and STORE are not swapped, add --force.");
    }
    long storeBytes = store == null ? order.createBytes().getAsLong() : store.sizeBytes();
    checkRoom(storeAddress, storeBytes, chunkBytes);
    if (!order.isTransient()) {
      warnOfBoundary(storeAddress, storeBytes, chunkBytes);
    }
  }

  private void checkRoom(Address store, long storeBytes, long chunkBytes) throws UserException {
    long fewest = order.isTransient() ? chunkBytes : FEWEST_CHUNKS * chunkBytes;
    if (storeBytes < fewest) {
      throw failed(
              "%s: %d bytes are too small for a store with chunks of %s: %d at least"
                  .formatted(store.text(), storeBytes, ByteSize.format(chunkBytes), fewest))
          .advise(UNCHANGED);
    }
  }

  /** A size at which a kernel would lose the snapshot with the last chunk. */
  private void warnOfBoundary(Address store, long storeBytes, long chunkBytes)
      throws UserException {
    try {
      String warning = StoreOpener.checkCreation(storeBytes, Sectors.fromBytes(chunkBytes));
      if (warning != null) {
        console.say("warning: " + store.text() + ": " + warning);
      }
    } catch (FormatException tooSmall) {
      throw UserException.failed(COMMAND, tooSmall).advise(UNCHANGED);
    }
  }

  private void refuseUnlessForced(String why, String advice) throws UserException {
    if (!order.isForced()) {
      throw failed(why).advise(advice);
    }
  }

  private static UserException failed(String why) {
    return UserException.failed(COMMAND, why);
  }

  private static UserException wrong(String why) {
    return UserException.wrongUsage(COMMAND, why);
  }
}
