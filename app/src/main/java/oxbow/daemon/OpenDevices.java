package oxbow.daemon;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import oxbow.block.BlockDevice;
import oxbow.block.DeviceException;
import oxbow.block.Errno;
import oxbow.console.UserException;
import oxbow.device.Address;
import oxbow.device.file.FileDevice;
import oxbow.job.DeviceOpener;

/**
 * The devices under all tables. Who names one that is open already gets the same, so that targets
 * of one origin find each other; what one target must have for itself no other device gets. A
 * device is closed with its last lease. Any thread; opening and closing block.
 */
final class OpenDevices {
  /** What a table does with a device, from little to much. */
  enum Use {
    READ,
    WRITE,
    /** What lies on it would mean nothing to others: nobody else has it open. */
    OWN
  }

  /** That a table has a device open. */
  static final class Lease {
    private final Opened opened;
    private final TableDevices table;
    private final String address;
    private Use use;

    private Lease(Opened opened, TableDevices table, String address, Use use) {
      this.opened = opened;
      this.table = table;
      this.address = address;
      this.use = use;
    }

    /** As users type it; a device of this daemon by the name that it has now. */
    String address() {
      return opened.key instanceof ManagedDevice device ? KeptTable.word(device.name()) : address;
    }

    /** The word of the table line. */
    String word() {
      return address;
    }
  }

  /** A device, and who has it open. */
  private static final class Opened {
    final Object key;
    final List<Lease> leases = new ArrayList<>();

    /** Null until it has been opened; guarded by this. */
    @Nullable BlockDevice device;

    Opened(Object key) {
      this.key = key;
    }
  }

  /** Of a file's mode, as stat(2) has it. */
  private static final int FILE_TYPE = 0xF000;

  private static final int BLOCK_DEVICE = 0x6000;

  private final DeviceOpener opener;
  private final Function<String, @Nullable ManagedDevice> named;

  /** Guarded by this, with the leases. */
  private final Map<Object, Opened> open = new HashMap<>();

  /**
   * @param opener outlives this
   * @param named finds the daemon's own devices
   */
  OpenDevices(DeviceOpener opener, Function<String, @Nullable ManagedDevice> named) {
    this.opener = opener;
    this.named = named;
  }

  /**
   * Opens a device for a table; a second time it gives the same.
   *
   * @throws IOException with one line: no such device, in use, not to be written, a cycle
   * @throws TakeOverException when the device's own live table has it for itself
   */
  BlockDevice lease(TableDevices table, String text, Use use) throws IOException {
    Address address = parse(text);
    int before = table.size();
    Lease lease = enter(table, text, key(address), use);
    boolean isNew = table.size() > before;
    try {
      synchronized (lease.opened) {
        BlockDevice device = lease.opened.device;
        if (device == null) {
          device = openNow(address, lease.opened.key);
          lease.opened.device = device;
        }
        if (use != Use.READ) {
          makeWritable(device, text);
        }
        return device;
      }
    } catch (IOException | RuntimeException failed) {
      if (isNew) {
        table.forget(lease);
        release(lease);
      }
      throw failed;
    }
  }

  /** A table that is not opened now, and follows the devices that it names. */
  KeptTable keep(TableText text) {
    return KeptTable.of(text, named);
  }

  private synchronized Lease enter(TableDevices table, String text, Object key, Use use)
      throws IOException {
    Opened opened = open.getOrDefault(key, new Opened(key));
    Lease own = null;
    for (Lease other : opened.leases) {
      if (other.table == table) {
        own = other;
        if (use == Use.OWN || (use == Use.WRITE && other.use == Use.OWN)) {
          throw new IOException(text + " has two parts in the same table");
        }
      } else if (isExcluded(use, other.use)) {
        if (other.table.user() != table.user()) {
          throw new DeviceException(
              Errno.EBUSY, text + " is in use by " + other.table.user().name());
        }
        // A linear over what the live table has is no harm before that is suspended; but what
        // keeps something on the device would read what is being changed.
        if (use == Use.OWN && !table.isTakingOver()) {
          throw new TakeOverException(text);
        }
      }
    }
    if (key instanceof ManagedDevice below) {
      checkStack(table.user(), below);
    }
    if (own != null) {
      own.use = use.compareTo(own.use) > 0 ? use : own.use;
      return own;
    }
    Lease lease = new Lease(opened, table, text, use);
    opened.leases.add(lease);
    open.put(key, opened);
    table.add(lease);
    return lease;
  }

  private static boolean isExcluded(Use use, Use other) {
    return use == Use.OWN || other == Use.OWN;
  }

