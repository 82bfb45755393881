package oxbow.cli;

import oxbow.block.TimeSpan;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** How long to hold, as users write it. */
final class HoldConverter implements ITypeConverter<Long> {
  @Override
  public Long convert(String text) {
    try {
      return TimeSpan.parseHold(text);
    } catch (IllegalArgumentException wrong) {
      throw new TypeConversionException(String.valueOf(wrong.getMessage()));
    }
  }
}
