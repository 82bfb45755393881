package oxbow.job;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockDevice;
import oxbow.block.BlockingDevice;
import oxbow.block.ByteSize;
import oxbow.block.Sectors;
import oxbow.console.UserException;
import oxbow.device.Address;
import oxbow.device.file.FileDevice;
import oxbow.device.file.FileOpener;
import oxbow.format.FormatException;
import oxbow.format.bow.BowLogHeader;
import oxbow.inspect.ByteRange;
import oxbow.inspect.ExtFreeSpace;
import oxbow.inspect.FreeList;
import oxbow.target.bow.BowArgs;
import oxbow.target.bow.BowTarget;

/** Everything that can be wrong before a device is served. Used once; blocks. */
final class BowChecks {
  static final String COMMAND = "bow";
  private static final String UNCHANGED = DeviceStack.UNCHANGED;

  private final BowOrder order;
  private final DeviceStack devices;

  /**
   * @param devices gets what is opened
   */
  BowChecks(BowOrder order, DeviceStack devices) {
    this.order = order;
    this.devices = devices;
  }

  /**
   * Checks all, and reads what is free.
   *
   * @throws UserException says what is in the way
   */
  BowPlan check() throws UserException {
    checkWords();
    Address address = DeviceOpener.parse(COMMAND, order.device());
    BlockDevice device = devices.open(address, true, FileOpener.OddTail.DROP, "device");
    checkGeometry(device, address);
    List<ByteRange> listed = listed(device.sizeBytes());
    return new BowPlan(order, address, device, listed, ext(device, address));
  }

  /** What can be told from the words alone; wrong ones are a wrong command line. */
  private void checkWords() throws UserException {
    long blockBytes = order.blockBytes().orElse(BowArgs.DEFAULT_BLOCK_BYTES);
    if (!BowLogHeader.isBlockSize(blockBytes)) {
      throw wrong(
          "--block-size %d: powers of 2 from %d to %d are allowed"
              .formatted(blockBytes, BowLogHeader.MIN_BLOCK_BYTES, BowLogHeader.MAX_BLOCK_BYTES));
    }
    if (order.warnPercent() < 1 || order.warnPercent() > BowTarget.MAX_WARN_PERCENT) {
      throw wrong(
          "--warn-at %d: 1 to %d are allowed"
              .formatted(order.warnPercent(), BowTarget.MAX_WARN_PERCENT));
    }
    CommandWords.checkListen(COMMAND, "--listen", order.listen());
    CommandWords.checkName(COMMAND, "--name", order.name());
  }

  private void checkGeometry(BlockDevice device, Address address) throws UserException {
    FileDevice file = device instanceof FileDevice opened ? opened : null;
    // Blocks of a file are bytes; asking it for its limits would touch it.
    String obstacle = file == null ? BowDevices.obstacle(device) : "";
    if (!obstacle.isEmpty()) {
      throw failed(address.text() + ": " + obstacle).advise(UNCHANGED);
    }
    if (device.sizeBytes() == 0) {
      throw failed(address.text() + ": the device is empty").advise(UNCHANGED);
    }
    long bytes = device.sizeBytes() + (file == null ? 0 : file.lostBytes());
    long blockBytes = order.blockBytes().orElse(BowArgs.DEFAULT_BLOCK_BYTES);
    if (bytes % blockBytes != 0) {
      String fitting =
          Sectors.isAligned(bytes)
              ? " Blocks of %d would fit: --block-size".formatted(Long.lowestOneBit(bytes))
              : "";
      throw failed(
              "%s: %d bytes are no whole number of blocks of %s"
                  .formatted(address.text(), bytes, ByteSize.format(blockBytes)))
          .advise(UNCHANGED + fitting);
    }
  }

  private List<ByteRange> listed(long deviceBytes) throws UserException {
    Path file = order.freeList();
    if (file == null) {
      return List.of();
    }
    // What is no text is shown with marks in it; a reader that is strict names no line.
    try (BufferedReader text =
        new BufferedReader(
            new InputStreamReader(Files.newInputStream(file), StandardCharsets.UTF_8))) {
      return FreeList.parse(file.toString(), text, deviceBytes);
    } catch (NoSuchFileException missing) {
      throw badList(file + ": No such file or directory");
    } catch (AccessDeniedException denied) {
      throw badList(file + ": Permission denied");
    } catch (IOException wrong) {
      throw badList(UserException.reason(wrong));
    }
  }

  private static UserException badList(String why) {
    return failed("--free-list: " + why).advise(UNCHANGED);
  }

  private @Nullable ExtFreeSpace ext(BlockDevice device, Address address) throws UserException {
    if (!order.isFreeFromExt()) {
      return null;
    }
    String what = "--free-from-ext4: " + address.text() + ": ";
    String advice = UNCHANGED + " Without --free-from-ext4, discards (fstrim) tell what is free.";
    try (BlockingDevice io = new BlockingDevice(device)) {
      return ExtFreeSpace.read(io);
    } catch (FormatException doubtful) {
      throw failed(what + doubtful.sentence()).advise(advice);
    } catch (IOException unreadable) {
      throw failed(what + UserException.reason(unreadable)).advise(advice);
    }
  }

  private static UserException failed(String why) {
    return UserException.failed(COMMAND, why);
  }

  private static UserException wrong(String why) {
    return UserException.wrongUsage(COMMAND, why);
  }
}
