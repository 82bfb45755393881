package oxbow.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/**
 * Aim: the rules of style that a machine can see are kept without anyone having to remember them.
 * Method: all files of the repository, read as text. Each complaint says what to do instead.
 */
class TidyTest {
  private static final int MAX_COLUMNS = 100;
  private static final int MAX_LINES_OF_A_METHOD = 70;
  private static final int MAX_LINES_OF_A_FILE = 600;

  /** A call that is banned in the files where it is, with what to use instead. */
  private record Ban(Pattern pattern, Predicate<String> where, String instead) {
    static Ban everywhere(String pattern, String instead) {
      return new Ban(Pattern.compile(pattern), path -> true, instead);
    }

    static Ban in(Predicate<String> where, String pattern, String instead) {
      return new Ban(Pattern.compile(pattern), where, instead);
    }
  }

  private static final List<Ban> BANS =
      List.of(
          Ban.everywhere(
              "\\bThread\\.sleep\\(|\\bTimeUnit\\.\\w+\\.sleep\\(",
              "wait for the event itself: a completion, a condition, a line of output"),
          Ban.everywhere(
              "(?<!\\bcurrentThread\\(\\))\\.interrupt\\(\\)|\\.shutdownNow\\(|\\.cancel\\(true\\)",
              "set a flag and close sockets: an interrupt closes the file channel for everyone"),
          Ban.in(
              path -> !path.contains("/oxbow/cli/"),
              "\\.printStackTrace\\(",
              "throw it; only oxbow.cli shows a trace, with --debug"),
          Ban.everywhere(
              "\\bcatch\\s*\\(\\s*(final\\s+)?(Throwable|Exception|RuntimeException)\\s+\\w+\\s*\\)"
                  + "\\s*\\{\\s*\\}",
              "handle the error, or let it pass"),
          Ban.everywhere("@Disabled\\b", "repair the test, or delete it and say why in the commit"),
          Ban.everywhere(
              "\\bMath\\.random\\(|\\bnew (Random|SplittableRandom)\\(\\)",
              "new Random(seed), with a seed that a failing test prints"),
          Ban.in(
              path -> path.contains("/src/test/"),
              "\\bThreadLocalRandom\\b",
              "new Random(seed), with a seed that the failing test prints"),
          Ban.in(
              path -> !path.endsWith("oxbow/block/Sectors.java"),
              // A flag, 1 << 9, is none.
              "(?<!\\b1 )(?<!\\b1L )(<<|>>>?)=?\\s*9\\b",
              "a conversion of oxbow.block.Sectors"),
          Ban.in(
              path -> path.contains("/src/main/") && !path.contains("/oxbow/cli/"),
              "\\bSystem\\.(out|err)\\b",
              "return or throw it; only oxbow.cli speaks to the terminal"),
          Ban.in(
              path -> path.contains("/src/main/") && !path.contains("/oxbow/cli/"),
              "\\bSystem\\.exit\\(",
              "throw; only the command decides about the end of the process"));

  /** Marks of unfinished work, in pieces so that this file is free of them. */
  private static final Pattern UNFINISHED =
      Pattern.compile("\\b(" + "TO" + "DO|FIX" + "ME|X" + "XX|HA" + "CK)\\b");

  private static final Pattern LINK = Pattern.compile("\\]\\(([^()\\s]*)\\)");

  private static final List<Path> FILES = files();

  @Test
  void linesAreAtMostAHundredColumns() {
    List<String> wrong = new ArrayList<>();
    for (Path file : java()) {
      int number = 0;
      for (String line : read(file).lines().toList()) {
        number++;
        boolean cannotBeBroken = line.startsWith("import ") || line.contains("http");
        if (line.codePointCount(0, line.length()) > MAX_COLUMNS && !cannotBeBroken) {
          wrong.add(place(file, number) + line.length() + " columns");
        }
      }
    }
    assertThat(wrong).isEmpty();
  }

  @Test
  void filesAndMethodsFitOnFewScreens() {
    List<String> wrong = new ArrayList<>();
    for (Path file : java()) {
      String text = read(file);
      long lines = text.lines().count();
      if (lines > MAX_LINES_OF_A_FILE) {
        wrong.add(place(file, 1) + lines + " lines: divide it by what its parts know");
      }
      for (JavaText.Method method : JavaText.of(text).methods()) {
        if (method.lines() > MAX_LINES_OF_A_METHOD) {
          wrong.add(
              place(file, method.line()) + method.lines() + " lines: name its steps as methods");
        }
      }
    }
    assertThat(wrong).isEmpty();
  }

  @Test
  void bannedCallsHaveABetterWay() {
    List<String> wrong = new ArrayList<>();
    for (Path file : java()) {
      JavaText text = JavaText.of(read(file));
      for (Ban ban : BANS) {
        if (ban.where().test("/" + relative(file))) {
          Matcher matcher = ban.pattern().matcher(text.code());
          while (matcher.find()) {
            int line = text.lineOf(matcher.start());
            wrong.add(place(file, line) + matcher.group().strip() + ": " + ban.instead());
          }
        }
      }
    }
    assertThat(wrong).isEmpty();
  }

