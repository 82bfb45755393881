package oxbow.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.spi.ToolProvider;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Aim: {@code ./oxbow} starts the program that belongs to the sources, whole and quickly, from
 * wherever it is called. Method: the real launcher in a tree of its own, around a program that
 * prints its name and its arguments.
 */
class LauncherIT {
  private static final String PREPARING = "oxbow: preparing quick starts\n";
  private static final String BUILDING =
      "oxbow: building; the first time, Maven fetches what it needs\n";

  @TempDir Path directory;

  /** The launcher must not stumble over a space, so all tests have one in their paths. */
  private Path tree = Path.of("");

  @BeforeEach
  void makeTree() throws IOException {
    tree = Files.createDirectories(directory.resolve("a tree"));
    Files.createDirectories(tree.resolve("bin"));
    Files.createDirectories(tree.resolve("app/target/lib"));
    Files.copy(Tool.own("oxbow"), tree.resolve("oxbow"));
    Files.copy(Tool.own("bin/java-home"), tree.resolve("bin/java-home"));
    makeJar("library", tree.resolve("app/target/lib/library.jar"));
  }

  @Test
  void theSecondStartUsesTheCacheAndSaysNothing() throws IOException {
    makeProgram("first");

    Proc.Result preparing = start("x").run().ok();
    Proc.Result quick = start("x").with("OXBOW_JAVA_OPTS", "-XX:AOTMode=on").run().ok();

    assertThat(preparing.out()).isEqualTo("first [x]\n");
    assertThat(preparing.err()).isEqualTo(PREPARING);
    assertThat(quick.out()).isEqualTo("first [x]\n");
    assertThat(quick.err()).isEmpty();
  }

  @Test
  void argumentsArriveAsTheyWereGiven() throws IOException {
    makeProgram("program");

    Proc.Result result = start("", "two words", "*", "$HOME", "a\"b'c\\", "-n").run().ok();

    assertThat(result.out()).isEqualTo("program [, two words, *, $HOME, a\"b'c\\, -n]\n");
  }

  @Test
  void aSymbolicLinkStartsItFromAnotherDirectory() throws IOException {
    makeProgram("linked");
    Path elsewhere = Files.createDirectory(directory.resolve("elsewhere"));
    Path link = Files.createSymbolicLink(elsewhere.resolve("ox"), Path.of("../a tree/oxbow"));

    assertThat(Proc.of(link).in(directory).run().ok().out()).isEqualTo("linked []\n");
    assertThat(Proc.of("./ox").in(elsewhere).run().ok().out()).isEqualTo("linked []\n");
  }

  @Test
  void twoFirstStartsPrepareOnce() throws IOException {
    makeProgram("program");

    var one = CompletableFuture.supplyAsync(() -> start().run());
    var other = CompletableFuture.supplyAsync(() -> start().run());

    assertThat(List.of(one.join().ok().out(), other.join().ok().out()))
        .containsOnly("program []\n");
    assertThat(one.join().err() + other.join().err()).isEqualTo(PREPARING);
  }

  @Test
  void aNewProgramNeverRunsFromTheCacheOfTheOld() throws IOException {
    makeProgram("old");
    start().run().ok();

    makeProgram("new");

    assertThat(start().run().ok().out()).isEqualTo("new []\n");
    assertThat(start().with("OXBOW_JAVA_OPTS", "-XX:AOTMode=on").run().ok().out())
        .isEqualTo("new []\n");
  }

  @Test
  void aDamagedCacheLeavesStandardOutputToTheProgram() throws IOException {
    makeProgram("program");
    start().run().ok();
    Files.write(cache(), new byte[4096]);

    assertThat(start().run().ok().out()).isEqualTo("program []\n");
  }

  @Test
  void anotherCollectorCanBeChosen() throws IOException {
    makeProgram("program");

    Proc.Result result = start().with("OXBOW_JAVA_OPTS", "-XX:+UseParallelGC").run().ok();

    assertThat(result.out()).isEqualTo("program []\n");
  }

