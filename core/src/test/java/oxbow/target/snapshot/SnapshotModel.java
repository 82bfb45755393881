package oxbow.target.snapshot;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import oxbow.block.Errno;
import oxbow.block.Operation;
import oxbow.sim.SimDevice;
import oxbow.sim.SimDisk;
import oxbow.sim.SimFrame;
import oxbow.sim.SimRequest;
import oxbow.sim.SimTarget;
import oxbow.target.snapshot.SnapshotMachine.Use;

/**
 * What users may expect of an origin and its snapshots. It knows requests and answers only, and of
 * snapshots only what they promise: one shows what the origin held when it was resumed, and what
 * was written to it since, whatever happens to the origin; a merge shows what its snapshot showed;
 * and no store may cost the origin anything.
 */
final class SnapshotModel implements SimFrame.Listener {
  /** A snapshot, from its first resume until it is merged or removed. */
  private static final class Snapshot {
    final SectorModel shown;

    /** For each sector, when what the origin held was sent there. */
    final long[] baseOrders;

    /** What was sent later came after it. */
    final long activeSince;

    /** Chunks that may have exceptions. */
    final BitSet touched = new BitSet();

    /** How many errors its store had had when it became invalid; -1 while it has not. */
    int faultsWhenInvalid = -1;

    Snapshot(SectorModel shown, long activeSince) {
      this.shown = shown;
      this.activeSince = activeSince;
      this.baseOrders = shown.orders();
    }

    boolean isInvalid() {
      return faultsWhenInvalid >= 0;
    }
  }

  /** A request in flight; a flush promises what was answered before it was sent, or later. */
  private record Running(SimRequest request, SectorModel device, long order, long[] promised) {}

  private SnapshotMachine machine;
  private SectorModel origin;
  private final @Nullable Snapshot[] snapshots;
  private final List<Running> running = new ArrayList<>();

  /** Failures of flushes that have been taken in, disk by disk. */
  private int[] flushFailures;

  private long lastOrder;

  /** A model of a machine on which nothing has happened yet. */
  SnapshotModel(SnapshotMachine machine) {
    this.machine = machine;
    int[] values = new int[machine.plan.originSectors()];
    for (int sector = 0; sector < values.length; sector++) {
      values[sector] = machine.origin.disk().intAt((long) sector * SnapshotMachine.SECTOR);
    }
    origin = SectorModel.of(values, ++lastOrder);
    snapshots = new Snapshot[machine.plan.stores().size()];
    flushFailures = new int[1 + snapshots.length];
    machine.frame.listen(this);
  }

  private Snapshot snapshot(int k) {
    return Objects.requireNonNull(snapshots[k]);
  }

  private @Nullable SectorModel shown(int k) {
    Snapshot snapshot = snapshots[k];
    return snapshot == null ? null : snapshot.shown;
  }

  private SnapshotPlan.Store plan(int k) {
    return machine.plan.stores().get(k);
  }

  private SectorModel device(SimTarget target) {
    return machine.isFront(target) ? origin : snapshot(machine.indexOf(target)).shown;
  }

  // Requests.

  /** Requests that overlap in flight have no defined result: a user does not send them. */
  boolean isBusy(SimTarget target, int firstSector, int sectors) {
    SectorModel device = device(target);
    for (Running each : running) {
      if (each.device == device
          && firstSector < each.request.endSector()
          && each.request.firstSector() < firstSector + sectors) {
        return true;
      }
    }
    return false;
  }

  @Override
  public void sending(SimRequest request) {
    SectorModel device = device(request.target());
    long order = ++lastOrder;
    long[] promised = request.operation() == Operation.FLUSH ? device.orders() : new long[0];
    running.add(new Running(request, device, order, promised));
    if (request.operation().changesData()) {
      for (int sector = request.firstSector(); sector < request.endSector(); sector++) {
        device.sent(sector, request.stampOf(sector), order);
      }
      touch(request);
    }
  }

  /** After a flush has failed on a disk, what was sent there before is never promised (O3). */
  private void forsake() {
    for (int k = 0; k < snapshots.length; k++) {
      if (hasNewFailures(1 + k, machine.stores.get(k))) {
        SectorModel concerned = machine.merging() == k ? origin : shown(k);
        if (concerned != null) {
          concerned.forsake(lastOrder);
        }
      }
    }
    if (hasNewFailures(0, machine.origin)) {
      origin.forsake(lastOrder);
    }
  }

