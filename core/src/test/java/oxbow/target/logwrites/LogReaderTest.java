package oxbow.target.logwrites;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import oxbow.format.FormatException;
import oxbow.format.logwrites.LogEntry;
import oxbow.format.logwrites.LogSuper;
import oxbow.sim.SimDisk;

/** Aim: what is no log, or no whole one, is refused with its place; nothing is made up. */
class LogReaderTest {
  private static final int SECTOR = 512;
  private static final int LOG_SECTORS = 16;

  /** A log of one entry, with a sector of data if it is a write. */
  private static SimDisk log(LogSuper head, LogEntry entry) {
    byte[] bytes = new byte[LOG_SECTORS * SECTOR];
    head.encode(bytes, 0);
    entry.encode(bytes, SECTOR);
    Arrays.fill(bytes, 2 * SECTOR, 3 * SECTOR, (byte) 9);
    return SimDisk.of(bytes, bytes.length);
  }

  private static void refuse(SimDisk log, String sentence) {
    assertThatThrownBy(() -> new LogReader(log).next())
        .isInstanceOf(FormatException.class)
        .hasMessageContaining(sentence);
  }

  @Test
  void supersOfOtherThingsAreRefused() {
    LogEntry entry = new LogEntry(0, 1, 0, 0);
    refuse(log(new LogSuper(1, 1, 1, SECTOR), entry), "magic 0x1, expected 0x6a736677736872");
    refuse(log(new LogSuper(LogSuper.MAGIC, 2, 1, SECTOR), entry), "version 2, expected 1");
    refuse(log(LogSuper.of(1, 513), entry), "sectors of 513 bytes");
  }

  @Test
  void entriesThatCannotBeAreRefused() {
    refuse(log(LogSuper.of(1, SECTOR), new LogEntry(0, 15, 0, 0)), "entry 0 of 1 has 15 sectors");
    refuse(log(LogSuper.of(1, SECTOR), new LogEntry(0, -1, 0, 0)), "has 18446744073709551615");
    refuse(
        log(LogSuper.of(1, SECTOR), new LogEntry(0, 0, LogEntry.MARK, 481)), "text of 481 bytes");
  }

  @Test
  void aLogThatEndsTooSoonIsRefusedWhereItEnds() throws IOException {
    LogReader reader = new LogReader(log(LogSuper.of(2, SECTOR), new LogEntry(0, 14, 0, 0)));
    assertThat(reader.next()).isNotNull();
    assertThatThrownBy(reader::next).hasMessageContaining("entry 1 of 2 lies beyond the end");
  }

  @Test
  void onlyWhatTheSuperCountsIsRead() throws IOException {
    assertThat(new LogReader(log(LogSuper.of(0, SECTOR), new LogEntry(0, 1, 0, 0))).next())
        .isNull();
  }

  @Test
  void anEntryOnNoDeviceIsNotReplayed() throws IOException {
    SimDisk device = new SimDisk(4 * SECTOR);
    LogReplay replay = new LogReplay(List.of(device, new SimDisk(4 * SECTOR)));
    for (long sector : new long[] {3, 8, 1L << 50}) {
      SimDisk log = log(LogSuper.of(1, SECTOR), new LogEntry(sector, 2, LogEntry.DISCARD, 0));
      assertThatThrownBy(() -> replay.replay(new LogReader(log), 1))
          .as("across the border of two devices, or beyond both")
          .hasMessageContaining("is on no device");
    }
    assertThat(device.writes()).isEmpty();
    SimDisk log = log(LogSuper.of(1, SECTOR), new LogEntry(3, 1, 0, 0));
    assertThat(replay.replay(new LogReader(log), 1)).isEqualTo(1);
    assertThat(device.bytes(3 * SECTOR, SECTOR)).containsOnly(9);
  }
}
