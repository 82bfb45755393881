package oxbow.cli;

import oxbow.imports.ImportFormat;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** The kind of text that is imported, by the word for it. */
final class ImportFormatConverter implements ITypeConverter<ImportFormat> {
  @Override
  public ImportFormat convert(String text) {
    return switch (text) {
      case "clonetab" -> ImportFormat.CLONETAB;
      case "dmsetup" -> ImportFormat.DMSETUP;
      default -> throw new TypeConversionException("'" + text + "' is not clonetab or dmsetup");
    };
  }
}
