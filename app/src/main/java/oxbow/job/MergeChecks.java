package oxbow.job;

import java.io.IOException;
import oxbow.block.BlockDevice;
import oxbow.console.Console;
import oxbow.console.UserException;
import oxbow.device.Address;
import oxbow.format.snapshot.StoreHeader;
import oxbow.target.snapshot.StoreProbe;

/**
 * Everything that can be wrong with a merge before anything is written. Nothing is ever formatted
 * here, hence nothing can be forced. Used once; blocks.
 */
final class MergeChecks {
  static final String COMMAND = "merge";

  private final MergeOrder order;
  private final StoreChecks checks;

  /**
   * What will be merged.
   *
   * @param chunkSectors as the store has it
   */
  record Plan(
      Address originAddress,
      Address storeAddress,
      BlockDevice origin,
      BlockDevice store,
      long chunkSectors) {}

  /**
   * @param devices gets what is opened
   */
  MergeChecks(MergeOrder order, DeviceStack devices, Console console) {
    this.order = order;
    this.checks = new StoreChecks(COMMAND, devices, console);
  }

  /**
   * Checks all.
   *
   * @throws UserException says what is in the way
   */
  Plan check() throws UserException, IOException {
    CommandWords.checkListen(COMMAND, "--listen", order.listen());
    CommandWords.checkName(COMMAND, "--name", order.name());
    Address originAddress = DeviceOpener.parse(COMMAND, order.origin());
    Address storeAddress = DeviceOpener.parse(COMMAND, order.store());
    checks.checkDistinct(originAddress, storeAddress);
    BlockDevice origin = checks.openOrigin(originAddress, true);
    BlockDevice store = checks.openStore(storeAddress);
    StoreHeader header = header(store, storeAddress);
    return new Plan(originAddress, storeAddress, origin, store, header.chunkSizeSectors());
  }

  private StoreHeader header(BlockDevice store, Address address) throws UserException {
    return switch (checks.probe(store, address)) {
      case StoreProbe.Formatted formatted when formatted.header().isValid() -> formatted.header();
      case StoreProbe.Formatted formatted ->
          throw refused(address, "the snapshot is invalid: nothing of it can be merged");
      case StoreProbe.Foreign foreign ->
          throw refused(address, "no snapshot store, but " + foreign.what());
      case StoreProbe.Damaged damaged -> throw checks.damaged(address, damaged.reason());
      case StoreProbe.Zero zero -> throw refused(address, "no snapshot store, but zeros");
    };
  }

  private static UserException refused(Address store, String why) {
    return UserException.failed(COMMAND, store.text() + ": " + why).advise(DeviceStack.UNCHANGED);
  }
}
