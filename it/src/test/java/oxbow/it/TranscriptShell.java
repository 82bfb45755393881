package oxbow.it;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;
import oxbow.cli.Cli;

/**
 * Runs the scripts of {@code it/oracle/transcripts} as they are, in a shell of this machine where
 * {@code dmsetup} and {@code blkio} are answered here: by Oxbow's commands, and over NBD. Standard
 * output is a transcript in the kernel's words for devices.
 */
final class TranscriptShell {
  private static final Duration PATIENCE = Duration.ofMinutes(10);

  /** Not the common pool, whose threads are few: a command may wait without end. */
  private static final Executor ASIDE = command -> Thread.ofPlatform().daemon().start(command);

  /** Devices of the kernel's machine are sixteen numbers apart. */
  private static final int MINORS_PER_DISK = 16;

  /** A script calls it like the program and finds its answer in files. */
  private static final String STUB =
      """
      #!/bin/sh
      cat >HOME/in
      printf '%s\\0' PROGRAM "${PATIENCE:-0}" "$@" >HOME/words
      echo asked >HOME/ask
      read -r status <HOME/answer
      cat HOME/out
      exit "$status"
      """;

  /** What is otherwise on the kernel's machine. */
  private static final String PRELUDE =
      """
      cd() { :; }
      dmesg() { :; }
      sleep() { settle "$1"; }
      timeout() { PATIENCE=$1 dmsetup "$3" "$4" "$5"; }
      grep() { case "$*" in *discard_*) ;; *) command grep "$@" ;; esac; }
      """;

  private final Path home;
  private final Path control;
  private final Path nbd;
  private final List<String> disks;

  /** The kernel's numbers of the daemon's devices, by name. */
  private final TreeMap<String, Integer> minors = new TreeMap<>();

  /**
   * @param home its path is short; one of its directories has the images
   * @param control the daemon's socket
   * @param disks names of the disks, in the order of the kernel's numbers
   */
  TranscriptShell(Path home, Path control, List<String> disks) throws IOException {
    this.home = home;
    this.control = control;
    this.nbd = home.resolve("nbd.sock");
    this.disks = disks;
    for (String name : List.of("share", "tmp", "bin")) {
      Files.createDirectory(home.resolve(name));
    }
    for (String program : List.of("dmsetup", "blkio", "settle")) {
      Path stub = home.resolve("bin").resolve(program);
      Files.writeString(stub, STUB.replace("HOME", home.toString()).replace("PROGRAM", program));
      Files.setPosixFilePermissions(stub, PosixFilePermissions.fromString("rwx------"));
    }
    Proc.of("mkfifo", home.resolve("ask"), home.resolve("answer")).run().ok();
    String common = Files.readString(Tool.root().resolve("it/oracle/transcripts/common.sh"));
    Files.writeString(home.resolve("share/common.sh"), localized(common) + PRELUDE);
    for (String disk : disks) {
      Files.createFile(home.resolve("share").resolve("about-" + disk));
    }
  }

  private Path disk(String name) {
    return home.resolve("disk").resolve(name);
  }

  /** Runs a script to its end and returns what it printed. */
  String run(String script) throws IOException, InterruptedException {
    Path local = Files.writeString(home.resolve("script"), localized(script));
    ProcessBuilder builder =
        new ProcessBuilder("sh", local.toString())
            .redirectInput(Path.of("/dev/null").toFile())
            .redirectErrorStream(true)
            .redirectOutput(home.resolve("transcript").toFile());
    builder.environment().merge("PATH", "", (path, none) -> home.resolve("bin") + ":" + path);
    Process shell = builder.start();
    Thread end =
        Thread.ofPlatform()
            .daemon()
            .start(
                () -> {
                  awaitEnd(shell);
                  write(home.resolve("ask"), "ended\n");
                });
    while (Files.readString(home.resolve("ask")).equals("asked\n")) {
      Proc.Result answer = answer(words());
      Files.writeString(home.resolve("out"), answer.out() + answer.err());
      Files.writeString(home.resolve("answer"), answer.status() + "\n");
    }
    end.join();
    return Files.readString(home.resolve("transcript"));
  }

  private List<String> words() throws IOException {
    return List.of(Files.readString(home.resolve("words")).split("\0"));
  }

