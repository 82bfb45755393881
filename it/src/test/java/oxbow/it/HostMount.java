package oxbow.it;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Predicate;

/**
 * The file system of an NBD export, mounted on this host: nbdfuse shows the export as a file, a
 * loop device makes a disk of it. Needs root.
 */
final class HostMount implements AutoCloseable {
  private final Path fuseDirectory;
  private final Path directory;
  private final Server nbdfuse;
  private String loop = "";
  private boolean isMounted;

  private HostMount(Path home, String uri) {
    try {
      fuseDirectory = Files.createTempDirectory(home, "fuse-");
      directory = Files.createTempDirectory(home, "mnt-");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    nbdfuse = Server.nbdfuse(home, fuseDirectory.resolve("disk"), uri);
  }

  /** Ends the test, skipped or failed, where this host cannot do it. */
  static void requireIt() {
    if (!System.getProperty("user.name", "").equals("root")) {
      throw Tool.missing("mounting on this host needs root");
    }
    for (String device : new String[] {"/dev/fuse", "/dev/loop-control"}) {
      if (!Files.exists(Path.of(device))) {
        throw Tool.missing("mounting on this host needs " + device);
      }
    }
    Tool.require("nbdfuse", "libnbd-bin");
    Tool.require("losetup", "mount");
    Tool.require("mount", "mount");
  }

  /**
   * Mounts it.
   *
   * @param home where the mount points are made
   */
  static HostMount of(Path home, String uri) {
    HostMount mount = new HostMount(home, uri);
    try {
      Path disk = mount.fuseDirectory.resolve("disk");
      mount.loop = Proc.of("losetup", "--find", "--show", disk).run().ok().out().strip();
      Proc.of("mount", "-t", "ext4", mount.loop, mount.directory).run().ok();
      mount.isMounted = true;
      return mount;
    } catch (AssertionError e) {
      mount.abandon();
      throw e;
    }
  }

  /** Where the files are. */
  Path directory() {
    return directory;
  }

  /** All is flushed, and whoever writes waits, until the action has ended. */
  void whileFrozen(Runnable action) {
    Path fsfreeze = Tool.require("fsfreeze", "util-linux");
    Proc.of(fsfreeze, "--freeze", directory).run().ok();
    try {
      action.run();
    } finally {
      Proc.of(fsfreeze, "--unfreeze", directory).run().ok();
    }
  }

  /** Unmounts in order; all that was written is on the export then. */
  void unmount() {
    Proc.of("umount", directory).run().ok();
    isMounted = false;
    Proc.of("losetup", "--detach", loop).run().ok();
    loop = "";
    Proc.of("umount", fuseDirectory).run().ok();
    nbdfuse.awaitEnd();
  }

  /** Gives up what is left of it after the server has gone; nothing of this waits for anybody. */
  void abandon() {
    if (isMounted) {
      Proc.of("umount", "--lazy", directory).run();
      isMounted = false;
    }
    if (!loop.isEmpty()) {
      Proc.of("losetup", "--detach", loop).run();
      loop = "";
    }
    if (isMountPoint(fuseDirectory)) {
      Proc.of("umount", "--lazy", fuseDirectory).run();
    }
    nbdfuse.kill();
  }

  private static boolean isMountPoint(Path directory) {
    Predicate<String> isIt = line -> line.contains(" " + directory + " ");
    try (var lines = Files.lines(Path.of("/proc/self/mounts"))) {
      return lines.anyMatch(isIt);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    abandon();
  }
}
