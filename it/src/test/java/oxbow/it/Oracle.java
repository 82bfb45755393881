package oxbow.it;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * The real kernel, as it judges images and uses NBD servers. Scripts run as root in a guest that
 * ends with the call; {@code it/oracle/README.md} tells what is in there.
 */
public final class Oracle {
  /** The slowest guest needs five seconds to start; the rest is for the script. */
  private static final Duration PATIENCE = Duration.ofMinutes(5);

  /** An image that the guest sees as {@code /dev/disk/NAME}. */
  public record Disk(String name, Path image, boolean readOnly) {
    /** A disk the guest may write to. */
    public static Disk of(String name, Path image) {
      return new Disk(name, image, false);
    }

    private String argument() {
      return name + "=" + image + (readOnly ? ",ro" : "");
    }
  }

  /** What a server offers under a name on a Unix socket. */
  public record Export(Path socket, String name) {}

  private Oracle() {}

  /** Runs a shell script in a kernel that has dm-clone and dm-snapshot, with images as disks. */
  public static Proc.Result run(List<Disk> disks, String script, Object... arguments) {
    requireKernel();
    List<Object> options = new ArrayList<>();
    for (Disk disk : disks) {
      options.addAll(List.of("--disk", disk.argument()));
    }
    return runScript("uml-run", options, script, arguments);
  }

  /**
   * Runs a shell script in a machine whose kernel is connected, as a client, to NBD servers.
   *
   * @param exports the first is {@code /dev/nbd0}
   */
  public static Proc.Result machine(List<Export> exports, String script, Object... arguments) {
    requireMachine();
    List<Object> options = new ArrayList<>();
    for (Export export : exports) {
      options.addAll(List.of("--nbd", "unix:" + export.socket() + ":" + export.name()));
    }
    return runScript("nbd-vm", options, script, arguments);
  }

  /** What the kernel and an independent decoder make of a clone; the images are not changed. */
  public static JsonNode inspectClone(Path metadata, Path destination, Path source) {
    requireKernel();
    String json =
        Proc.of(
                Tool.own("it/oracle/inspect"),
                "clone",
                "--meta",
                metadata,
                "--dest",
                destination,
                "--source",
                source)
            .within(PATIENCE)
            .run()
            .out();
    return parse(json);
  }

  /** The same of a snapshot. */
  public static JsonNode inspectSnapshot(Path origin, Path store) {
    requireKernel();
    String json =
        Proc.of(Tool.own("it/oracle/inspect"), "snapshot", "--origin", origin, "--cow", store)
            .within(PATIENCE)
            .run()
            .out();
    return parse(json);
  }

  /** What the checker of clone metadata says; its exit status is in {@code clean}. */
  public static JsonNode checkCloneMetadata(Path metadata, Object... options) {
    return check("clone_metadata_check.py", metadata, options);
  }

  /** What the checker of exception stores says; its exit status is in {@code clean}. */
  public static JsonNode checkSnapshotStore(Path store, Object... options) {
    return check("snapshot_cow_check.py", store, options);
  }

  private static JsonNode check(String tool, Path image, Object... options) {
    Tool.require("python3", "python3");
    List<Object> words = new ArrayList<>(List.of(options));
    words.add(image);
    return parse(
        Proc.of(Tool.own("it/tools/" + tool), words.toArray()).within(PATIENCE).run().out());
  }

  private static Proc.Result runScript(
      String tool, List<Object> options, String script, Object... arguments) {
    try {
      Path file = Files.createTempFile("oxbow-guest-", ".sh");
      try {
        Files.writeString(file, script);
        List<Object> words = new ArrayList<>(options);
        words.add("--timeout");
        words.add(PATIENCE.toSeconds());
        words.add("--");
        words.add(file);
        words.addAll(List.of(arguments));
        // The tool ends its guest by itself; the margin lets it say so.
        return Proc.of(Tool.own("it/oracle/" + tool), words.toArray())
            .within(PATIENCE.plusSeconds(30))
            .run();
      } finally {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void requireKernel() {
    Tool.require("linux.uml", "user-mode-linux");
    requireGuestTools();
  }

  private static void requireMachine() {
    Tool.require("qemu-system-x86_64", "qemu-system-x86");
    Tool.require("nbd-client", "nbd-client");
    requireGuestTools();
  }

  private static void requireGuestTools() {
    Tool.require("python3", "python3");
    Tool.require("busybox", "busybox-static");
    Tool.require("dmsetup", "dmsetup");
    Tool.require("cpio", "cpio");
    Tool.require("gcc", "gcc");
  }

  private static JsonNode parse(String json) {
    try {
      return new ObjectMapper().readTree(json);
    } catch (IOException e) {
      throw new AssertionError("not JSON: " + json, e);
    }
  }
}
