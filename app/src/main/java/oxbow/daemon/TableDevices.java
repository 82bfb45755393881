package oxbow.daemon;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import oxbow.block.BlockDevice;
import oxbow.target.TargetDevices;

/** The devices that one table has open. Used by one thread at a time. */
final class TableDevices implements TargetDevices {
  private final OpenDevices all;
  private final ManagedDevice user;
  private final boolean isTakingOver;
  private final List<OpenDevices.Lease> leases = new ArrayList<>();

  /**
   * @param user whose table it is
   * @param isTakingOver whether the live table of the same device is suspended for this one
   */
  TableDevices(OpenDevices all, ManagedDevice user, boolean isTakingOver) {
    this.all = all;
    this.user = user;
    this.isTakingOver = isTakingOver;
  }

  ManagedDevice user() {
    return user;
  }

  boolean isTakingOver() {
    return isTakingOver;
  }

  @Override
  public BlockDevice open(String address, boolean isWritable) throws IOException {
    return all.lease(this, address, isWritable ? OpenDevices.Use.WRITE : OpenDevices.Use.READ);
  }

  @Override
  public BlockDevice openOwn(String address) throws IOException {
    return all.lease(this, address, OpenDevices.Use.OWN);
  }

  int size() {
    return leases.size();
  }

  void add(OpenDevices.Lease lease) {
    leases.add(lease);
  }

  void forget(OpenDevices.Lease lease) {
    leases.remove(lease);
  }

  /** The last opened first, as device-mapper lists them. */
  List<String> dependencies() {
    return leases.reversed().stream().map(OpenDevices.Lease::address).toList();
  }

  /** A word of a table line as it is to be shown: a device that was renamed has its new name. */
  String presentWord(String word) {
    for (OpenDevices.Lease lease : leases) {
      if (lease.word().equals(word)) {
        return lease.address();
      }
    }
    return word;
  }

  /** Gives all back. Blocks. */
  void close() throws IOException {
    IOException failure = null;
    for (OpenDevices.Lease lease : leases.reversed()) {
      try {
        all.release(lease);
      } catch (IOException failed) {
        failure = failed;
      }
    }
    leases.clear();
    if (failure != null) {
      throw failure;
    }
  }
}
