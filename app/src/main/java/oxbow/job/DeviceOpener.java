package oxbow.job;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockDevice;
import oxbow.block.Remote;
import oxbow.console.UserException;
import oxbow.device.Address;
import oxbow.device.file.FileDevice;
import oxbow.device.file.FileOpener;
import oxbow.device.mem.MemDevice;
import oxbow.device.nbd.NbdDevice;
import oxbow.device.nbd.NbdOptions;
import oxbow.device.nbd.NbdState;
import oxbow.device.zero.ZeroDevice;
import oxbow.engine.Engine;
import oxbow.engine.WorkerDiskPool;
import oxbow.mapped.Layer;
import oxbow.nbd.client.NbdAddress;
import oxbow.targets.TargetTypes;

/**
 * Opens devices by address, and keeps the threads that they run on. Closed after all of them. Used
 * by one thread; blocks.
 */
public final class DeviceOpener implements AutoCloseable {
  /** How long requests to a lost server may hold up the end of a job. */
  private static final long HOLD_AT_END_NANOS = TimeUnit.SECONDS.toNanos(2);

  /** And how long those to one that says nothing; some disks take their time for a last flush. */
  private static final long SILENCE_AT_END_NANOS = TimeUnit.SECONDS.toNanos(10);

  private final WorkerDiskPool disks = new WorkerDiskPool();
  private final FileOpener files = new FileOpener(disks);
  private final Consumer<String> log;
  private final TargetTypes types = new TargetTypes();
  private final Layers layers;
  private final WriteLogs logs = new WriteLogs(files);
  private @Nullable Engine engine;
  private boolean isAbandoned;

  /**
   * @param log takes a line when a server is lost or found again; any thread
   */
  public DeviceOpener(Consumer<String> log) {
    this.log = log;
    this.layers = new Layers(types, log);
  }

  /** Reads a device address; what cannot be one is a wrong command line. */
  public static Address parse(String command, String text) throws UserException {
    try {
      Address address = Address.parse(text);
      if (address.bottom() instanceof Address.Unsupported unsupported) {
        throw UserException.wrongUsage(command, text + ": " + unsupported.why());
      }
      if (address.bottom() instanceof Address.Named) {
        throw UserException.wrongUsage(
            command, text + ": devices of a daemon come with a later release");
      }
      Layers.check(address);
      return address;
    } catch (IllegalArgumentException wrong) {
      throw UserException.wrongUsage(command, UserException.reason(wrong));
    }
  }

  /** Opens for reading only; a last partial sector of a file is left out, a checkpoint refused. */
  public BlockDevice openReadOnly(Address address) throws IOException {
    return openReadOnly(address, FileOpener.OddTail.DROP);
  }

  /** Opens for reading only; a device that holds a checkpoint of backup-on-write is refused. */
  BlockDevice openReadOnly(Address address, FileOpener.OddTail tail) throws IOException {
    Address bottom = address.bottom();
    return wrapBottom(address, refuseCheckpoint(bottom, readableBottom(bottom, tail)));
  }

  /**
   * Opens for reading and writing; the limits of the device say whether it may be written. A device
   * that holds a checkpoint of backup-on-write is refused.
   */
  public BlockDevice openWritable(Address address) throws IOException {
    Address bottom = address.bottom();
    return wrapBottom(address, refuseCheckpoint(bottom, writableBottom(bottom)));
  }

  /** Opens a device for those who know what a checkpoint is, or only look. */
  public BlockDevice openCheckpointed(Address address, boolean isWritable) throws IOException {
    Address bottom = address.bottom();
    return wrapBottom(
        address,
        isWritable ? writableBottom(bottom) : readableBottom(bottom, FileOpener.OddTail.DROP));
  }

  /**
   * Opens for several users at once: for reading, until {@link FileDevice#becomeWritable} is called
   * on a file. A device that holds a checkpoint of backup-on-write is refused.
   */
  public BlockDevice openShared(Address address) throws IOException {
    return address instanceof Address.File file
        ? refuseCheckpoint(file, files.openUpgradable(file.path(), FileOpener.OddTail.DROP))
        : openWritable(address);
  }

  private BlockDevice readableBottom(Address bottom, FileOpener.OddTail tail) throws IOException {
    return bottom instanceof Address.File file
        ? files.openReadOnly(file.path(), tail)
        : openOther(bottom);
  }

  private BlockDevice writableBottom(Address bottom) throws IOException {
    return bottom instanceof Address.File file
        ? files.openWritable(file.path(), FileOpener.OddTail.DROP)
        : openOther(bottom);
  }

  /** Every command comes by here, so that none takes a log for contents. */
  private BlockDevice refuseCheckpoint(Address bottom, BlockDevice device) throws IOException {
    if (device instanceof FileDevice || device instanceof NbdDevice) {
      try {
        CheckpointRefusal.check(device, bottom.text(), log);
      } catch (IOException refused) {
        device.close();
        throw refused;
      }
    }
    return device;
  }

  /** Puts all layers of an address over the device at its bottom; closes that if it cannot. */
  BlockDevice wrapBottom(Address address, BlockDevice bottom) throws IOException {
    return address instanceof Address.Layered layered
        ? wrap(layered, wrapBottom(layered.below(), bottom))
        : bottom;
  }

  private BlockDevice wrap(Address.Layered address, BlockDevice below) throws IOException {
    try {
      return layers.open(address, below, logs::open, engine());
    } catch (IOException | RuntimeException failed) {
      below.close();
      throw failed;
    }
  }

