package oxbow.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import oxbow.console.Json;
import oxbow.format.bow.BowEntry;
import oxbow.format.bow.BowLogHeader;

/**
 * Aim: the two ways out of a checkpoint lead where they say, nothing that cannot be undone is done
 * unasked, and nobody else takes a log for contents. Method: small checkpoints written by hand,
 * whole and damaged.
 */
class BowCommandTest {
  private final Checkpoints sound = Checkpoints.of(4096);

  @TempDir Path directory;

  private Path device(Checkpoints checkpoint) throws IOException {
    return checkpoint.write(directory.resolve("disk.img"));
  }

  @ParameterizedTest
  @ValueSource(ints = {512, 1024, 2048, 4096})
  void restorePutsTheDeviceBackAndSaysSo(int blockBytes) throws Exception {
    Checkpoints checkpoint = Checkpoints.of(blockBytes);
    Path device = device(checkpoint);
    Cli restored = Cli.run("bow", "restore", device);
    assertThat(restored.status()).as(restored.err()).isZero();
    assertThat(restored.out())
        .startsWith(device + ": rolled back to the checkpoint: 3 entries, ")
        .hasLineCount(1);
    assertThat(Files.readAllBytes(device)).isEqualTo(checkpoint.before());
    Cli again = Cli.run("bow", "restore", device);
    assertThat(again.status()).isZero();
    assertThat(again.out()).isEqualTo(device + ": no checkpoint in block 0: nothing to do\n");
    assertThat(Files.readAllBytes(device)).isEqualTo(checkpoint.before());
  }

  @Test
  void commitKeepsWhatWasWrittenAndSaysSo() throws Exception {
    Path device = device(sound);
    Cli committed = Cli.run("bow", "commit", "--offline", device);
    assertThat(committed)
        .isEqualTo(
            new Cli(
                0, device + ": committed: everything written since the checkpoint is kept\n", ""));
    assertThat(Files.readAllBytes(device)).isEqualTo(sound.live());
    assertThat(Cli.run("bow", "commit", "--offline", device).out()).contains("nothing to do");
  }

  @Test
  void aDryRunOnlyTells() throws Exception {
    Path device = device(sound);
    Snapshot before = Snapshot.of(directory);
    Cli plan = Cli.run("bow", "restore", "--dry-run", device);
    assertThat(plan.status()).isZero();
    assertThat(plan.out())
        .contains("bow log; nothing was changed", "roll-back:        possible: 12 KiB get");
    assertThat(Json.object(Cli.run("bow", "restore", "--dry-run", "--json", device).out()))
        .containsEntry("result", "would-roll-back")
        .containsEntry("condition", "sound")
        .containsEntry("restoredBytes", 3 * 4096L);
    device(sound.damagedAt(sound.copyAt(1)));
    Cli impossible = Cli.run("bow", "restore", "--dry-run", device);
    assertThat(impossible.status()).isEqualTo(1);
    assertThat(impossible.out()).contains("problem: log 0 entry 1: the copy of sector 40 at");
    device(sound);
    assertThat(Snapshot.of(directory).withoutTimes()).isEqualTo(before.withoutTimes());
  }

  @Test
  void withJsonTheResultIsOneObject() throws Exception {
    Path device = device(sound);
    Cli restored = Cli.run("bow", "restore", "--json", device);
    assertThat(Json.object(restored.out()))
        .containsEntry("result", "rolled-back")
        .containsEntry("entries", 3L)
        .containsEntry("savedBytes", 3 * 4096L);
    device(sound);
    assertThat(Json.object(Cli.run("bow", "commit", "--offline", "--json", device).out()))
        .containsEntry("result", "rolled-forward");
  }

  @Test
  void aDamagedLogIsToldAndNothingDoneUnasked() throws Exception {
    Checkpoints damaged = sound.damagedAt(sound.copyAt(1));
    Path device = device(damaged);
    Cli refused = Cli.run("bow", "restore", device);
    assertThat(refused.status()).isEqualTo(1);
    assertThat(refused.err())
        .contains("the log is damaged, there is no way back: log 0 entry 1: the copy of sector 40")
        .contains("Nothing was changed. To keep all changes instead, add --yes (roll forward)");
    assertThat(Files.readAllBytes(device)).isEqualTo(damaged.now());
    for (String no : List.of("n\n", "\n", "", "yess\n")) {
      Cli declined = Cli.runAnswered(no, "bow", "restore", device);
      assertThat(declined.status()).isEqualTo(1);
      assertThat(declined.err()).contains("Roll forward instead", "[y/N]");
      assertThat(Files.readAllBytes(device)).isEqualTo(damaged.now());
    }
  }

