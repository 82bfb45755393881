package oxbow.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import oxbow.console.Console;
import oxbow.console.UserException;
import oxbow.control.ControlClient;
import oxbow.control.ControlDirectory;
import oxbow.control.ControlException;
import oxbow.control.Route;
import oxbow.imports.Clonetab;
import oxbow.imports.DeviceNumbers;
import oxbow.imports.DmsetupTables;
import oxbow.imports.ImportFormat;
import oxbow.imports.ImportedDevice;
import oxbow.imports.OpenedSize;
import oxbow.job.DeviceOpener;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Makes devices of the daemon from what others have written down. */
@CommandLine.Command(
    name = "import",
    description = {
      "Make devices of the daemon from systemd's /etc/clonetab, or from what dmsetup table prints.",
      "Prints the tables, as oxbow table does. A device that cannot be made is told, the others",
      "are made, and the exit status is 1."
    },
    footer = {
      "",
      "Examples:",
      "  oxbow import /etc/clonetab --dry-run",
      "  dmsetup table | oxbow import - --map 254:0=oxbow:base --map 8:16=/srv/disk.img",
      "  dmsetup table vol | oxbow import - --name vol"
    })
final class ImportCommand extends DaemonVerbCommand {
  @Parameters(index = "0", paramLabel = "FILE", description = "What is read; - is standard input.")
  String file = "";

  @Option(names = "--dry-run", description = "Show the tables, and make nothing.")
  boolean isDryRun;

  @Option(
      names = "--format",
      paramLabel = "KIND",
      converter = ImportFormatConverter.class,
      description = "clonetab or dmsetup. Default: what the first line looks like.")
  @Nullable ImportFormat format;

  @Option(
      names = "--map",
      paramLabel = "MAJOR:MINOR=ADDR",
      description = {
        "The device that dmsetup's numbers mean. Repeatable.",
        "Default: the one that has them on this machine."
      })
  Map<String, String> numbers = new LinkedHashMap<>();

  @Option(
      names = "--name",
      paramLabel = "NAME",
      description = "The name for lines that have none: dmsetup table of one device.")
  @Nullable String nameOfOne;

  private int refusals;

  @Override
  int run(Console console) throws UserException, IOException {
    DeviceNumbers known = known();
    for (ImportedDevice device : read(text(), known, console)) {
      String name = ControlDirectory.nameFrom(device.name());
      if (!name.equals(device.name())) {
        console.say("oxbow: import: \"" + device.name() + "\" is called " + name + " here");
      }
      if (isDryRun || isMade(name, device, console)) {
        show(name, device, console);
      }
    }
    return refusals == 0 ? 0 : UserException.FAILED;
  }

  private String text() throws UserException, IOException {
    if (file.equals("-")) {
      return new String(System.in.readAllBytes(), StandardCharsets.UTF_8);
    }
    try {
      return Files.readString(Path.of(file));
    } catch (NoSuchFileException missing) {
      throw UserException.failed(name() + ": " + file, "No such file or directory");
    }
  }

  private DeviceNumbers known() throws UserException {
    try {
      return new DeviceNumbers(numbers);
    } catch (IllegalArgumentException wrong) {
      throw UserException.wrongUsage(name() + ": --map", UserException.reason(wrong));
    }
  }

  private List<ImportedDevice> read(String text, DeviceNumbers known, Console console) {
    Consumer<String> refused = why -> refuse(console, why);
    ImportFormat kind = format == null ? ImportFormat.of(text) : format;
    return switch (kind) {
      case DMSETUP -> new DmsetupTables(known, nameOfOne).read(text, refused);
      case CLONETAB -> {
        try (DeviceOpener opener = new DeviceOpener(console::say)) {
          yield new Clonetab(new OpenedSize(opener)).read(text, refused);
        }
      }
    };
  }

  private void refuse(Console console, String why) {
    refusals++;
    console.say("oxbow: import: " + why);
  }

  private boolean isMade(String name, ImportedDevice device, Console console) throws UserException {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("name", name);
    if (!device.table().isEmpty()) {
      fields.put("table", String.join("\n", device.table()));
    }
    try {
      ControlClient.ask(daemon(), Route.CREATE, fields);
      return true;
    } catch (ControlException refused) {
      refuse(console, name + ": " + UserException.reason(refused));
      return false;
    } catch (IOException unreachable) {
      throw noAnswer(name(), daemon(), unreachable);
    }
  }

  private static void show(String name, ImportedDevice device, Console console) {
    if (console.isJson()) {
      console.result(Map.of("name", name, "table", device.table()));
    } else if (device.table().isEmpty()) {
      console.result(name + ":");
    } else {
      device.table().forEach(line -> console.result(name + ": " + line));
    }
  }
}
