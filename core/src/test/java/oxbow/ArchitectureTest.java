package oxbow;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Aim: the arrows of ARCHITECTURE.md point down only. Method: the compiled classes, against a table
 * of who may know whom. A new package needs a row here, and so a place in the picture.
 */
class ArchitectureTest {
  /** A package with what lies below it, and the packages it may know. */
  private static final Map<String, List<String>> MAY_KNOW =
      Map.ofEntries(
          Map.entry("block", List.of()),
          Map.entry("format", List.of()),
          Map.entry("linux", List.of("block")),
          Map.entry("engine", List.of("linux", "block")),
          Map.entry("pdata", List.of("format", "block")),
          Map.entry("nbd", List.of("engine", "block")),
          Map.entry("device", List.of("nbd.client", "engine", "linux", "block")),
          Map.entry("target", List.of("pdata", "format", "device.zero", "block")),
          Map.entry("targets", List.of("target", "block")),
          Map.entry("mapped", List.of("target", "device", "engine", "block")),
          Map.entry(
              "inspect",
              List.of("mapped", "target", "device", "engine", "pdata", "format", "block")));

  /** {@code long[]} and its kind, which live in no package. */
  private static final DescribedPredicate<JavaClass> PRIMITIVE_ARRAY =
      describe("arrays of primitives", type -> type.getBaseComponentType().isPrimitive());

  private static final JavaClasses CORE =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .withImportOption(new ImportOption.DoNotIncludeJars())
          .importPackages("oxbow");

  static Stream<String> packages() {
    return MAY_KNOW.keySet().stream().sorted();
  }

  @ParameterizedTest
  @MethodSource("packages")
  void aPackageKnowsOnlyWhatLiesBelow(String name) {
    String[] known =
        Stream.concat(
                Stream.of("java..", "org.jspecify.annotations", in(name)),
                MAY_KNOW.getOrDefault(name, List.of()).stream().map(ArchitectureTest::in))
            .toArray(String[]::new);
    classes()
        .that()
        .resideInAPackage(in(name))
        .should()
        .onlyDependOnClassesThat(resideInAnyPackage(known).or(PRIMITIVE_ARRAY))
        .because("the arrows of ARCHITECTURE.md point down only")
        .allowEmptyShould(true)
        .check(CORE);
  }

  @Test
  void everyPackageHasItsPlace() {
    var found =
        CORE.stream()
            .map(JavaClass::getPackageName)
            .filter(name -> name.startsWith("oxbow."))
            .map(name -> name.replaceFirst("oxbow\\.(\\w+).*", "$1"))
            .collect(Collectors.toCollection(TreeSet::new));
    assertThat(MAY_KNOW.keySet()).containsAll(found);
  }

  @Test
  void onlyTheNbdClientIsKnownToDevicesAndOnlyToTheNbdDevice() {
    noClasses()
        .that(resideInAPackage("oxbow.device..").and(not(resideInAPackage("oxbow.device.nbd.."))))
        .should()
        .dependOnClassesThat(resideInAPackage("oxbow.nbd.."))
        .allowEmptyShould(true)
        .check(CORE);
  }

  @Test
  void nbdServerAndClientDoNotKnowEachOther() {
    noClasses()
        .that(resideInAPackage("oxbow.nbd.server.."))
        .should()
        .dependOnClassesThat(resideInAPackage("oxbow.nbd.client.."))
        .allowEmptyShould(true)
        .check(CORE);
    noClasses()
        .that(resideInAPackage("oxbow.nbd.client.."))
        .should()
        .dependOnClassesThat(resideInAPackage("oxbow.nbd.server.."))
        .allowEmptyShould(true)
        .check(CORE);
  }

  @Test
  void targetsDoNotKnowEachOther() {
    slices()
        .matching("oxbow.target.(*)..")
        .should()
        .notDependOnEachOther()
        .allowEmptyShould(true)
        .check(CORE);
  }

  @Test
  void targetsKnowNeitherSocketsNorFilesNorThreads() {
    noClasses()
        .that(resideInAPackage("oxbow.target.."))
        .should()
        .dependOnClassesThat(
            resideInAnyPackage(
                    "java.net..",
                    "java.nio.channels..",
                    "java.nio.file..",
                    "java.util.concurrent",
                    "java.util.concurrent.locks..")
                .or(named("java.lang.Thread", "java.io.File", "java.io.RandomAccessFile")))
        .because("a target decides, the frame acts")
        .allowEmptyShould(true)
        .check(CORE);
  }

  @Test
  void onlyLinuxCallsNativeFunctions() {
    noClasses()
        .that(not(resideInAPackage("oxbow.linux..")))
        .should()
        .dependOnClassesThat(named("java.lang.foreign.Linker", "java.lang.foreign.SymbolLookup"))
        .because("native calls stay in one corner")
        .check(CORE);
  }

  @Test
  void packagesHaveNoCycles() {
    slices().matching("oxbow.(*)..").should().beFreeOfCycles().check(CORE);
  }

  private static String in(String name) {
    return "oxbow." + name + "..";
  }

  /** One of these classes, or a class within one of them. */
  private static DescribedPredicate<JavaClass> named(String... names) {
    return describe(
        String.join(" or ", names),
        type -> List.of(names).contains(type.getName().replaceFirst("\\$.*", "")));
  }
}