  @Test
  void aDamagedLogIsRolledForwardByConsent() throws Exception {
    Checkpoints damaged = sound.damagedAt(sound.copyAt(1));
    byte[] live = sound.live().clone();
    live[sound.copyAt(1)] ^= 0x40;
    Path device = device(damaged);
    assertThat(Cli.run("bow", "restore", "--yes", device).out())
        .contains("the log was damaged: rolled forward");
    assertThat(Files.readAllBytes(device)).isEqualTo(live);
    device(damaged);
    Cli agreed = Cli.runAnswered("Yes\n", "bow", "restore", "--json", device);
    assertThat(agreed.status()).isZero();
    assertThat(Json.object(agreed.out())).containsEntry("result", "rolled-forward");
    assertThat(Files.readAllBytes(device)).isEqualTo(live);
  }

  @Test
  void aTornEntryIsLeftOutOnlyIfAskedFor() throws Exception {
    int torn = Checkpoints.entryAt(2) + BowEntry.CHECKSUM_OFFSET;
    Path device = device(sound.damagedAt(torn));
    Cli refused = Cli.run("bow", "restore", device);
    assertThat(refused.status()).isEqualTo(1);
    assertThat(refused.err()).contains("--ignore-torn-entry rolls back without it");
    assertThat(Files.readAllBytes(device)).isEqualTo(sound.damagedAt(torn).now());
    Cli restored = Cli.run("bow", "restore", "--ignore-torn-entry", device);
    assertThat(restored.status()).isZero();
    assertThat(restored.err()).contains("left out, as asked: log 0 entry 2");
    byte[] expected = sound.before().clone();
    System.arraycopy(sound.live(), 6 * 4096, expected, 6 * 4096, 4096);
    assertThat(Files.readAllBytes(device)).isEqualTo(expected);
  }

  @Test
  void aRollBackThatHasBegunCanOnlyBeFinished() throws Exception {
    Path device = device(sound.rollingBack());
    Cli refused = Cli.run("bow", "commit", "--offline", "--yes", device);
    assertThat(refused.status()).isEqualTo(1);
    assertThat(refused.err())
        .contains("a roll-back has begun")
        .contains("Finish it with: oxbow bow restore " + device);
    assertThat(Files.readAllBytes(device)).isEqualTo(sound.rollingBack().now());
    assertThat(Cli.run("bow", "restore", device).status()).isZero();
    assertThat(Files.readAllBytes(device)).isEqualTo(sound.before());
  }

  @Test
  void damageDuringARollBackIsForPeople() throws Exception {
    Checkpoints lost = sound.rollingBack().damagedAt(sound.copyAt(1));
    Path device = device(lost);
    Cli stopped = Cli.runAnswered("y\n", "bow", "restore", "--yes", device);
    assertThat(stopped.status()).isEqualTo(1);
    assertThat(stopped.err()).contains("there is no way back", "Nor is there a way forward");
    assertThat(Files.readAllBytes(device)).isEqualTo(lost.now());
  }

  @Test
  void aDamagedHeaderIsCommittedByConsentOnly() throws Exception {
    // More entries than a block holds.
    Checkpoints damaged = sound.damagedAt(BowLogHeader.COUNT_OFFSET + 1);
    Path device = device(damaged);
    Cli refused = Cli.run("bow", "commit", "--offline", device);
    assertThat(refused.status()).isEqualTo(1);
    assertThat(refused.err()).contains("header of the log is damaged", "add --yes");
    assertThat(Files.readAllBytes(device)).isEqualTo(damaged.now());
    assertThat(Cli.run("bow", "commit", "--offline", "--yes", device).status()).isZero();
    assertThat(Files.readAllBytes(device)).isEqualTo(sound.live());
  }

