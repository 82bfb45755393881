package oxbow.device.file;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import oxbow.block.Flags;
import oxbow.block.Operation;
import oxbow.device.Requests;
import oxbow.device.file.FileOpener.OddTail;
import oxbow.engine.WorkerDiskPool;
import oxbow.linux.DiskCalls;

/** A program of its own that uses a file device, for tests that need a second process. */
final class FileProgram {
  private FileProgram() {}

  /** The command line that runs it with these arguments. */
  static List<String> command(String... arguments) {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-ea",
                "-cp",
                System.getProperty("java.class.path"),
                FileProgram.class.getName()));
    command.addAll(List.of(arguments));
    return command;
  }

  /**
   * {@code hold native|portable read|write PATH}: opens, says so, and holds it open until its
   * standard input ends. {@code durable PATH}: creates a file, or fills an empty one, and makes
   * writes durable, telling what it does on standard output.
   */
  public static void main(String[] arguments) throws Exception {
    try (WorkerDiskPool pool = new WorkerDiskPool(2)) {
      if (arguments[0].equals("hold")) {
        boolean isNative = arguments[1].equals("native");
        FileOpener opener =
            new FileOpener(isNative ? DiskCalls.best() : DiskCalls.portable(), pool);
        hold(opener, arguments[2].equals("write"), Path.of(arguments[3]));
      } else {
        makeDurable(new FileOpener(pool), Path.of(arguments[1]));
      }
    }
  }

  private static void hold(FileOpener opener, boolean isWriter, Path path) throws Exception {
    try (FileDevice device =
        isWriter
            ? opener.openWritable(path, OddTail.DROP)
            : opener.openReadOnly(path, OddTail.DROP)) {
      System.out.println("open " + device.address());
      int end = System.in.read();
      System.out.println("end " + end);
    } catch (DeviceInUseException e) {
      System.out.println("refused " + e.getMessage());
    }
  }

  private static void makeDurable(FileOpener opener, Path path) throws Exception {
    System.out.println("create");
    try (FileDevice device =
        Files.exists(path) ? opener.createInEmpty(path, 1 << 20) : opener.create(path, 1 << 20)) {
      System.out.println("write");
      Requests.write(device, 0, new byte[4096]);
      System.out.println("flush " + Requests.flush(device));
      System.out.println("forced write " + Requests.write(device, 4096, new byte[512], Flags.FUA));
      System.out.println(
          "forced bulk write "
              + Requests.write(device, 8192, new byte[8192], Flags.FUA | Flags.BULK));
      System.out.println(
          "forced zeroes " + Requests.run(device, Operation.WRITE_ZEROES, 0, 4096, Flags.FUA));
      System.out.println(
          "forced discard " + Requests.run(device, Operation.DISCARD, 0, 4096, Flags.FUA));
      System.out.println("end");
    }
  }
}
