package oxbow.inspect;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.stream.LongStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import oxbow.format.Fault;
import oxbow.format.snapshot.ExceptionArea;
import oxbow.format.snapshot.StoreHeader;
import oxbow.golden.SnapshotFixture;
import oxbow.inspect.SnapshotStoreReport.Run;
import oxbow.inspect.SnapshotStoreReport.Table;
import oxbow.sim.SimDisk;

/**
 * Aim: the check sees in a kernel's store what the kernel sees, and every kind of damage. Method:
 * golden stores; then one with one thing changed at a time.
 */
class SnapshotStoreCheckTest {
  private static final String ALL = "oxbow.golden.SnapshotFixture#all";

  /** Chunks of 8 sectors: 256 exceptions an area. */
  private static final int CHUNK_BYTES = 4096;

  @ParameterizedTest
  @MethodSource(ALL)
  void kernelStoresAreCleanAndHaveExactlyTheExceptionsTheKernelNames(SnapshotFixture fixture)
      throws IOException {
    SnapshotStoreReport report = check(fixture.disk());
    assertThat(report.problems()).isEmpty();
    assertThat(report.header().isValid()).isEqualTo(fixture.isValid());
    assertThat(report.header().chunkSizeSectors()).isEqualTo(fixture.chunkSectors());
    Table table = Objects.requireNonNull(report.table());
    assertThat(table.fullAreas()).isEqualTo(fixture.fullAreas());
    assertThat(table.exceptionCount()).isEqualTo(fixture.exceptions().size());
    assertThat(singles(table)).isEqualTo(sorted(fixture.exceptions()));
    if (fixture.isValid()) {
      assertThat(fixture.statusLine()).endsWith(" snapshot " + table.statusFigures());
    }
  }

  private static List<SnapshotFixture.ExceptionPair> sorted(
      List<SnapshotFixture.ExceptionPair> pairs) {
    return pairs.stream()
        .sorted(Comparator.comparingLong(SnapshotFixture.ExceptionPair::oldChunk))
        .toList();
  }

  /** Runs taken apart again. */
  private static List<SnapshotFixture.ExceptionPair> singles(Table table) {
    return table.runs().stream()
        .flatMap(
            run ->
                LongStream.range(0, run.count())
                    .mapToObj(
                        i ->
                            new SnapshotFixture.ExceptionPair(
                                run.oldChunk() + i, run.newChunk() + i)))
        .toList();
  }

  @ParameterizedTest
  @MethodSource(ALL)
  void theHeaderIsEncodedAsItWasDecoded(SnapshotFixture fixture) {
    byte[] stored = fixture.disk().bytes(0, StoreHeader.SIZE_BYTES);
    byte[] encoded = new byte[StoreHeader.SIZE_BYTES];
    StoreHeader.decode(stored, 0).encode(encoded, 0);
    assertThat(encoded).isEqualTo(stored);
    StoreHeader.create(fixture.isValid(), fixture.chunkSectors()).encode(encoded, 0);
    assertThat(encoded).isEqualTo(stored);
  }

  @Test
  void neighboursAreOneRunAndCrashesLeaveHoles() throws IOException {
    SimDisk disk = store(20, 10, 2, 11, 3, 12, 6);
    Table table = Objects.requireNonNull(check(disk).table());
    assertThat(table.runs()).containsExactly(new Run(10, 2, 2), new Run(12, 6, 1));
    assertThat(table.nextFreeChunk()).isEqualTo(7);
    assertThat(table.holeCount()).isEqualTo(2);
    assertThat(table.statusFigures()).isEqualTo("56/160 16");
  }

  @Test
  void everyKindOfDamageOfTheTableIsFound() throws IOException {
    assertProblem(store(20, 10, 2, 10, 3), Fault.DOUBLE_USE, "old chunk 10 is in two exceptions");
    assertProblem(store(20, 10, 2, 11, 2), Fault.DOUBLE_USE, "new chunk 2 is in two exceptions");
    assertProblem(store(20, 10, 20), Fault.RANGE, "points to chunk 20 of a store of 20");
    assertProblem(store(300, 10, 258), Fault.DOUBLE_USE, "points to 258, a metadata area");
    assertProblem(store(20, 10, 1), Fault.DOUBLE_USE, "points to 1, a metadata area");
    assertProblem(store(20, 1L << 56, 2), Fault.RANGE, "a number that no chunk can have");
    assertProblem(store(20, 10, -1), Fault.RANGE, "a number that no chunk can have");
  }

