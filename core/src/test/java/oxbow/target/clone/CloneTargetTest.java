package oxbow.target.clone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import oxbow.block.Errno;
import oxbow.block.Operation;
import oxbow.device.mem.MemDevice;
import oxbow.sim.SimDisk;
import oxbow.target.MessageException;
import oxbow.target.Moment;
import oxbow.target.Piece;
import oxbow.target.TargetException;

/**
 * Aim: messages, status and modes (sections 10 and 11) over real metadata. Method: the callbacks by
 * hand, with metadata on a simulated disk that fails when told to.
 */
class CloneTargetTest {
  private static final long SECTORS = 16384;

  private final SimDisk disk = new SimDisk(4 << 20);
  private final RecordedEffects effects = new RecordedEffects();
  private final Moment now = new Moment();

  private CloneTarget target(String tail) throws TargetException, IOException {
    CloneTarget target = suspended(disk, tail);
    target.resume(now, effects);
    effects.take();
    return target;
  }

  private static CloneTarget suspended(SimDisk disk, String tail)
      throws TargetException, IOException {
    CloneArgs args = CloneArgs.parse(List.of(("meta dest source " + tail).split(" ")));
    CloneMetadata metadata =
        CloneMetadata.probe(disk).mayBeFormatted()
            ? CloneMetadata.format(disk, SECTORS, args.regionSizeSectors())
            : CloneMetadata.open(disk, SECTORS, args.regionSizeSectors());
    return CloneTargetType.open(
        args,
        CloneOptions.TABLE,
        SECTORS * 512,
        new MemDevice(SECTORS * 512),
        new MemDevice(SECTORS * 512),
        metadata);
  }

  @ParameterizedTest
  @DisplayName(
      "C10: of a metadata device above 4161600 blocks the rest is not used, with a warning")
  @CsvSource({"0,false", "512,true", "8192,true"})
  void aMetadataDeviceThatIsTooLargeYieldsAWarning(long excessBytes, boolean isWarnedOf)
      throws TargetException, IOException {
    SimDisk large = new SimDisk(4_161_600L * 4096 + excessBytes);
    try (CloneTarget target = suspended(large, "8")) {
      target.resume(now, effects);
      String warning = "larger than metadata can be (C10): " + excessBytes + " bytes will not be";
      assertThat(effects.take().toString().contains(warning)).isEqualTo(isWarnedOf);
      assertThat(target.status()).contains("/4161600 ");
    }
  }

  private static Piece piece(Operation operation, long firstSector, long sectors) {
    Piece piece = new Piece();
    piece.set(operation, firstSector * 512, sectors * 512, 0, MemorySegment.NULL, 0);
    return piece;
  }

  /** Overwrites regions of 8 sectors; recorded, not committed. */
  private void overwrite(CloneTarget target, long firstRegion, long count) {
    target.queue(piece(Operation.WRITE, firstRegion * 8, count * 8), now, effects);
    target.ended(Objects.requireNonNull(effects.job), Errno.OK, now, effects);
    effects.take();
  }

  /** A flush: its turn runs to the end, metadata and all. */
  private void flush(CloneTarget target) {
    target.queue(piece(Operation.FLUSH, 0, 0), now, effects);
    int errno = effects.task == null ? Errno.OK : effects.task.run();
    target.ended(Objects.requireNonNull(effects.job), errno, now, effects);
  }