  private boolean hasNewFailures(int disk, SimDevice device) {
    int before = flushFailures[disk];
    flushFailures[disk] = device.faults().flushFailures();
    return flushFailures[disk] > before;
  }

  private void touch(SimRequest request) {
    for (int k = 0; k < snapshots.length; k++) {
      if (snapshots[k] != null && machine.uses[k] == Use.SNAPSHOT) {
        boolean isOwn = machine.indexOf(request.target()) == k;
        if (isOwn || machine.isFront(request.target())) {
          touch(k, request.firstSector(), request.endSector());
        }
      }
    }
  }

  private void touch(int k, int firstSector, int endSector) {
    int end = Math.min(endSector, plan(k).sectors());
    if (firstSector < end) {
      int chunkSectors = plan(k).chunkSectors();
      snapshot(k).touched.set(firstSector / chunkSectors, Math.ceilDiv(end, chunkSectors));
    }
  }

  @Override
  public void answering(SimRequest request) {
    Running ended =
        running.stream().filter(each -> each.request == request).findFirst().orElseThrow();
    running.remove(ended);
    forsake();
    if (request.errno() != Errno.OK) {
      failed(ended);
      return;
    }
    switch (request.operation()) {
      case READ -> found(ended);
      case WRITE, WRITE_ZEROES, DISCARD -> written(ended);
      case FLUSH -> flushed(ended);
      case CACHE -> {}
    }
  }

  private void found(Running ended) {
    SimRequest request = ended.request;
    for (int sector = request.firstSector(); sector < request.endSector(); sector++) {
      int value = request.found(sector);
      if (!ended.device.found(sector, value)) {
        throw broken(
            request,
            ": found ",
            value,
            " in sector ",
            sector,
            ", not as ",
            ended.device.lawful(sector));
      }
    }
  }

  private void written(Running ended) {
    SimRequest request = ended.request;
    boolean isFront = ended.device == origin;
    boolean isMerging = machine.merging() >= 0;
    // D2, M6: some discards have no effect.
    boolean isCertain = request.operation() != Operation.DISCARD || (isFront && !isMerging);
    for (int sector = request.firstSector(); sector < request.endSector(); sector++) {
      int value = request.stampOf(sector);
      if (isCertain) {
        ended.device.written(sector, value, ended.order);
      } else {
        ended.device.maybeWritten(sector, value, ended.order);
      }
      if (request.isFua() && isCertain) {
        ended.device.promise(sector, ended.order);
      }
      if (isFront && !isMerging) {
        promiseWhatWasSaved(sector, ended.order);
      }
    }
  }

  /** F2: what a write to the origin has overwritten is durable in the snapshots of that time. */
  private void promiseWhatWasSaved(int sector, long order) {
    for (Snapshot snapshot : snapshots) {
      if (snapshot != null && snapshot.activeSince < order && sector < snapshot.shown.sectors()) {
        snapshot.shown.promise(sector, snapshot.baseOrders[sector]);
      }
    }
  }

  /** What snapshots see of the origin is durable with it, unless a flush before has lost it. */
  private void promiseWhatIsSeen(int sector, long order) {
    for (Snapshot snapshot : snapshots) {
      if (snapshot != null && sector < snapshot.shown.sectors()) {
        long seen = Math.min(order, snapshot.baseOrders[sector]);
        if (!origin.isForsaken(seen)) {
          snapshot.shown.promise(sector, seen);
        }
      }
    }
  }

  private void flushed(Running ended) {
    // F1: what a snapshot's users see of the origin is the origin's to flush.
    long since = ended.device == origin ? 0 : activeSince(ended.device);
    for (int sector = 0; sector < ended.promised.length; sector++) {
      long order = ended.promised[sector];
      if (order > since && !ended.device.isForsaken(order)) {
        ended.device.promise(sector, order);
        if (ended.device == origin) {
          promiseWhatIsSeen(sector, order);
        }
      }
    }
  }

  private long activeSince(SectorModel shown) {
    for (Snapshot snapshot : snapshots) {
      if (snapshot != null && snapshot.shown == shown) {
        return snapshot.activeSince;
      }
    }
    return Long.MAX_VALUE; // It has been removed meanwhile.
  }

