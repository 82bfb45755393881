package oxbow.inspect;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import oxbow.format.bow.BowEntry;
import oxbow.format.bow.BowFormat;
import oxbow.format.bow.BowLog;
import oxbow.format.bow.BowLogHeader;
import oxbow.golden.BowFixture;
import oxbow.sim.SimDisk;

/**
 * Aim: checkpoints that others have made are read as they mean them, and lead where they say.
 * Method: golden images.
 */
class BowFixtureTest {
  private static final String ALL = "oxbow.golden.BowFixture#all";

  @ParameterizedTest
  @MethodSource(ALL)
  void theChainIsReadAsItIsMeant(BowFixture fixture) {
    BowLogReport report = BowCrashes.check(fixture.disk());
    assertThat(report.problems()).isEmpty();
    BowLog newest = report.newest();
    assertThat(newest.format().word()).isEqualTo(fixture.format());
    assertThat(newest.blockSizeBytes()).isEqualTo(fixture.blockSizeBytes());
    assertThat(newest.sequence()).isEqualTo(fixture.sequence());
    assertThat(newest.sector0().orElse(0)).isEqualTo(fixture.sector0());
    assertThat(report.logCount()).isEqualTo(fixture.logCount());
    assertThat(report.entryCount()).isEqualTo(fixture.entryCount());
  }

  @ParameterizedTest
  @MethodSource(ALL)
  void theWayBackLeadsWhereItShould(BowFixture fixture) throws IOException {
    SimDisk disk = fixture.disk();
    BowRestore.run(disk, BowCrashes.check(disk), false, bytes -> {});
    assertThat(sha256(disk)).isEqualTo(fixture.rolledBack());
  }

  @ParameterizedTest
  @MethodSource(ALL)
  void theWayForwardLeadsWhereItShould(BowFixture fixture) throws IOException {
    SimDisk disk = fixture.disk();
    BowLogReport report = BowCrashes.check(disk);
    assertThat(report.canRollForward()).isEqualTo(!fixture.rolledForward().isEmpty());
    if (report.canRollForward()) {
      BowForward.run(disk, report.newest());
      assertThat(sha256(disk)).isEqualTo(fixture.rolledForward());
    }
  }

  @ParameterizedTest
  @MethodSource(ALL)
  void headersAndEntriesAreEncodedAsTheyWereDecoded(BowFixture fixture) {
    BowLog log = BowCrashes.check(fixture.disk()).newest();
    byte[] stored = fixture.disk().bytes(0, fixture.blockSizeBytes());
    byte[] encoded = stored.clone();
    if (log.format() == BowFormat.V1) {
      BowLogHeader.create(log.blockSizeBytes(), log.count(), log.sequence(), fixture.sector0())
          .encode(encoded, 0);
    }
    for (int index = 0; index < log.count(); index++) {
      log.entry(index).encode(encoded, log.format().headerBytes() + index * BowEntry.SIZE_BYTES);
    }
    assertThat(encoded).isEqualTo(stored);
  }

  private static String sha256(SimDisk disk) {
    try {
      byte[] content = disk.bytes(0, Math.toIntExact(disk.sizeBytes()));
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }
}
