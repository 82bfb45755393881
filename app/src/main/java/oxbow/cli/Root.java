package oxbow.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** What {@code oxbow} means without a command. */
@Command(
    name = "oxbow",
    description = {
      "Clones block devices, takes snapshots of them, and serves them at once.",
      "Devices: PATH, file:PATH, nbd://HOST[:PORT]/EXPORT, nbd+unix:///EXPORT?socket=PATH,",
      "mem:SIZE, zero:SIZE, error:SIZE. Sizes: bytes, or with KiB MiB GiB TiB, or s for sectors.",
      ""
    },
    commandListHeading = "%nCommands:%n",
    footer = {
      "",
      "Examples:",
      "  oxbow demo",
      "  oxbow clone base.img disk.img --listen unix:/run/disk.nbd",
      "  oxbow help create"
    })
final class Root {
  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Show this text.")
  boolean isHelpAsked;
}