  /** Any part of what failed may have happened. */
  private void failed(Running ended) {
    SimRequest request = ended.request;
    requireReason(ended);
    if (request.operation().changesData()) {
      for (int sector = request.firstSector(); sector < request.endSector(); sector++) {
        ended.device.maybeWritten(sector, request.stampOf(sector), ended.order);
      }
    }
  }

  private void requireReason(Running ended) {
    SimRequest request = ended.request;
    if (ended.device == origin) {
      int merging = machine.merging();
      boolean hasReason =
          machine.origin.faults().count() > 0 || (merging >= 0 && machine.faults(merging) > 0);
      require(hasReason, "O3: ", request, ", though the origin is well");
      return;
    }
    int k = machine.indexOf(request.target());
    String status = request.target().status();
    raised(request.target(), "as an answer says that comes before the event");
    boolean hasReason =
        machine.faults(k) > 0
            || snapshot(k).isInvalid()
            || (status.equals("Overflow") && request.operation() != Operation.READ)
            || (request.operation() == Operation.DISCARD && plan(k).features().isEmpty());
    require(hasReason, request, ", without a reason, in state ", status);
  }

  // What becomes of snapshots.

  /** A snapshot has become invalid, or has overflowed. */
  @Override
  public void raised(SimTarget target, String why) {
    int k = machine.indexOf(target);
    if (k < 0 || snapshots[k] == null) {
      return;
    }
    String status = target.status();
    boolean isInvalid = status.equals("Invalid");
    if ((isInvalid && !snapshot(k).isInvalid()) || status.equals("Overflow")) {
      int room = plan(k).capacity();
      boolean isFull = snapshot(k).touched.cardinality() > room;
      require(
          isFull || machine.faults(k) > 0,
          target,
          " is ",
          status,
          " (",
          why,
          "), but only chunks ",
          snapshot(k).touched,
          " of ",
          room,
          " can be in use");
    }
    if (isInvalid && !snapshot(k).isInvalid()) {
      snapshot(k).faultsWhenInvalid = machine.stores.get(k).faults().count();
    }
  }

  /** A snapshot is about to be resumed for the first time. */
  void activating(int k) {
    SectorModel shown = origin.copy(plan(k).sectors());
    for (Running each : running) {
      if (each.device == origin && each.request.operation().changesData()) {
        // Whether it is before or after is open, but decided once.
        int end = Math.min(each.request.endSector(), shown.sectors());
        for (int sector = each.request.firstSector(); sector < end; sector++) {
          shown.maybeWritten(sector, each.request.stampOf(sector), each.order);
        }
      }
    }
    snapshots[k] = new Snapshot(shown, lastOrder);
    for (Running each : running) {
      if (each.device == origin && each.request.operation().changesData()) {
        touch(k, each.request.firstSector(), each.request.endSector());
      }
    }
  }

  boolean isInvalid(int k) {
    return snapshots[k] != null && snapshot(k).isInvalid();
  }

  void removed(int k) {
    snapshots[k] = null;
  }

  /** The merge of a snapshot is about to begin: users of the origin see what it showed. */
  void merging(int k) {
    Snapshot merged = snapshot(k);
    origin.become(merged.shown);
    snapshots[k] = null;
    touchByMerge(k, merged.touched);
  }

  /** M5: other snapshots save what a merge overwrites. */
  private void touchByMerge(int merging, BitSet chunks) {
    int chunkSectors = plan(merging).chunkSectors();
    for (int k = 0; k < snapshots.length; k++) {
      for (int chunk = chunks.nextSetBit(0); snapshots[k] != null && chunk >= 0; ) {
        touch(k, chunk * chunkSectors, (chunk + 1) * chunkSectors);
        chunk = chunks.nextSetBit(chunk + 1);
      }
    }
  }

  // Crashes.

  /**
   * What a crash leaves, or would leave, is as promised.
   *
   * @param views the stores in use; null for snapshots that do not outlive a crash
   */
  void checkAfterCrash(List<SimDisk> images, @Nullable StoreImage[] views) {
    for (int sector = 0; sector < origin.sectors(); sector++) {
      checkAfterCrash(origin, "the origin", sector, lookFront(sector, images, views));
    }
    for (int k = 0; k < snapshots.length; k++) {
      StoreImage view = views[k];
      if (snapshots[k] != null && view != null && machine.uses[k] == Use.SNAPSHOT) {
        checkAfterCrash(k, view, images);
      }
    }
  }