  private static void awaitEnd(Process shell) {
    try {
      if (!shell.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
        shell.destroyForcibly();
      }
    } catch (InterruptedException stopped) {
      shell.destroyForcibly();
    }
  }

  private static void write(Path file, String text) {
    try {
      Files.writeString(file, text);
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }

  private String localized(String text) {
    return text.replaceAll("/(?:dev/)?(disk|share|tmp)/", home + "/$1/");
  }

  private Proc.Result answer(List<String> words) throws IOException, InterruptedException {
    List<String> arguments = words.subList(2, words.size());
    return switch (words.getFirst()) {
      case "dmsetup" -> dmsetup(arguments, Integer.parseInt(words.get(1)));
      case "blkio" -> blkio(arguments.getFirst(), arguments.subList(1, arguments.size()));
      default -> settle(Integer.parseInt(arguments.getFirst()));
    };
  }

  /**
   * Waits until nothing has changed for so many seconds: a loaded machine may take longer than the
   * kernel's did.
   */
  private Proc.Result settle(int seconds) {
    String before = "";
    String now = cli(List.of("status")).out();
    while (!now.equals(before)) {
      LockSupport.parkNanos(TimeUnit.SECONDS.toNanos(seconds));
      before = now;
      now = cli(List.of("status")).out();
    }
    return new Proc.Result(List.of("sleep"), 0, "", "");
  }

  private Proc.Result blkio(String device, List<String> commands) throws IOException {
    Path path = Path.of(device);
    if (path.startsWith("/dev/mapper")) {
      return Blkio.run(nbd, path.getFileName().toString(), commands);
    }
    // The scripts only wipe disks.
    try (var file = new RandomAccessFile(device, "rw")) {
      for (String command : commands) {
        String[] words = command.split(" ", -1);
        file.seek(Blkio.bytes(words[1]));
        file.write(new byte[(int) Blkio.bytes(words[2])]);
      }
    }
    return new Proc.Result(commands, 0, "", "");
  }

  private Proc.Result dmsetup(List<String> words, int patienceSeconds)
      throws IOException, InterruptedException {
    List<String> own = new ArrayList<>();
    for (String word : words) {
      own.add(word.replace("/dev/mapper/", "oxbow:"));
    }
    boolean isCreate = words.getFirst().equals("create");
    if (isCreate) {
      own.addAll(List.of("--listen", "unix:" + nbd));
      if (!words.contains("--table")) {
        own.addAll(List.of("--table", Files.readString(home.resolve("in")).strip()));
      }
    }
    Proc.Result result = patienceSeconds == 0 ? cli(own) : within(patienceSeconds, own);
    if (isCreate && result.status() == 0) {
      int minor = 0;
      while (minors.containsValue(minor)) {
        minor++;
      }
      minors.put(words.get(1), minor);
    }
    Proc.Result told =
        new Proc.Result(words, result.status(), inKernelsWords(result.out()), result.err());
    if (words.getFirst().equals("remove") && result.status() == 0) {
      minors.remove(words.getLast());
    }
    return told;
  }

  /** One that is ended when it does not come to its end in time. */
  private Proc.Result within(int seconds, List<String> words) throws InterruptedException {
    CompletableFuture<Proc.Result> run = CompletableFuture.supplyAsync(() -> cli(words), ASIDE);
    try {
      return run.get(seconds, TimeUnit.SECONDS);
    } catch (TimeoutException late) {
      return new Proc.Result(words, 128 + 15, "Terminated\n", "");
    } catch (ExecutionException failed) {
      throw new AssertionError(failed);
    }
  }

  private Proc.Result cli(List<String> words) {
    List<Object> all = new ArrayList<>(words);
    all.addAll(List.of("--control", control));
    Cli run = Cli.run(all.toArray());
    return new Proc.Result(words, run.status(), run.out(), run.err());
  }

  private String inKernelsWords(String text) {
    String told = text;
    for (int i = 0; i < disks.size(); i++) {
      String number = "98:" + i * MINORS_PER_DISK;
      told = told.replaceAll(Pattern.quote(disk(disks.get(i)).toString()) + "\\b", number);
    }
    for (var minor : minors.entrySet()) {
      told = told.replaceAll("oxbow:" + minor.getKey() + "\\b", "254:" + minor.getValue());
    }
    return told;
  }
}