  @Test
  void nothingIsMarkedAsUnfinished() {
    List<String> wrong = new ArrayList<>();
    for (Path file : FILES) {
      if (isText(file)) {
        String text = read(file);
        Matcher matcher = UNFINISHED.matcher(text);
        while (matcher.find()) {
          int line = (int) text.substring(0, matcher.start()).lines().count();
          wrong.add(place(file, line) + "finish it, or open an issue");
        }
      }
    }
    assertThat(wrong).isEmpty();
  }

  @Test
  void everyPackageSaysWhatItIsFor() {
    Set<String> packages = new TreeSet<>();
    Set<String> described = new TreeSet<>();
    for (Path file : java()) {
      String path = relative(file);
      if (!path.contains("/java/")) {
        continue;
      }
      String name = path.substring(path.indexOf("/java/") + 6, path.lastIndexOf('/'));
      // The root package holds only tests that look at all others.
      if (!name.equals("oxbow")) {
        packages.add(name);
      }
      if (path.endsWith("/package-info.java")) {
        described.add(name);
      }
    }
    assertThat(described).containsAll(packages);
  }

  @Test
  void everyGoldenImageIsInItsReadme() {
    Set<String> wrong = new TreeSet<>();
    for (Path file : FILES) {
      String path = relative(file);
      int golden = path.indexOf("/resources/golden/");
      if (golden >= 0 && path.endsWith(".gz")) {
        Path folder = parent(file);
        String text = nearestReadme(folder);
        if (!names(text, folder.getFileName()) && !names(text, file.getFileName())) {
          wrong.add(relative(folder) + ": say in a README.md which kernel made it and how");
        }
      }
    }
    assertThat(wrong).isEmpty();
  }

  @Test
  void linksInDocumentsLeadSomewhere() {
    List<String> wrong = new ArrayList<>();
    for (Path file : documents()) {
      String text = Documents.withoutCode(read(file));
      Matcher matcher = LINK.matcher(text);
      while (matcher.find()) {
        String problem = Documents.problemOf(file, matcher.group(1));
        if (!problem.isEmpty()) {
          int line = (int) text.substring(0, matcher.start()).lines().count();
          wrong.add(place(file, line) + matcher.group(1) + ": " + problem);
        }
      }
    }
    assertThat(wrong).isEmpty();
  }

  @Test
  void commandsInDocumentsExist() {
    List<String> wrong = new ArrayList<>();
    for (Path file : documents()) {
      for (String program : Documents.programs(read(file))) {
        boolean exists =
            Files.isExecutable(Tool.root().resolve(program))
                || Files.isExecutable(parent(file).resolve(program));
        if (!exists) {
          wrong.add(relative(file) + ": no program " + program);
        }
      }
    }
    assertThat(wrong).isEmpty();
  }

  private static boolean names(String readme, Path name) {
    return Pattern.compile("(?<![\\w-])" + Pattern.quote(name.toString()) + "(?![\\w-])")
        .matcher(readme)
        .find();
  }

  private static String nearestReadme(Path folder) {
    Path at = folder;
    while (!at.equals(Tool.root())) {
      if (Files.exists(at.resolve("README.md"))) {
        return read(at.resolve("README.md"));
      }
      at = parent(at);
    }
    return "";
  }

  private static List<Path> java() {
    return FILES.stream().filter(file -> file.toString().endsWith(".java")).toList();
  }

  private static List<Path> documents() {
    return FILES.stream().filter(file -> file.toString().endsWith(".md")).toList();
  }

  private static boolean isText(Path file) {
    String name = file.getFileName().toString();
    return !name.contains(".") || name.matches(".*\\.(java|md|py|sh|c|xml|json|html|css|js)");
  }

  private static List<Path> files() {
    Set<String> skipped = Set.of(".git", "target", ".idea", ".vscode", "__pycache__");
    List<Path> files = new ArrayList<>();
    try {
      Files.walkFileTree(
          Tool.root(),
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
              return skipped.contains(folder.getFileName().toString())
                  ? FileVisitResult.SKIP_SUBTREE
                  : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
              if (attributes.isRegularFile() && !file.endsWith(".git")) {
                files.add(file);
              }
              return FileVisitResult.CONTINUE;
            }
          });
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return files.stream().sorted().toList();
  }

  private static Path parent(Path file) {
    Path parent = file.getParent();
    return parent == null ? Tool.root() : parent;
  }

  private static String relative(Path file) {
    return Tool.root().relativize(file).toString();
  }

  private static String place(Path file, int line) {
    return relative(file) + ":" + Math.max(line, 1) + ": ";
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(file.toString(), e);
    }
  }
}
