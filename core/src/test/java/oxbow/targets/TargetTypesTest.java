package oxbow.targets;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import oxbow.target.TargetType;

/** Aim: every target is found by the word that stands in table lines. */
class TargetTypesTest {
  private final TargetTypes types = new TargetTypes();

  @Test
  void targetsAreFoundByName() {
    assertThat(types.all()).allSatisfy(type -> assertThat(types.find(type.name())).contains(type));
    assertThat(types.find("none")).isEmpty();
  }

  @Test
  void theyAreListedAsDmsetupListsThem() {
    assertThat(types.all()).extracting(TargetType::name).isSorted();
    assertThat(types.all())
        .extracting(type -> type.name() + " " + type.version())
        .contains("clone v1.0.0", "delay v1.3.0", "error v1.5.0", "flakey v1.5.0")
        .contains("linear v1.4.0", "zero v1.1.0");
  }
}