  private void checkStack(ManagedDevice above, ManagedDevice below) throws IOException {
    if (below.isRemoved()) {
      throw new DeviceException(Errno.ENOENT, below.name());
    }
    boolean isCycle = below == above || isOn(/* above= */ below, /* below= */ above);
    if (isCycle) {
      throw new IOException(KeptTable.word(below.name()) + " lies on " + above.name() + " itself");
    }
  }

  /** Whether a device lies, over however many others, on another. */
  private boolean isOn(ManagedDevice above, ManagedDevice below) {
    for (Opened opened : open.values()) {
      if (opened.key instanceof ManagedDevice next
          && opened.leases.stream().anyMatch(lease -> lease.table.user() == above)
          && (next == below || isOn(next, below))) {
        return true;
      }
    }
    return false;
  }

  /** The devices whose tables have this one open. */
  synchronized List<ManagedDevice> above(ManagedDevice device) {
    Opened opened = open.get(device);
    return opened == null
        ? List.of()
        : opened.leases.stream().map(lease -> lease.table.user()).distinct().toList();
  }

  /** Has something done while nobody can open a device of the daemon. */
  synchronized boolean ifUnused(ManagedDevice device, Runnable action) {
    if (open.containsKey(device)) {
      return false;
    }
    action.run();
    return true;
  }

  /** Gives a device back; the last one closes it. Blocks. */
  synchronized void release(Lease lease) throws IOException {
    Opened opened = lease.opened;
    if (opened.leases.remove(lease) && opened.leases.isEmpty()) {
      open.remove(opened.key);
      synchronized (opened) {
        BlockDevice device = opened.device;
        opened.device = null;
        if (device != null && !(opened.key instanceof ManagedDevice)) {
          device.close();
        }
      }
    }
  }

  /** All that are open now and no devices of this daemon. */
  synchronized List<BlockDevice> bottoms() {
    List<BlockDevice> devices = new ArrayList<>();
    for (Opened opened : open.values()) {
      synchronized (opened) {
        if (opened.device != null && !(opened.key instanceof ManagedDevice)) {
          devices.add(opened.device);
        }
      }
    }
    return devices;
  }

  private static Address parse(String text) throws IOException {
    try {
      Address address = Address.parse(text);
      if (address.bottom() instanceof Address.File file && !file.path().isAbsolute()) {
        throw new IOException(text + ": is not a whole path, from / on");
      }
      return address;
    } catch (IllegalArgumentException wrong) {
      throw new IOException(UserException.reason(wrong), wrong);
    }
  }

  /**
   * Equal for two addresses of one device, as far as can be told; others are devices of their own.
   */
  private Object key(Address address) throws IOException {
    return switch (address) {
      case Address.File file -> fileKey(file.path());
      case Address.NbdTcp nbd -> List.of(nbd.host(), nbd.port(), nbd.exportName());
      case Address.NbdUnix nbd -> List.of(fileKey(nbd.socket()), nbd.exportName());
      case Address.Named name -> {
        ManagedDevice device = named.apply(name.name());
        if (device == null) {
          throw new DeviceException(Errno.ENOENT, address.text());
        }
        yield device;
      }
      case Address.Mem _, Address.Zero _, Address.Failing _, Address.Layered _ -> new Object();
      case Address.Unsupported other -> throw new IOException(other.text() + ": " + other.why());
    };
  }

  private static Object fileKey(Path path) {
    try {
      Map<String, Object> facts = Files.readAttributes(path, "unix:mode,rdev,dev,ino");
      boolean isBlockDevice =
          facts.get("mode") instanceof Integer mode && (mode & FILE_TYPE) == BLOCK_DEVICE;
      return isBlockDevice
          ? List.of("block", String.valueOf(facts.get("rdev")))
          : List.of("file", String.valueOf(facts.get("dev")), String.valueOf(facts.get("ino")));
    } catch (IOException | UnsupportedOperationException absent) {
      return path; // Opening it will say what is wrong.
    }
  }

  private BlockDevice openNow(Address address, Object key) throws IOException {
    if (key instanceof ManagedDevice device) {
      if (device.block().live() == null) {
        throw new IOException(address.text() + ": has no live table");
      }
      return device.block();
    }
    return opener.openShared(address);
  }

  private static void makeWritable(BlockDevice device, String text) throws IOException {
    if (device instanceof FileDevice file) {
      file.becomeWritable();
    } else if (device.limits().isReadOnly()) {
      throw new DeviceException(Errno.EROFS, text);
    }
  }
}
