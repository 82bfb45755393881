package oxbow.cli;

import oxbow.block.TimeSpan;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Times above 0 as users write them. */
final class TimeConverter implements ITypeConverter<Long> {
  @Override
  public Long convert(String text) {
    try {
      long nanos = TimeSpan.parse(text);
      if (nanos == 0) {
        throw new TypeConversionException("the time must be above 0");
      }
      return nanos;
    } catch (IllegalArgumentException wrong) {
      throw new TypeConversionException(String.valueOf(wrong.getMessage()));
    }
  }
}
