package oxbow.mapped;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import oxbow.block.BlockDevice;
import oxbow.block.BlockRequest;
import oxbow.block.Errno;
import oxbow.block.Flags;
import oxbow.block.Operation;
import oxbow.block.Sectors;
import oxbow.device.Requests;
import oxbow.device.mem.MemDevice;
import oxbow.target.MessageException;
import oxbow.target.TargetException;
import oxbow.target.TargetType;
import oxbow.target.TestFrame;
import oxbow.target.delay.DelayTargetType;
import oxbow.target.flakey.FlakeyTargetType;

/** Aim: targets for tests work in the real frame, and never keep anybody from ending. */
class LayerTest {
  private static final int SIZE = 1 << 20;

  private final MemDevice memory = TestClone.random(SIZE, 3);
  private final ShapedDevice device = ShapedDevice.inline(memory);

  private Layer layer(TargetType type, String words) throws TargetException {
    MappedDevice.Listener nobody =
        new MappedDevice.Listener() {
          @Override
          public void event(long number, String why) {}

          @Override
          public void warning(String what) {}
        };
    var target =
        type.construct(
            Sectors.fromBytes(SIZE),
            List.of(words.split(" ")),
            TestFrame.devices(Map.of("a", device)));
    MappedDevice mapped =
        new MappedDevice(type.name(), target, new TimerLoop(), Runnable::run, nobody);
    return new Layer("address", mapped, List.of(device));
  }

  private static CompletableFuture<Integer> startFlush(BlockDevice device) {
    CompletableFuture<Integer> done = new CompletableFuture<>();
    device.submit(new BlockRequest().flush((request, errno) -> done.complete(errno)));
    return done;
  }

  @Test
  void aDelayOfAnHourDoesNotHoldUpASuspend() throws Exception {
    Layer layer = layer(new DelayTargetType(), "a 0 3600000");
    CompletableFuture<Integer> flush = startFlush(layer);
    assertThat(flush).isNotDone();
    assertThat(layer.mapped().status(true)).isEqualTo("0 2048 delay 0 0 1");
    assertThat(layer.mapped().suspend(TimeUnit.SECONDS.toNanos(60))).isTrue();
    assertThat(flush).isCompletedWithValue(Errno.OK);
    layer.mapped().resume();
    assertThat(startFlush(layer)).isNotDone();
    layer.close();
  }

  @Test
  void aHangDoesNotHoldUpAClose() throws Exception {
    Layer layer = layer(new FlakeyTargetType(), "a 0 1 0");
    layer.mapped().message(List.of("hang"));
    CompletableFuture<Integer> flush = startFlush(layer);
    assertThat(flush).isNotDone();
    layer.close();
    assertThat(flush).isCompletedWithValue(Errno.EIO);
  }

  @Test
  void questionsAboutTheDataGoToTheDeviceAtOnce() throws Exception {
    Requests.run(memory, Operation.DISCARD, 0, SIZE / 2, 0);
    try (Layer layer = layer(new DelayTargetType(), "a 0 3600000")) {
      assertThat(Requests.extents(layer, 0, SIZE, 10))
          .isEqualTo(Requests.extents(memory, 0, SIZE, 10))
          .hasSizeGreaterThan(1);
    }
  }

  @Test
  void aByteIsCorruptedOnItsWayToTheDevice() throws Exception {
    byte[] bytes = new byte[8192];
    try (Layer layer = layer(new FlakeyTargetType(), "a 0 0 1 5 corrupt_bio_byte 4097 w 99 0")) {
      assertThat(Requests.write(layer, 0, bytes, Flags.FUA)).isEqualTo(Errno.OK);
      bytes[4096] = 99;
      assertThat(Arrays.equals(Requests.read(memory, 0, bytes.length), bytes)).isTrue();
    }
  }

  @Test
  void aByteIsCorruptedOnItsWayFromTheDevice() throws Exception {
    byte[] bytes = Requests.read(memory, 0, 8192);
    try (Layer layer = layer(new FlakeyTargetType(), "a 0 0 1 5 corrupt_bio_byte 4097 r 99 0")) {
      byte[] found = Requests.read(layer, 0, bytes.length);
      assertThat(Arrays.equals(Requests.read(memory, 0, bytes.length), bytes)).isTrue();
      bytes[4096] = 99;
      assertThat(Arrays.equals(found, bytes)).isTrue();
    }
  }

  @Test
  void targetsWithoutMessagesSaySo() throws Exception {
    try (Layer layer = layer(new DelayTargetType(), "a 0 0")) {
      assertThatThrownBy(() -> layer.mapped().message(List.of("fail")))
          .isInstanceOf(MessageException.class)
          .hasMessage("Target type does not support messages");
    }
  }
}