  @Test
  void newerSourcesAreBuiltOnceWithTheOutputOnStandardError() throws IOException {
    makeProgram("old");
    start().run().ok();
    makeJar("built", directory.resolve("built.jar"));
    executable(
        tree.resolve("mvnw"),
        "echo maven; cd \"${0%/*}\" && cp ../built.jar app/target/oxbow-app.jar");
    Files.createDirectories(tree.resolve("core/src/main"));
    Files.createDirectories(tree.resolve("app/src/build"));
    Files.createDirectories(tree.resolve("app/src/main/java"));
    for (String file : List.of("pom.xml", "core/pom.xml", "app/pom.xml", "app/src/main/java/A")) {
      Files.createFile(tree.resolve(file));
    }

    Proc.Result building = start().in(tree).run().ok();
    Proc.Result quick = start().in(tree).run().ok();

    assertThat(building.out()).isEqualTo("built []\n");
    assertThat(building.err()).isEqualTo(BUILDING + "maven\n" + PREPARING);
    assertThat(quick.out()).isEqualTo("built []\n");
    assertThat(quick.err()).isEmpty();
  }

  @Test
  void aFailedBuildIsOneClearLineAndNoStart() throws IOException {
    executable(tree.resolve("mvnw"), "exit 1");
    Files.createDirectories(tree.resolve("app/src/main"));

    Proc.Result result = start().run().status(1);

    assertThat(result.out()).isEmpty();
    assertThat(result.err()).isEqualTo(BUILDING + "oxbow: the build failed: see above\n");
  }

  @Test
  void aTreeThatCannotBeWrittenRunsWhatWasBuiltThere() throws IOException {
    makeProgram("built");
    start().run().ok();
    Path fresh = directory.resolve("fresh");
    Proc.of("cp", "-r", tree, fresh).run().ok();
    Proc.of("rm", "-r", fresh.resolve("app/target/launcher")).run().ok();
    forbidWriting();

    Proc.Result prepared = asAnother(tree.resolve("oxbow"), "-XX:AOTMode=on").run().ok();
    Proc.Result unprepared = asAnother(fresh.resolve("oxbow"), "").run().ok();

    assertThat(prepared.out() + unprepared.out()).isEqualTo("built []\nbuilt []\n");
    assertThat(prepared.err() + unprepared.err()).isEmpty();
  }

  private Proc start(Object... arguments) {
    return Proc.of(tree.resolve("oxbow"), arguments);
  }

  /** A start by someone who is not root, for whom permissions count. */
  private static Proc asAnother(Path program, String javaOptions) {
    boolean root = System.getProperty("user.name", "").equals("root");
    Proc proc =
        root
            ? Proc.of("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", program)
            : Proc.of(program);
    return proc.with("OXBOW_JAVA_OPTS", javaOptions);
  }

  private void forbidWriting() throws IOException {
    var readable = PosixFilePermissions.fromString("r-xr-xr-x");
    Files.walkFileTree(
        directory,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.setPosixFilePermissions(file, readable);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes)
              throws IOException {
            Files.setPosixFilePermissions(folder, readable);
            return FileVisitResult.CONTINUE;
          }
        });
  }

  private Path cache() throws IOException {
    try (var files = Files.walk(tree.resolve("app/target/launcher"))) {
      return files.filter(file -> file.toString().endsWith(".aot")).findFirst().orElseThrow();
    }
  }

  private void makeProgram(String name) throws IOException {
    makeJar(name, tree.resolve("app/target/oxbow-app.jar"));
  }

  private void makeJar(String name, Path jar) throws IOException {
    Path classes = Files.createTempDirectory(directory, "classes");
    Path source = classes.resolve("Program.java");
    Files.writeString(
        source,
        """
        public class Program {
          public static void main(String[] arguments) {
            System.out.println("%s " + java.util.List.of(arguments));
          }
        }
        """
            .formatted(name));
    tool("javac", "-d", classes, source);
    tool("jar", "--create", "--file", jar, "--main-class", "Program", "-C", classes, ".");
  }

  private static void tool(String name, Object... arguments) {
    List<String> words = new ArrayList<>();
    for (Object argument : arguments) {
      words.add(argument.toString());
    }
    ToolProvider tool = ToolProvider.findFirst(name).orElseThrow();
    assertThat(tool.run(System.out, System.err, words.toArray(String[]::new))).isZero();
  }

  private static void executable(Path file, String command) {
    try {
      Files.writeString(file, "#!/bin/sh\n" + command + "\n");
      Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
