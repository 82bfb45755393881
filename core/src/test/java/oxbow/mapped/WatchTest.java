package oxbow.mapped;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import oxbow.device.mem.MemDevice;
import oxbow.target.TaskPlace;

/**
 * Aim: whatever does not answer is named, with its role, and so is its end. Method: two places, and
 * a clock of the test's own.
 */
class WatchTest {
  private static final long SECOND = 1_000_000_000L;

  private final ShapedDevice far = ShapedDevice.submitOnly(new MemDevice(1 << 20));
  private final Underlying source = new Underlying("source", far);
  private final Underlying metadata = new Underlying(new TaskPlace("metadata", "/x.meta", null));
  private final List<String> events = new ArrayList<>();
  private final Watch watch = new Watch(List.of(source, metadata), events::add);
  private long nowNanos = System.nanoTime();

  private void seconds(int count) {
    for (int i = 0; i < count; i++) {
      nowNanos += SECOND;
      watch.tick(nowNanos);
    }
  }

  @Test
  void aTaskThatDoesNotEndIsNamedOnceAndSoIsItsEnd() {
    seconds(1);
    Outstanding.Interval commit = metadata.enter();
    seconds(9);
    assertThat(events).isEmpty();
    seconds(20);
    assertThat(events)
        .containsExactly("metadata /x.meta does not answer: 1 request waiting for up to 10 s");
    assertThat(metadata.health(nowNanos).toStatusWords()).isEqualTo("metadata_hanging 29s held 1");
    commit.ended();
    seconds(2);
    assertThat(events).hasSize(2).last().isEqualTo("metadata /x.meta answers again");
    assertThat(watch.statusWords()).isEmpty();
  }

  @Test
  void oneRequestThatHangsIsNamedThoughOthersEnd() {
    seconds(1);
    final Outstanding.Interval stuck = source.enter();
    for (int i = 0; i < 12; i++) {
      source.enter().ended();
      seconds(1);
    }
    assertThat(events).hasSize(1).first().asString().startsWith("source ");
    stuck.ended();
  }

  @Test
  void aDeviceThatIsAwayIsNamedAtTheNextTickWithItsReason() {
    far.goAway("Connection refused");
    final Outstanding.Interval held = source.enter();
    seconds(1);
    assertThat(events)
        .hasSize(1)
        .first()
        .asString()
        .matches("source mem:1MiB away for \\d+ s \\(Connection refused\\); 1 request held");
    assertThat(watch.statusWords()).matches(" source_away \\d+s held 1");
    far.remote().holdNanos(0);
    seconds(3);
    assertThat(events).hasSize(2).last().asString().endsWith("(Connection refused); requests fail");
    assertThat(watch.statusWords()).matches(" source_failing \\d+s");
    held.ended();
    far.comeBack();
    seconds(3);
    assertThat(events).hasSize(3).last().isEqualTo("source mem:1MiB is back");
  }

  @Test
  void aDeviceThatIsGoneIsNamed() {
    far.go("the export has shrunk");
    seconds(2);
    assertThat(events)
        .containsExactly("source mem:1MiB gone for good (the export has shrunk); requests fail");
    assertThat(watch.statusWords()).matches(" source_gone \\d+s");
  }
}
