package oxbow.device.error;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;
import oxbow.block.Errno;
import oxbow.block.Operation;
import oxbow.device.Requests;

/** Aim: no request of any kind succeeds. */
class ErrorDeviceTest {
  @Test
  void everyRequestFailsWithAnInputOutputError() {
    try (ErrorDevice device = new ErrorDevice(1 << 20);
        Arena arena = Arena.ofConfined()) {
      assertThat(device.sizeBytes()).isEqualTo(1 << 20);
      assertThat(device.address()).isEqualTo("error:1MiB");
      for (Operation operation : Operation.values()) {
        if (operation != Operation.READ && operation != Operation.WRITE) {
          assertThat(Requests.run(device, operation, 0, 4096, 0)).isEqualTo(Errno.EIO);
        }
      }
      assertThat(Requests.tryRead(device, 0, 512, 0)).isEqualTo(Errno.EIO);
      assertThat(Requests.write(device, 0, new byte[512], 0)).isEqualTo(Errno.EIO);
      MemorySegment buffer = arena.allocate(512);
      assertThat(device.readNow(0, buffer, 0, 512)).isEqualTo(Errno.EIO);
      assertThat(device.writeNow(0, buffer, 0, 512)).isEqualTo(Errno.EIO);
    }
  }
}
