package oxbow.it;

import static org.junit.jupiter.api.Assertions.fail;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/** Finds programs: those of this repository, and those that others wrote. */
public final class Tool {
  private static final Path ROOT = findRoot();

  private Tool() {}

  /** The root of the repository, where the launcher lies. */
  public static Path root() {
    return ROOT;
  }

  /** A program of this repository, which is always there. */
  public static Path own(String path) {
    Path program = ROOT.resolve(path);
    if (!Files.isExecutable(program)) {
      fail("no program " + program);
    }
    return program;
  }

  /**
   * A foreign program from the {@code PATH} or an {@code sbin}. When it is missing, the test is
   * skipped and says so on standard error; where {@code CI} is set, it fails.
   *
   * @param debianPackage what to install to get it
   */
  public static Path require(String program, String debianPackage) {
    return find(program)
        .orElseThrow(
            () ->
                missing(
                    "%s is missing: install it with bin/install-tools (Debian: %s)"
                        .formatted(program, debianPackage)));
  }

  /** Ends a test that cannot be made here: skipped with a word why, or failed where CI is set. */
  public static RuntimeException missing(String why) {
    if (isContinuousIntegration()) {
      fail("nothing may be skipped where CI is set: " + why);
    }
    System.err.println("SKIPPED: " + why);
    Assumptions.abort(why);
    throw new AssertionError("abort() always throws");
  }

  private static Optional<Path> find(String program) {
    String path = Optional.ofNullable(System.getenv("PATH")).orElse("");
    return Stream.concat(Stream.of(path.split(File.pathSeparator)), Stream.of("/usr/sbin", "/sbin"))
        .map(directory -> Path.of(directory, program))
        .filter(Files::isExecutable)
        .findFirst();
  }

  private static boolean isContinuousIntegration() {
    String ci = System.getenv("CI");
    return ci != null && !ci.isEmpty() && !ci.equals("false");
  }

  private static Path findRoot() {
    Path directory = Path.of("").toAbsolutePath();
    while (!Files.isExecutable(directory.resolve("oxbow"))
        || !Files.isDirectory(directory.resolve("it"))) {
      directory = directory.getParent();
      if (directory == null) {
        throw new AssertionError("started outside the repository: " + Path.of("").toAbsolutePath());
      }
    }
    return directory;
  }
}
