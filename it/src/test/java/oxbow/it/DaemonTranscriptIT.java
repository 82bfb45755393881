package oxbow.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Aim: whoever knows dmsetup finds every word, line and refusal where it was. Method: the scripts
 * from which the kernel's conversations were recorded run again, with a daemon of ours in the
 * kernel's place, and every line of output is compared. What the kernel says in its log where it
 * refuses a table, our line says too. What differs on purpose stands in {@link #DEVIATIONS}, with
 * what we print instead.
 */
class DaemonTranscriptIT {
  private static final Path TRANSCRIPTS = Tool.root().resolve("it/oracle/transcripts");

  /** Stands for the sentences of one refusal, whoever refuses. */
  private static final String REFUSED = "refused";

  /**
   * Where we differ.
   *
   * @param section of the transcript
   * @param command a part of the command line
   * @param lines what we print, as patterns
   */
  private record Deviation(String section, String command, String reason, String... lines) {
    boolean isFor(Transcript.Exchange exchange) {
      return exchange.section().equals(section) && exchange.command().contains(command);
    }

    boolean allows(List<String> output) {
      if (output.size() != lines.length) {
        return false;
      }
      for (int i = 0; i < lines.length; i++) {
        if (!Pattern.matches(lines[i], output.get(i))) {
          return false;
        }
      }
      return true;
    }
  }

  private static final String FAILED = "\\[exit 1\\]";

  private static final List<Deviation> DEVIATIONS =
      List.of(
          new Deviation(
              "Life cycle",
              "dmsetup info c | grep -v Event",
              "there is no read-ahead, and an address in place of numbers",
              "Name:              c",
              "State:             ACTIVE",
              "Read Ahead:        0",
              "Tables present:    LIVE",
              "Open count:        0",
              "Major, minor:      nbd\\+unix:///c\\?socket=.*",
              "Number of targets: 1",
              ""),
          new Deviation(
              "Number of arguments and devices",
              "clone meta meta source",
              "a destination on its own metadata would overwrite it",
              REFUSED,
              FAILED),
          new Deviation(
              "Two clones on one metadata device",
              "create c2",
              "the second would overwrite the first one's metadata",
              REFUSED,
              FAILED),
          new Deviation(
              "Queue limits and discards",
              "source 128 1 no_hydration'",
              "files take discards of any length, the kernel's disks there of 32 KiB",
              "0 16384 clone 8 6/1024 128 0/128 0 1 no_hydration 4 hydration_threshold 1"
                  + " hydration_batch_size 1 rw"),
          new Deviation(
              "Queue limits and discards",
              "source 1024 1 no_hydration'",
              "the same",
              "0 16384 clone 8 6/1024 1024 0/16 0 1 no_hydration 4 hydration_threshold 1"
                  + " hydration_batch_size 1 rw"),
          new Deviation(
              "Metadata device fails",
              "'w 8k 4k 1'",
              "the kernel prints Error while it is about to print Fail",
              "0 16384 clone Fail"),
          new Deviation(
              "Metadata device fails",
              "'w 16k 4k 1' 'w 0 4k 1'",
              "reads go on from memory, docs/adr/0006",
              "blkio: w 16k 4k 1: Input/output error",
              "blkio: w 0 4k 1: Input/output error",
              "blkio: d 64k 4k: Input/output error",
              "blkio: f: Input/output error",
              "0 16384 clone Fail"),
          new Deviation(
              "Destination fails",
              "create c",
              "the error target takes discards, docs/targets/error.md",
              "0 16384 clone 8 6/1024 8 2047/2048 0 0 4 hydration_threshold 1"
                  + " hydration_batch_size 1 rw"),
          new Deviation(
              "Destination fails",
              "'w 401k 1k 1'",
              "the same",
              "blkio: w 401k 1k 1: Input/output error",
              "blkio: w 400k 4k 1: Input/output error",
              "0 16384 clone 8 6/1024 8 2047/2048 0 0 4 hydration_threshold 1"
                  + " hydration_batch_size 1 rw"),
          new Deviation(
              "Small and full stores",
              "events snap; blkio /dev/mapper/snap 'w 56k 4k 1'",
              "an event tells that a store is filled up to the mark",
              "1",
              "blkio: w 56k 4k 1: Input/output error",
              "0 16384 snapshot Invalid",
              "2"),
          new Deviation(
              "Small and full stores",
              "'w 64k 4k 1' 't 0 4k' 't 100k 4k' 'f'",
              "flushes make exceptions durable here, and these are lost",
              "blkio: w 64k 4k 1: Input/output error",
              "blkio: t 0 4k: Input/output error",
              "blkio: t 100k 4k: Input/output error",
              "blkio: f: Input/output error",
              "0 16384 snapshot Invalid"),
          new Deviation(
              "Existing stores",
              "badexception",
              "an exception that points past the store is refused when it is loaded",
              REFUSED,
              REFUSED,
              FAILED),
          new Deviation(
              "Existing stores",
              "selfexception",
              "so is one that points to metadata",
              REFUSED,
              REFUSED,
              FAILED),
          new Deviation(
              "Merge",
              "create merge --table '0 16384 snapshot-merge origin cow P 8'; dmsetup table",
              "how far the merge is at once is a matter of time",
              "0 16384 snapshot-merge 98:0 98:16 P 8",
              "0 16384 snapshot-merge \\d+/4096 16",
              "0 16384 snapshot-merge 16/4096 16"),
          new Deviation(
              "Merge",
              "timeout 5 dmsetup wait merge 0",
              "an event tells when a merge is complete",
              "1"),
          new Deviation(
              "Merge",
              "suspend snap; dmsetup suspend origin; dmsetup resume origin; dmsetup status",
              "how far the merge is at once is a matter of time",
              "origin: 0 16384 snapshot-merge \\d+/4096 16",
              "snap: 0 16384 snapshot Invalid"),
          new Deviation(
              "Merge",
              "sleep 1; dmsetup status; dmsetup table",
              "a snapshot that was handed over keeps its chunk size in its table line",
              "origin: 0 16384 snapshot-merge 16/4096 16",
              "snap: 0 16384 snapshot Invalid",
              "origin: 0 16384 snapshot-merge 98:0 98:16 P 8",
              "snap: 0 16384 snapshot 98:0 98:16 P 8"),
          new Deviation(
              "Merge", "create merge2", "two merges of one origin are refused", REFUSED, FAILED));

  private static final List<String> CLONE_DISKS =
      List.of(
          "meta",
          "dest",
          "source",
          "small",
          "tiny",
          "badcsum",
          "badmagic",
          "badversion",
          "badblocknr",
          "badflags",
          "badroot",
          "shrunk",
          "grown",
          "garbage",
          "badbitmap",
          "badarray");

  private static final List<String> SNAPSHOT_DISKS =
      List.of(
          "origin",
          "cow",
          "cow2",
          "tiny",
          "badmagic",
          "badversion",
          "invalid",
          "badchunk",
          "hugechunk",
          "zerochunk",
          "badexception",
          "selfexception",
          "garbage");

  /** What metadata is made with before it is damaged. */
  private static final String WRITTEN_CLONE =
      """
      M=/dev/disk/meta D=/dev/disk/dest S=/dev/disk/source
      dmsetup create c --table "0 16384 clone $M $D $S 8 1 no_hydration"
      blkio /dev/mapper/c 'W 0 40k 1' 'W 1m 40k 1'
      dmsetup remove --retry c
      """;

  @TempDir Path directory;

  @Test
  @Timeout(600)
  void clonesTalkAsTheKernelsDo() throws Exception {
    Path disks = Files.createDirectories(directory.resolve("disk"));
    TranscriptImages.forClone(disks);
    try (TestDaemon daemon = new TestDaemon(directory)) {
      daemon.start();
      TranscriptShell shell = new TranscriptShell(directory, daemon.control(), CLONE_DISKS);
      assertThat(shell.run(WRITTEN_CLONE)).as(daemon.server().standardError()).isEmpty();
      TranscriptImages.damage(disks, Files.readAllBytes(disks.resolve("meta")));
      TranscriptImages.forClone(disks);
      compare("clone", shell);
    }
  }

  @Test
  @Timeout(600)
  void snapshotsTalkAsTheKernelsDo() throws Exception {
    TranscriptImages.forSnapshot(Files.createDirectories(directory.resolve("disk")));
    try (TestDaemon daemon = new TestDaemon(directory)) {
      daemon.start();
      compare("snapshot", new TranscriptShell(directory, daemon.control(), SNAPSHOT_DISKS));
      assertThat(daemon.server().stop()).as(daemon.server().standardError()).isZero();
    }
  }

  private static void compare(String name, TranscriptShell shell)
      throws IOException, InterruptedException {
    List<Transcript.Exchange> kernels =
        Transcript.parse(Files.readString(TRANSCRIPTS.resolve(name + ".md")));
    List<Transcript.Exchange> ours =
        Transcript.parse(shell.run(Files.readString(TRANSCRIPTS.resolve(name + ".sh"))));
    assertThat(ours).hasSameSizeAs(kernels);
    List<String> wrong = new ArrayList<>();
    for (int i = 0; i < kernels.size(); i++) {
      String difference = difference(kernels.get(i), ours.get(i));
      if (!difference.isEmpty()) {
        wrong.add(difference);
      }
    }
    assertThat(wrong).isEmpty();
  }

  /** What is wrong with our side of an exchange; empty for nothing. */
  private static String difference(Transcript.Exchange kernels, Transcript.Exchange ours) {
    List<String> expected = comparable(kernels.output());
    List<String> actual = comparable(ours.output());
    Optional<Deviation> deviation = DEVIATIONS.stream().filter(d -> d.isFor(kernels)).findFirst();
    boolean isRight =
        deviation.map(allowed -> allowed.allows(actual)).orElse(actual.equals(expected));
    String told = String.join("\n", ours.output()).toLowerCase(Locale.ROOT);
    boolean isTold =
        kernels.sentences().stream().allMatch(each -> told.contains(each.toLowerCase(Locale.ROOT)));
    return isRight && isTold
        ? ""
        : "%n%s: # %s%n-- kernel%n%s%n-- Oxbow%n%s%n"
            .formatted(
                kernels.section(),
                kernels.command(),
                String.join("\n", kernels.output()) + kernels.sentences(),
                String.join("\n", ours.output()));
  }

  /** Without what cannot be the same: sentences of refusals, and limits of Linux's block layer. */
  private static List<String> comparable(List<String> output) {
    List<String> lines = new ArrayList<>();
    for (String line : output) {
      if (line.matches("device-mapper: .* failed: .*|Device does not exist\\.|oxbow: .*")) {
        lines.add(REFUSED);
      } else if (!line.matches(
          "Command failed\\.|  .*|[/\\w-]*(discard|_io|block|bytes|sectors)_?\\w*:\\d+")) {
        lines.add(line.replaceAll("\\((\\d+), (\\d+)\\)", "($1:$2)"));
      }
    }
    return lines;
  }
}
