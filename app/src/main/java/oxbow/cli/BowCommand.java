package oxbow.cli;

import oxbow.console.Console;
import oxbow.console.UserException;
import picocli.CommandLine;

/**
 * The group of commands about backup-on-write. The words after {@code bow} are commands before they
 * are devices: a device that is called like one of them is written {@code ./restore} or {@code
 * file:restore}.
 */
@CommandLine.Command(
    name = "bow",
    description = {"Backup on write: the two ways out of a checkpoint that no process serves.", ""},
    commandListHeading = "%nCommands:%n",
    subcommands = {BowRestoreCommand.class, BowCommitCommand.class})
final class BowCommand extends Command {
  @Override
  int run(Console console) throws UserException {
    throw UserException.wrongUsage(name(), "Missing required subcommand: restore or commit")
        .advise("See: oxbow help bow");
  }
}
