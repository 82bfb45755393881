package oxbow.job;

import java.io.IOException;
import java.util.Optional;
import oxbow.block.BlockDevice;
import oxbow.block.BlockingDevice;
import oxbow.block.Sectors;
import oxbow.console.Console;
import oxbow.console.UserException;
import oxbow.format.FormatException;
import oxbow.format.bow.BowLog;
import oxbow.format.bow.BowMagic;
import oxbow.inspect.BowForward;

/**
 * {@code oxbow bow commit --offline}: makes what was written since the checkpoint of a device final
 * that no process serves. Only the header of the log is looked at: whatever else a commit that was
 * interrupted has left of it, this one finishes it.
 */
public final class BowCommitJob {
  private static final String COMMAND = "bow commit";

  private final String text;
  private final boolean isAgreed;
  private final Console console;

  /**
   * @param isAgreed go on without a question if the header is damaged
   */
  public BowCommitJob(String text, boolean isAgreed, Console console) {
    this.text = text;
    this.isAgreed = isAgreed;
    this.console = console;
  }

  /** Commits and tells. Blocks. */
  public void run() throws UserException, IOException {
    Inspection shown = new Inspection();
    shown.field("address", text);
    try (DeviceOpener opener = new DeviceOpener(console::say);
        BlockDevice device = BowDevices.open(COMMAND, text, true, opener);
        BlockingDevice io = new BlockingDevice(device)) {
      Optional<BowLog> newest = BowDevices.newest(COMMAND, text, io);
      if (newest.isEmpty()) {
        shown.field("result", "nothing-to-do");
        shown.line(text + ": no checkpoint in block 0: nothing to do");
      } else {
        commit(newest.get(), io);
        shown.field("result", "rolled-forward");
        shown.line(text + ": committed: everything written since the checkpoint is kept");
      }
      shown.show(console);
    }
  }

  private void commit(BowLog newest, BlockingDevice io) throws UserException, IOException {
    String obstacle = BowForward.obstacle(newest, Sectors.fromBytes(io.sizeBytes()));
    if (!obstacle.isEmpty()) {
      String way =
          newest.magic() == BowMagic.WOB
              ? "Finish it with: oxbow bow restore "
              : "See whether there is a way back with: oxbow bow restore --dry-run ";
      throw UserException.failed(COMMAND, text + ": " + obstacle)
          .advise("Nothing was changed. " + way + text);
    }
    try {
      newest.check();
    } catch (FormatException damaged) {
      new Consent(isAgreed, console)
          .require(
              COMMAND,
              text + ": the header of the log is damaged: " + damaged.sentence(),
              "Trust what it says of block 0, and take that from sector "
                  + newest.header().sector0()
                  + "?",
              "To take block 0 from sector " + newest.header().sector0() + " anyway, add --yes.");
    }
    try {
      BowForward.run(io, newest);
    } catch (IOException stopped) {
      throw UserException.failed(COMMAND + " " + text, stopped)
          .advise("Run the same command again when the cause is gone; it goes on from here.");
    }
  }
}