  private void checkAfterCrash(int k, StoreImage view, List<SimDisk> images) {
    if (!view.isValid()) {
      require(snapshot(k).isInvalid(), "a crash leaves snapshot ", k, " invalid, which it is not");
    } else if (!isLost(k)) {
      for (int sector = 0; sector < plan(k).sectors(); sector++) {
        int found = view.look(sector, images.get(1 + k), images.get(0));
        checkAfterCrash(snapshot(k).shown, "snapshot " + k, sector, found);
      }
    }
  }

  private void checkAfterCrash(SectorModel device, String whose, int sector, int found) {
    if (!device.mayBeAfterCrash(sector, found)) {
      throw broken(
          "a crash leaves ",
          found,
          " in sector ",
          sector,
          " of ",
          whose,
          ": lawful are ",
          device.lawful(sector));
    }
  }

  /** It is invalid, and its store could not be told so: nothing can be said of what is there. */
  boolean isLost(int k) {
    return snapshot(k).isInvalid()
        && machine.stores.get(k).faults().count() > snapshot(k).faultsWhenInvalid;
  }

  /** What the front shows in a sector. */
  private int lookFront(int sector, List<SimDisk> images, @Nullable StoreImage[] views) {
    int merging = machine.merging();
    if (merging >= 0 && sector < plan(merging).sectors()) {
      StoreImage view = Objects.requireNonNull(views[merging]);
      return view.look(sector, images.get(1 + merging), images.get(0));
    }
    return images.get(0).intAt((long) sector * SnapshotMachine.SECTOR);
  }

  /**
   * Power has failed, or all was ended in good order, and this is what is there now. What is of no
   * more use is not in use any more.
   *
   * @param isInOrder then nothing that was answered may be missing
   */
  void restarted(
      SnapshotMachine after, List<SimDisk> disks, @Nullable StoreImage[] views, boolean isInOrder) {
    checkAfterCrash(disks, views);
    running.clear();
    // Messages of a failure shall show what led to it.
    after.frame.log().addAll(0, machine.frame.log());
    after.frame.log().add(isInOrder ? "---- restart" : "---- crash");
    int merging = machine.merging();
    lastOrder++;
    for (int sector = 0; sector < origin.sectors(); sector++) {
      settle(origin, sector, lookFront(sector, disks, views), isInOrder, "the origin");
    }
    for (int k = 0; k < snapshots.length; k++) {
      StoreImage view = views[k];
      if (snapshots[k] == null || k == merging) {
        continue;
      }
      if (view == null || !view.isValid() || isLost(k)) {
        snapshots[k] = null;
        after.uses[k] = Use.NONE;
        continue;
      }
      for (int sector = 0; sector < plan(k).sectors(); sector++) {
        int found = view.look(sector, disks.get(1 + k), disks.get(0));
        settle(snapshot(k).shown, sector, found, isInOrder, "snapshot " + k);
      }
      snapshots[k] = new Snapshot(snapshot(k).shown, lastOrder);
      snapshot(k).touched.or(view.chunks());
    }
    if (merging >= 0) {
      touchByMerge(merging, Objects.requireNonNull(views[merging]).chunks());
    }
    flushFailures = new int[1 + snapshots.length];
    machine = after;
    machine.frame.listen(this);
  }

  private void settle(SectorModel device, int sector, int found, boolean isInOrder, String whose) {
    if (isInOrder && !device.found(sector, found)) {
      throw broken(
          "a restart leaves ",
          found,
          " in sector ",
          sector,
          " of ",
          whose,
          ": lawful are ",
          device.lawful(sector));
    }
    device.settle(sector, found, lastOrder);
  }

  /** All is quiet: everything has been answered. */
  void checkAtRest() {
    require(running.isEmpty(), "never answered: ", running);
  }

  private static void require(boolean condition, Object... what) {
    if (!condition) {
      throw broken(what);
    }
  }

  private static AssertionError broken(Object... what) {
    return new AssertionError(
        Arrays.stream(what).map(String::valueOf).collect(Collectors.joining()));
  }
}
