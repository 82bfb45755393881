package oxbow.mapped;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import oxbow.block.BlockDevice;
import oxbow.block.BlockRequest;
import oxbow.block.Errno;
import oxbow.block.Limits;
import oxbow.block.Operation;
import oxbow.device.Requests;
import oxbow.device.mem.MemDevice;
import oxbow.target.Effects;
import oxbow.target.Family;
import oxbow.target.Job;
import oxbow.target.Mapping;
import oxbow.target.Moment;
import oxbow.target.Piece;
import oxbow.target.Target;

/**
 * Aim: targets that decide together, and I/O that they are told the end of. Method: two targets of
 * one family, each of which has its peer zero what it is about to write.
 */
class MappedFamilyTest {
  private static final int SIZE = 1 << 20;
  private static final byte[] ONES = {1, 1, 1, 1};

  private final List<String> events = Collections.synchronizedList(new ArrayList<>());

  /** Reads carry tickets; a write is first a zeroing by the peer, then its own. */
  private static final class Peer implements Target {
    private final Family family;
    private final BlockDevice device;
    private final List<Job> ended = Collections.synchronizedList(new ArrayList<>());
    private final AtomicInteger given = new AtomicInteger();
    private final AtomicInteger back = new AtomicInteger();
    private final AtomicInteger wakes = new AtomicInteger();
    private final AtomicBoolean isRemoved = new AtomicBoolean(true);
    private volatile boolean wantsWake;
    private volatile long mostBytes = Long.MAX_VALUE;
    private volatile boolean breaks;
    private volatile @Nullable String problem;
    private @Nullable Effects own;
    private @Nullable Peer other;

    Peer(Family family, BlockDevice device) {
      this.family = family;
      this.device = device;
    }

    void meet(Peer peer) {
      other = peer;
      peer.other = this;
    }

    @Override
    public void attach(Effects effects) {
      own = effects;
    }

    @Override
    public Family family() {
      return family;
    }

    @Override
    public String typeName() {
      return "peer";
    }

    @Override
    public long lengthBytes() {
      return SIZE;
    }

    @Override
    public Limits limits() {
      return Limits.FILE;
    }

    @Override
    public List<BlockDevice> devices() {
      return List.of(device);
    }

    @Override
    public void map(Operation operation, long offset, long length, int flags, Mapping answer) {
      if (operation == Operation.WRITE) {
        answer.queue(length);
      } else {
        answer.remap(0, offset, Math.min(length, mostBytes));
        if (operation == Operation.READ) {
          given.incrementAndGet();
          answer.track(7);
        }
      }
    }

    @Override
    public boolean endIo(int ticket) {
      assertThat(ticket).isEqualTo(7);
      back.incrementAndGet();
      return wantsWake;
    }

    @Override
    public void queue(Piece piece, Moment now, Effects out) {
      Objects.requireNonNull(other).zero(piece.offsetBytes(), piece.lengthBytes());
      given.incrementAndGet();
      out.issue(piece, 0, piece.offsetBytes(), 7);
    }

    private void zero(long offset, long length) {
      if (breaks) {
        throw new IllegalStateException("broken");
      }
      Objects.requireNonNull(own).range(new Job(), 0, Operation.WRITE_ZEROES, offset, length, 0);
    }

    @Override
    public void ended(Job job, int errno, Moment now, Effects out) {
      ended.add(job);
    }

    @Override
    public void wake(Moment now, Effects out) {
      wakes.incrementAndGet();
    }

    @Override
    public @Nullable String resumeProblem() {
      return problem;
    }

    @Override
    public boolean isRemoved() {
      return isRemoved.get();
    }

    @Override
    public String status() {
      return "";
    }

    @Override
    public String table() {
      return "";
    }
  }

  private final Family family = new Family();
  private final Peer a = new Peer(family, new MemDevice(SIZE));
  private final Peer b = new Peer(family, new MemDevice(SIZE));

  private MappedDevice mapped(String name, Target target) {
    return new MappedDevice(
        name,
        target,
        new TimerLoop(),
        Runnable::run,
        new MappedDevice.Listener() {
          @Override
          public void event(long number, String why) {
            events.add(name + ": " + why);
          }

          @Override
          public void warning(String what) {}
        });
  }

  @Test
  void whatAPeerAsksForIsDoneByThePeersDevice() {
    a.meet(b);
    Requests.write(b.device, 0, ONES);
    MappedDevice first = mapped("a", a);
    MappedDevice second = mapped("b", b);
    first.resume();
    second.resume();
    Requests.write(first, 0, ONES);
    assertThat(Requests.read(a.device, 0, 4)).isEqualTo(ONES);
    assertThat(Requests.read(b.device, 0, 4)).isEqualTo(new byte[4]);
    assertThat(b.ended).hasSize(1);
    assertThat(a.ended).isEmpty();
  }