  @Test
  @DisplayName("T1 T6: a fresh clone has the status line of a kernel's")
  void aFreshCloneHasTheKernelsStatusLine() throws Exception {
    try (CloneTarget target = target("8 1 no_hydration")) {
      assertThat(target.status())
          .isEqualTo(
              "8 6/1024 8 0/2048 0 1 no_hydration"
                  + " 4 hydration_threshold 1 hydration_batch_size 1 rw");
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "8|0 4 hydration_threshold 1 hydration_batch_size 1 rw",
        "8 2 no_discard_passdown no_hydration"
            + "|2 no_hydration no_discard_passdown 4 hydration_threshold 1 hydration_batch_size 1"
            + " rw",
        "8 3 hydrate_on_read no_discard_passdown no_hydration"
            + "|3 no_hydration no_discard_passdown hydrate_on_read"
            + " 4 hydration_threshold 1 hydration_batch_size 1 rw",
        "8 2 no_hydration no_hydration"
            + "|1 no_hydration 4 hydration_threshold 1 hydration_batch_size 1 rw",
        "8 1 no_hydration 4 hydration_threshold 4 hydration_threshold 8"
            + "|1 no_hydration 4 hydration_threshold 8 hydration_batch_size 1 rw",
        "8 1 no_hydration 2 hydration_batch_size 0"
            + "|1 no_hydration 4 hydration_threshold 1 hydration_batch_size 0 rw",
        "8 1 no_hydration 2 hydration_threshold 4294967295"
            + "|1 no_hydration 4 hydration_threshold 4294967295 hydration_batch_size 1 rw",
      })
  @DisplayName("T3 T4: features that are off in their order, and always both core arguments")
  void featuresAndCoreArgumentsAreThoseOfTheKernel(String tail, String expected) throws Exception {
    try (CloneTarget target = target(tail)) {
      assertThat(target.status()).isEqualTo("8 6/1024 8 0/2048 0 " + expected);
    }
  }

  @Test
  @DisplayName("T2: hydrated counts what is recorded, hydrating what is in flight")
  void hydratedCountsWhatIsRecorded() throws Exception {
    try (CloneTarget target = target("8 1 no_hydration")) {
      overwrite(target, 0, 3);
      target.queue(piece(Operation.WRITE, 80, 16), now, effects);
      assertThat(target.status()).startsWith("8 6/1024 8 3/2048 2 1 no_hydration");
      assertThat(target.hasUncommittedChanges()).isTrue();
      assertThat(target.progress().hydratedBytes()).isEqualTo(3 * 4096);
    }
  }

  @Test
  @DisplayName("T2 Z5: what was committed is hydrated when opened again, what was not is not")
  void committedRegionsAreHydratedWhenOpenedAgain() throws Exception {
    try (CloneTarget target = target("8 1 no_hydration")) {
      overwrite(target, 5, 2);
      flush(target);
      assertThat(effects.take()).containsExactly("flush, then commit", "complete FLUSH 0+0 0");
      assertThat(target.hasUncommittedChanges()).isFalse();
      overwrite(target, 100, 1);
    }
    try (CloneTarget again = target("8 1 no_hydration")) {
      assertThat(again.figures().hydratedRegions()).isEqualTo(2);
      assertThat(again.figures().hydratingRegions()).isZero();
    }
  }

  @Test
  @DisplayName("M7: opened when all is hydrated, it is done, without another event")
  void openedWhenAllIsHydratedItIsDone() throws Exception {
    try (CloneTarget target = target("8 1 no_hydration")) {
      overwrite(target, 0, 2048);
      flush(target);
      assertThat(effects.take()).contains("event hydration completed");
    }
    try (CloneTarget again = target("8")) {
      assertThat(again.progress().isDone()).isTrue();
      again.everySecond(now, effects);
      assertThat(effects.take()).isEmpty();
      assertThat(again.status()).startsWith("8 6/1024 8 2048/2048 0 0 4");
      assertThat(again.progress().hydratedBytes()).isEqualTo(SECTORS * 512);
    }
  }

  @Test
  @DisplayName("T5 M5 O3: when metadata cannot be written the mode is ro, and the count stays")
  void metadataThatCannotBeWrittenMeansRo() throws Exception {
    try (CloneTarget target = target("8 1 no_hydration")) {
      overwrite(target, 0, 4);
      disk.failOperation(disk.operationCount());
      flush(target);
      assertThat(effects.take()).contains("complete FLUSH 0+0 5").anyMatch(s -> s.contains("ro"));
      assertThat(target.status())
          .isEqualTo(
              "8 6/1024 8 4/2048 0 1 no_hydration"
                  + " 4 hydration_threshold 1 hydration_batch_size 1 ro");
    }
    assertThat(CloneMetadata.open(disk, SECTORS, 8).superblock().regionCount()).isEqualTo(2048);
  }

