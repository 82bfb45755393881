package oxbow.cli;

import oxbow.target.bow.WhenFull;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** What becomes of a write that cannot be prepared, as the target's message has it. */
final class WhenFullConverter implements ITypeConverter<WhenFull> {
  @Override
  public WhenFull convert(String text) {
    return WhenFull.of(text)
        .orElseThrow(
            () -> new TypeConversionException("'" + text + "' is not fail, commit or stop"));
  }
}