  @Test
  void aMistakeOfOneFailsAllAndWhoeverComesLater() {
    a.meet(b);
    MappedDevice first = mapped("a", a);
    MappedDevice second = mapped("b", b);
    first.resume();
    second.resume();
    b.breaks = true;
    assertThat(Requests.write(first, 0, ONES, 0)).isEqualTo(Errno.EIO);
    for (MappedDevice each : List.of(first, second)) {
      assertThat(each.fault()).contains("broken");
      assertThat(Requests.tryRead(each, 0, 4, 0)).isEqualTo(Errno.EIO);
      assertThat(each.status(true)).endsWith("Fail");
      assertThat(each.suspend(TestClone.TIMEOUT_NANOS)).isTrue();
      each.close();
    }
    assertThat(events).hasSize(2);
    MappedDevice third = mapped("c", new Peer(family, new MemDevice(SIZE)));
    third.resume();
    assertThat(Requests.tryRead(third, 0, 4, 0)).isEqualTo(Errno.EIO);
  }

  /** The second device's requests wait in its gate, not in the family's lock. */
  @Test
  void aMistakeAnswersWhatThePeersHold() {
    a.meet(b);
    MappedDevice first = mapped("a", a);
    MappedDevice second = mapped("b", b);
    first.resume();
    AtomicInteger answer = new AtomicInteger(-1);
    second.submit(new BlockRequest().flush((request, errno) -> answer.set(errno)));
    assertThat(answer).hasValue(-1);
    b.breaks = true;
    assertThat(Requests.write(first, 0, ONES, 0)).isEqualTo(Errno.EIO);
    assertThat(answer).hasValue(Errno.EIO);
  }

  @Test
  void ticketsComeBackExactlyOnceWhateverBecomesOfTheRequest() {
    a.meet(b);
    ShapedDevice shaped = ShapedDevice.submitOnly(new MemDevice(SIZE));
    Peer tracked = new Peer(new Family(), shaped);
    tracked.meet(new Peer(tracked.family, new MemDevice(SIZE)));
    mapped("other", Objects.requireNonNull(tracked.other));
    for (Peer peer : List.of(a, tracked)) {
      MappedDevice device = mapped("tickets", peer);
      device.resume();
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment data = arena.allocate(4096);
        device.readNow(0, data, 0, 4096);
        peer.mostBytes = 512; // The mapping is not used: it is for less than was asked about.
        assertThat(device.readNow(0, data, 0, 4096)).isEqualTo(Errno.EAGAIN);
      }
      assertThat(peer.back).hasValue(2);
      assertThat(Requests.read(device, 0, 4096)).hasSize(4096);
      assertThat(peer.back).hasValue(2 + 8).hasValue(peer.given.get());
    }
    shaped.failWhen(request -> true);
    MappedDevice device = mapped("failing", tracked);
    device.resume();
    assertThat(Requests.tryRead(device, 0, 512, 0)).isEqualTo(Errno.EIO);
    assertThat(Requests.write(device, 0, ONES, 0)).isEqualTo(Errno.EIO);
    assertThat(tracked.back).hasValue(tracked.given.get());
  }

  @Test
  void aTicketThatIsWaitedForWakesTheCore() {
    a.meet(b);
    MappedDevice device = mapped("a", a);
    device.resume();
    Requests.read(device, 0, 512);
    assertThat(a.wakes).hasValue(0);
    a.wantsWake = true;
    Requests.read(device, 0, 512);
    assertThat(a.wakes).hasValue(1);
  }

  @Test
  void aTargetThatCannotBeResumedSaysWhy() {
    MappedDevice device = mapped("a", a);
    a.problem = "not now";
    assertThatThrownBy(device::resume)
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("not now");
    assertThat(device.isSuspended()).isTrue();
    a.problem = null;
    device.resume();
    assertThat(device.isSuspended()).isFalse();
  }

  @Test
  void closingWaitsUntilTheTargetHasLeft() throws Exception {
    MappedDevice device = mapped("a", a);
    device.resume();
    a.isRemoved.set(false);
    assertThat(device.suspend(TestClone.TIMEOUT_NANOS)).isTrue();
    AtomicBoolean wasRemoved = new AtomicBoolean();
    Thread closer =
        Thread.ofPlatform()
            .start(
                () -> {
                  device.close();
                  wasRemoved.set(a.isRemoved.get());
                });
    a.isRemoved.set(true);
    closer.join();
    assertThat(wasRemoved).isTrue();
  }
}