  private BlockDevice openOther(Address address) throws IOException {
    return switch (address) {
      case Address.NbdTcp nbd -> openNbd(NbdAddress.tcp(nbd.host(), nbd.port(), nbd.exportName()));
      case Address.NbdUnix nbd ->
          openNbd(NbdAddress.unix(nbd.socket().toString(), nbd.exportName()));
      case Address.Mem mem -> new MemDevice(mem.sizeBytes());
      case Address.Zero zero -> new ZeroDevice(zero.sizeBytes());
      case Address.Failing failing -> layers.failing(failing, engine());
      case Address.File file -> throw new IllegalStateException(file + " is opened as a file");
      case Address.Layered layered -> throw new IllegalStateException(layered + " is a layer");
      case Address.Named named -> throw new IOException(named.text() + ": no daemon");
      case Address.Unsupported other -> throw new IOException(other.text() + ": " + other.why());
    };
  }

  private NbdDevice openNbd(NbdAddress address) throws IOException {
    Engine running = engine();
    NbdState.Phase[] last = {NbdState.Phase.CONNECTED};
    return NbdDevice.open(
        address,
        running.nextLoop(),
        running.blocking(),
        NbdOptions.defaults(),
        state -> {
          // Told on the device's loop only; a new phase is news, another failed attempt is not.
          if (state.phase() != last[0] && state.phase() != NbdState.Phase.CLOSED) {
            String phase = state.phase().name().toLowerCase(Locale.ROOT);
            String why = state.lastError().isEmpty() ? "" : ": " + state.lastError();
            log.accept(address + " " + phase + why);
          }
          last[0] = state.phase();
        });
  }

  /** The targets there are; those of one origin find each other through these. */
  public TargetTypes types() {
    return types;
  }

  /** Creates and gives sizes to files. */
  FileOpener files() {
    return files;
  }

  /** Loops for sockets; started when first asked for. They end with the opener. */
  public Engine engine() throws IOException {
    if (engine == null) {
      engine = new Engine(Runtime.getRuntime().availableProcessors(), disks);
    }
    return engine;
  }

  /** Whether an address is a path where nothing is. */
  static boolean isMissing(Address address) {
    return address.bottom() instanceof Address.File file && Files.notExists(file.path());
  }

  /** Whether an address is a regular file that exists. */
  static boolean isRegularFile(Address address) {
    return address.bottom() instanceof Address.File file && Files.isRegularFile(file.path());
  }

  /**
   * Whether an address is an empty regular file: one whose creation did not get far, or mktemp's.
   */
  static boolean isEmptyFile(Address address) throws IOException {
    return address.bottom() instanceof Address.File file
        && Files.isRegularFile(file.path())
        && Files.size(file.path()) == 0;
  }

  /** Whether two addresses are the same device, as far as can be told without opening them. */
  static boolean isSame(Address layeredA, Address layeredB) throws IOException {
    Address a = layeredA.bottom();
    Address b = layeredB.bottom();
    if (a instanceof Address.File fileA && b instanceof Address.File fileB) {
      Path pathA = fileA.path();
      Path pathB = fileB.path();
      boolean isBothThere = Files.exists(pathA) && Files.exists(pathB);
      return isBothThere
          ? Files.isSameFile(pathA, pathB)
          : pathA.toAbsolutePath().normalize().equals(pathB.toAbsolutePath().normalize());
    }
    return switch (a) {
      case Address.NbdTcp nbd ->
          b instanceof Address.NbdTcp other
              && nbd.host().equals(other.host())
              && nbd.port() == other.port()
              && nbd.exportName().equals(other.exportName());
      case Address.NbdUnix nbd ->
          b instanceof Address.NbdUnix other
              && nbd.exportName().equals(other.exportName())
              && isSame(socketFile(nbd), socketFile(other));
      // Each opening of these is a device of its own.
      case Address.Mem mem -> false;
      case Address.Zero zero -> false;
      case Address.Failing failing -> false;
      case Address.File file -> false;
      case Address.Layered layered -> throw new IllegalStateException(layered + " is no bottom");
      case Address.Named named -> a.equals(b);
      case Address.Unsupported other -> false;
    };
  }

  private static Address.File socketFile(Address.NbdUnix nbd) {
    return new Address.File(nbd.text(), nbd.socket());
  }

  /**
   * Lets requests to a server that is gone fail soon, and targets for tests keep nothing back, so
   * that nobody waits for them at the end.
   */
  public static void holdNoLonger(BlockDevice device) {
    Remote server = device.remote();
    if (server != null) {
      server.holdNanos(Math.min(server.holdNanos(), HOLD_AT_END_NANOS));
      server.silenceNanos(SILENCE_AT_END_NANOS);
    }
    if (device instanceof Layer layer) {
      layer.mapped().keepNothingBack();
      layer.below().forEach(DeviceOpener::holdNoLonger);
    }
  }

  /** Devices could not be closed: their threads are left to the end of the process. */
  public void abandon() {
    isAbandoned = true;
  }

  /** Ends the threads; all devices must have been closed. */
  @Override
  public void close() {
    if (isAbandoned) {
      return;
    }
    if (engine != null) {
      engine.close();
    }
    try {
      logs.close();
    } catch (IOException failed) {
      log.accept("write log: " + UserException.reason(failed));
    }
    disks.close();
  }
}