  @Test
  @DisplayName("T5 M5: when metadata cannot even be read the status is the single word Fail")
  void metadataThatCannotBeReadMeansFail() throws Exception {
    try (CloneTarget target = target("8 1 no_hydration")) {
      overwrite(target, 0, 4);
      for (int i = 0; i < 100; i++) {
        disk.failOperation(disk.operationCount() + i);
      }
      flush(target);
      assertThat(target.status()).isEqualTo("Fail");
      assertThat(target.progress().mode()).isEqualTo(CloneMode.FAIL);
    }
  }

  @Test
  @DisplayName("section 10: messages set values, and the table line stays as it was given")
  void messagesSetValuesAndTheTableLineStays() throws Exception {
    try (CloneTarget target = target("8 1 no_hydration")) {
      assertThat(message(target, "hydration_threshold 16")).isEmpty();
      message(target, "HYDRATION_BATCH_SIZE 4");
      message(target, "enable_hydration now");
      assertThat(effects.take()).containsExactly("extents 0+8388608 of 1");
      assertThat(target.status())
          .isEqualTo("8 6/1024 8 0/2048 0 0 4 hydration_threshold 16 hydration_batch_size 4 rw");
      message(target, "Disable_Hydration");
      message(target, "hydration_threshold 0");
      message(target, "hydration_batch_size 0");
      assertThat(target.status())
          .isEqualTo(
              "8 6/1024 8 0/2048 0 1 no_hydration"
                  + " 4 hydration_threshold 0 hydration_batch_size 0 rw");
      assertThat(target.table()).isEqualTo("meta dest source 8 1 no_hydration");
    }
  }

  @Test
  @DisplayName("O13: reads hydrate while the message or the table line says so")
  void hydrateOnReadIsSwitchedByMessages() throws Exception {
    try (CloneTarget target = target("8 1 no_hydration")) {
      target.resume(now, effects);
      message(target, "Enable_Hydrate_On_Read");
      assertThat(target.status())
          .startsWith("8 6/1024 8 0/2048 0 2 no_hydration hydrate_on_read 4");
      target.queue(piece(Operation.READ, 8, 8), now, effects);
      assertThat(effects.take()).containsExactly("read READ 4096+4096 through 4096+4096");
      message(target, "disable_hydrate_on_read");
      assertThat(target.status()).startsWith("8 6/1024 8 0/2048 1 1 no_hydration 4");
      assertThat(target.table()).isEqualTo("meta dest source 8 1 no_hydration");
    }
  }

  private String message(CloneTarget target, String words) throws MessageException {
    return target.message(List.of(words.split(" ")), now, effects);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "hydration_threshold",
        "hydration_threshold x",
        "hydration_threshold -1",
        "hydration_threshold 4294967296",
        "hydration_threshold 1 2",
        "hydration_batch_size",
        "hydration_batch_size x",
        "source_hold 30",
        "destination_hold forever",
        "metadata_hold fail",
        "source_timeout 30",
        "source_timeout 0",
        "unknown",
        "unknown 1",
        "status",
      })
  @DisplayName("section 10: what a kernel refuses is an invalid argument, and changes nothing")
  void invalidMessagesAreRefused(String words) throws Exception {
    try (CloneTarget target = target("8 1 no_hydration")) {
      String before = target.status();
      assertThatThrownBy(() -> message(target, words))
          .isInstanceOf(MessageException.class)
          .hasMessageStartingWith("Invalid argument");
      assertThat(target.status()).isEqualTo(before);
      assertThat(effects.take()).isEmpty();
    }
  }

  @Test
  @DisplayName("section 10: a message without words is refused")
  void anEmptyMessageIsRefused() throws Exception {
    try (CloneTarget target = target("8 1 no_hydration")) {
      assertThatThrownBy(() -> target.message(List.of(), now, effects))
          .isInstanceOf(MessageException.class);
    }
  }

  @Test
  @DisplayName("section 10: messages are accepted while suspended and take effect at the resume")
  void messagesAreAcceptedWhileSuspended() throws Exception {
    try (CloneTarget target = target("8 1 no_hydration")) {
      target.suspend(now, effects);
      assertThat(target.isSuspended()).isTrue();
      message(target, "enable_hydration");
      assertThat(effects.take()).isEmpty();
      target.resume(now, effects);
      assertThat(effects.take()).containsExactly("extents 0+8388608 of 1");
    }
  }
}
