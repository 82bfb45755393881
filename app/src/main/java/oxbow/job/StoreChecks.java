package oxbow.job;

import java.io.IOException;
import oxbow.block.BlockDevice;
import oxbow.block.BlockingDevice;
import oxbow.console.Console;
import oxbow.console.UserException;
import oxbow.device.Address;
import oxbow.device.file.FileDevice;
import oxbow.device.file.FileOpener;
import oxbow.inspect.Recognised;
import oxbow.target.snapshot.StoreOpener;
import oxbow.target.snapshot.StoreProbe;

/**
 * What is checked of an origin and its store, whatever is to be done with them. Opens and thereby
 * locks them: the origin first, so that two processes meet at the same place. Blocks.
 */
final class StoreChecks {
  static final String UNCHANGED = DeviceStack.UNCHANGED;

  private final String command;
  private final DeviceStack devices;
  private final Console console;

  /**
   * @param devices gets what is opened
   */
  StoreChecks(String command, DeviceStack devices, Console console) {
    this.command = command;
    this.devices = devices;
    this.console = console;
  }

  /** C5, as far as can be told without opening them. */
  void checkDistinct(Address origin, Address store) throws UserException, IOException {
    if (DeviceOpener.isSame(origin, store)) {
      throw failed("COW device cannot be the same as origin device: " + store.text())
          .advise(UNCHANGED);
    }
  }

  /** The origin; a last partial sector is left out, and that is said. */
  BlockDevice openOrigin(Address address, boolean isWritable) throws UserException {
    BlockDevice origin = devices.open(address, isWritable, FileOpener.OddTail.DROP, "origin");
    if (origin.sizeBytes() == 0) {
      throw failed(address.text() + ": the origin is empty").advise(UNCHANGED);
    }
    if (origin instanceof FileDevice file && file.lostBytes() > 0) {
      console.say(
          "warning: %s: the last %d bytes are no whole sector of 512 bytes and are left out"
              .formatted(address.text(), file.lostBytes()));
    }
    return origin;
  }

  /** The store, for writing. */
  BlockDevice openStore(Address address) throws UserException {
    return devices.open(address, true, FileOpener.OddTail.DROP, "store");
  }

  /** What lies on a store; damage is refused at once. */
  StoreProbe probe(BlockDevice store, Address address) throws UserException {
    try (BlockingDevice io = new BlockingDevice(store)) {
      StoreProbe probe = StoreOpener.probe(io);
      if (probe instanceof StoreProbe.Damaged damaged) {
        throw damaged(address, damaged.reason());
      }
      return probe;
    } catch (IOException failed) {
      throw UserException.failed(command, failed).advise(UNCHANGED);
    }
  }

  /** A store that cannot be used; not even if that is forced, since it may be wanted back. */
  UserException damaged(Address address, String why) {
    return failed(address.text() + ": " + why).advise(lookAt(address));
  }

  /** What to do with a store that cannot be loaded. */
  static String lookAt(Address store) {
    return UNCHANGED + " See what is left with: oxbow inspect --check " + store.text();
  }

  /** Whether a device is a store itself, as somebody who has swapped the arguments may find. */
  boolean isStore(BlockDevice device) throws UserException {
    try (BlockingDevice io = new BlockingDevice(device)) {
      return Recognised.of(io) instanceof Recognised.OfSnapshotStore;
    } catch (IOException failed) {
      throw UserException.failed(command, failed).advise(UNCHANGED);
    }
  }

  private UserException failed(String why) {
    return UserException.failed(command, why);
  }
}