  @Test
  @DisplayName("An area that is full needs the next one; past the end the chain breaks")
  void aFullLastAreaIsDamage() throws IOException {
    long[] pairs = new long[512];
    for (int i = 0; i < 256; i++) {
      pairs[2 * i] = i;
      pairs[2 * i + 1] = 2L + i;
    }
    assertProblem(store(258, pairs), Fault.AREA, "metadata area 1 would lie past the end");
    assertThat(check(store(259, pairs)).isClean()).isTrue();
    SimDisk invalidated = store(258, pairs);
    write(invalidated, 0, header(false));
    assertThat(check(invalidated).isClean()).isTrue();
  }

  @Test
  void entriesAfterTheEndAreWarnedOfAndDoNotCount() throws IOException {
    SimDisk disk = store(20, 10, 2, 0, 0, 11, 3);
    SnapshotStoreReport report = check(disk);
    assertThat(report.isClean()).isTrue();
    assertThat(report.warnings()).hasSize(1).first().asString().contains("1 entries after its end");
    assertThat(Objects.requireNonNull(report.table()).exceptionCount()).isEqualTo(1);
  }

  @Test
  void headersThatCannotBeAreRefusedWithWhatWasFound() throws IOException {
    assertHeader(0, 0x12345678, Fault.MAGIC, "12345678");
    assertHeader(8, 2, Fault.VERSION, "snapshot disk version 2");
    assertHeader(12, 24, Fault.GEOMETRY, "chunk size of 24 sectors");
    assertHeader(12, 0, Fault.GEOMETRY, "chunk size of 0 sectors");
    assertHeader(12, 1 << 22, Fault.GEOMETRY, "chunk size of 4194304 sectors");
  }

  private static void assertHeader(int offset, int value, Fault fault, String what)
      throws IOException {
    SimDisk disk = store(20);
    byte[] bytes = header(true);
    bytes[offset] = (byte) value;
    bytes[offset + 1] = (byte) (value >> 8);
    bytes[offset + 2] = (byte) (value >> 16);
    bytes[offset + 3] = (byte) (value >> 24);
    write(disk, 0, bytes);
    assertProblem(disk, fault, what);
    assertThat(check(disk).table()).isNull();
  }

  @Test
  void anAreaThatCannotBeReadIsAProblemNotAFailure() throws IOException {
    SimDisk disk = store(20, 10, 2);
    disk.failOperation(disk.operationCount() + 1);
    SnapshotStoreReport report = check(disk);
    assertThat(report.problems()).extracting(Problem::fault).containsExactly(Fault.IO);
  }

  private static void assertProblem(SimDisk disk, Fault fault, String what) throws IOException {
    SnapshotStoreReport report = check(disk);
    assertThat(report.problems()).hasSize(1);
    assertThat(report.problems().getFirst().fault()).isEqualTo(fault);
    assertThat(report.problems().getFirst().what()).contains(what);
  }

  private static SnapshotStoreReport check(SimDisk disk) throws IOException {
    return SnapshotStoreCheck.run(disk, 10, 10_000);
  }

  /** A store of so many chunks of 4 KiB whose first area holds these pairs. */
  private static SimDisk store(long chunks, long... pairs) throws IOException {
    SimDisk disk = new SimDisk(chunks * CHUNK_BYTES);
    write(disk, 0, header(true));
    byte[] bytes = new byte[CHUNK_BYTES];
    ExceptionArea area = ExceptionArea.over(bytes, CHUNK_BYTES);
    for (int i = 0; i < pairs.length / 2; i++) {
      area.set(i, pairs[2 * i], pairs[2 * i + 1]);
    }
    write(disk, CHUNK_BYTES, bytes);
    return disk;
  }

  private static byte[] header(boolean isValid) {
    byte[] bytes = new byte[StoreHeader.SIZE_BYTES];
    StoreHeader.create(isValid, 8).encode(bytes, 0);
    return bytes;
  }

  private static void write(SimDisk disk, long offset, byte[] bytes) throws IOException {
    disk.write(offset, ByteBuffer.wrap(bytes));
  }
}