  @Test
  void anInterruptedCommitIsFinishedWithoutAQuestion() throws Exception {
    // All sectors of block 0 but the first have been replaced already.
    byte[] torn = sound.live().clone();
    System.arraycopy(sound.now(), 0, torn, 0, 512);
    Path device = Files.write(directory.resolve("disk.img"), torn);
    assertThat(Cli.run("bow", "commit", "--offline", device).status()).isZero();
    assertThat(Files.readAllBytes(device)).isEqualTo(sound.live());
  }

  @Test
  void aBigEndianLogIsRefused() throws Exception {
    byte[] bytes = new byte[8192];
    System.arraycopy(new byte[] {0, 'W', 'O', 'B'}, 0, bytes, 0, 4);
    Path device = Files.write(directory.resolve("disk.img"), bytes);
    for (List<Object> words :
        List.<List<Object>>of(
            List.of("bow", "restore", device), List.of("bow", "commit", "--offline", device))) {
      Cli refused = Cli.run(words.toArray());
      assertThat(refused.status()).isEqualTo(1);
      assertThat(refused.err()).contains("big-endian log, unsupported");
    }
    assertThat(Files.readAllBytes(device)).isEqualTo(bytes);
  }

  @Test
  void everyOtherCommandRefusesACheckpointAndNamesBothWaysOut() throws Exception {
    Path other = Files.write(directory.resolve("other.img"), new byte[1 << 20]);
    for (Checkpoints checkpoint : List.of(sound, sound.rollingBack())) {
      Path device = device(checkpoint);
      List<List<Object>> commands =
          List.of(
              List.of("clone", device, directory.resolve("new.img"), "--no-serve"),
              List.of("clone", other, device, "--no-serve", "--force"),
              List.of("clone", other, other + "2", "--metadata", device, "--no-serve", "--force"),
              List.of("snapshot", device, directory.resolve("new.cow"), "--create", "1MiB"),
              List.of("snapshot", other, device, "--force"),
              List.of("merge", device, other),
              List.of("merge", other, device));
      Snapshot before = Snapshot.of(directory);
      for (List<Object> words : commands) {
        Cli refused = Cli.run(words.toArray());
        assertThat(refused.status()).as("%s", words).isEqualTo(1);
        assertThat(refused.errLines().getFirst())
            .as("%s", words)
            .contains("oxbow bow restore " + device)
            .contains("oxbow bow commit --offline " + device);
      }
      assertThat(Snapshot.of(directory)).isEqualTo(before);
    }
  }

  @Test
  void verifyAndInspectOnlyReadAndMay() throws Exception {
    // Where ext4 has its magic: what lies in block 0 is a log all the same.
    byte[] bytes = sound.now().clone();
    bytes[1080] = 0x53;
    bytes[1081] = (byte) 0xEF;
    Path device = Files.write(directory.resolve("disk.img"), bytes);
    assertThat(Cli.run("verify", device, device).status()).isZero();
    Cli inspected = Cli.run("inspect", device);
    assertThat(inspected)
        .isEqualTo(
            new Cli(
                0,
                device
                    + """
                    : bow log
                      format:           v1, blocks of 4KiB
                      state:            BOW: checkpoint, neither committed nor rolled back
                      newest log:       0, with 3 entries
                      block 0:          now at sector 256
                    """,
                ""));
    assertThat(Json.object(Cli.run("inspect", "--check", "--json", device).out()))
        .containsEntry("kind", "bow log")
        .containsEntry("state", "BOW")
        .containsEntry("clean", true)
        .containsEntry("canRollForward", true);
    device(sound.rollingBack().damagedAt(sound.copyAt(2)));
    Cli damaged = Cli.run("inspect", "--check", device);
    assertThat(damaged.status()).isEqualTo(1);
    assertThat(damaged.out())
        .contains("bow log, being rolled back", "problem: log 0 entry 2", "a roll-back has begun");
  }

  @Test
  void theGroupSaysWhatItHas() {
    assertThat(Cli.run("help", "bow", "restore").out()).startsWith("Usage: oxbow bow restore ");
    assertThat(Cli.run("bow", "commit", "--help").out()).contains("--offline");
    Cli missing = Cli.run("bow", "restore");
    assertThat(missing.status()).isEqualTo(2);
    assertThat(missing.errLines())
        .containsExactly(
            "oxbow: bow restore: Missing required parameter: 'DEVICE'",
            "  See: oxbow help bow restore");
  }
}
