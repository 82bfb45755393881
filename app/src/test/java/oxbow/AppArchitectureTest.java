package oxbow;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/** The arrows within app, and from it into core; see ARCHITECTURE.md. */
class AppArchitectureTest {
  private static final JavaClasses ALL =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages("oxbow");

  @Test
  void packagesHaveNoCycles() {
    slices().matching("oxbow.(*)..").should().beFreeOfCycles().check(ALL);
  }

  @Test
  void nobodyKnowsTheCommandLine() {
    noClasses()
        .that()
        .resideOutsideOfPackage("oxbow.cli..")
        .should()
        .dependOnClassesThat(resideInAPackage("oxbow.cli.."))
        .check(ALL);
  }

  @Test
  void onlyTheCommandLineEndsTheProcess() {
    noClasses()
        .that()
        .resideOutsideOfPackage("oxbow.cli..")
        .should()
        .callMethod(System.class, "exit", int.class)
        .because("whoever fails throws; the command decides")
        .check(ALL);
  }

  @Test
  void httpIsSpokenOnlyAtTheControlSocket() {
    noClasses()
        .that()
        .resideOutsideOfPackage("oxbow.control..")
        .should()
        .dependOnClassesThat(resideInAPackage("org.apache.hc.."))
        .because("the others know requests and answers")
        .check(ALL);
  }

  @Test
  void commandsAreReadByPicocliOnlyInTheCommandLine() {
    noClasses()
        .that()
        .resideOutsideOfPackage("oxbow.cli..")
        .should()
        .dependOnClassesThat(resideInAPackage("picocli.."))
        .check(ALL);
  }
}
