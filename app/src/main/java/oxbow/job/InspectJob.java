package oxbow.job;

import java.io.IOException;
import oxbow.block.BlockDevice;
import oxbow.block.BlockingDevice;
import oxbow.console.Console;
import oxbow.console.UserException;
import oxbow.device.Address;
import oxbow.inspect.Recognised;

/**
 * {@code oxbow inspect}: recognises what lies on a device, describes it, and checks it if asked.
 */
public final class InspectJob {
  private static final String COMMAND = "inspect";

  private final String text;
  private final boolean isChecked;
  private final Console console;
  private final Inspection shown = new Inspection();

  /**
   * @param isChecked verify every structure
   */
  public InspectJob(String text, boolean isChecked, Console console) {
    this.text = text;
    this.isChecked = isChecked;
    this.console = console;
  }

  /** Looks and tells; false when something is damaged. Blocks. */
  public boolean run() throws UserException, IOException {
    Address address = DeviceOpener.parse(COMMAND, text);
    try (DeviceOpener opener = new DeviceOpener(console::say);
        BlockDevice device = opener.openCheckpointed(address, false);
        BlockingDevice io = new BlockingDevice(device)) {
      Recognised recognised = Recognised.of(io);
      shown.field("address", text);
      shown.field("kind", recognised.name());
      shown.line(text + ": " + recognised.name());
      boolean isSound = tell(recognised, io);
      shown.show(console);
      return isSound;
    }
  }

  private boolean tell(Recognised recognised, BlockingDevice io) throws UserException, IOException {
    CloneInspection ofClone = new CloneInspection(io, shown);
    return switch (recognised) {
      case Recognised.OfClone clone -> {
        ofClone.describe(clone.superblock());
        yield isChecked ? ofClone.check() : ofClone.describeRegions(clone.superblock(), text);
      }
      case Recognised.OfDamagedClone damaged -> {
        shown.field("damage", damaged.reason());
        shown.line("  " + damaged.reason());
        yield isChecked && ofClone.check();
      }
      case Recognised.OfSnapshotStore store -> {
        StoreInspection ofStore = new StoreInspection(store.header(), shown);
        ofStore.describe();
        yield isChecked ? ofStore.check(io) : ofStore.isUsable();
      }
      case Recognised.OfBowLog bow -> {
        BowInspection ofBow = new BowInspection(bow.log(), shown);
        ofBow.describe();
        yield isChecked ? checkLog(ofBow, io) : ofBow.isUsable();
      }
      case Recognised.OfUnfinishedClone unfinished -> nothingToCheck(unfinished);
      case Recognised.Marked marked -> nothingToCheck(marked);
      case Recognised.Zeros zeros -> nothingToCheck(zeros);
      case Recognised.Unknown unknown -> nothingToCheck(unknown);
    };
  }

  private boolean checkLog(BowInspection inspection, BlockingDevice io) {
    try (BowProgress progress = new BowProgress(COMMAND + ": checked", 0, console)) {
      return inspection.check(io, progress);
    }
  }

  private boolean nothingToCheck(Recognised recognised) throws UserException {
    if (isChecked) {
      throw UserException.failed(
          COMMAND, text + ": " + recognised.name() + ": nothing here that could be checked");
    }
    return true;
  }
}
