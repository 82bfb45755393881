package oxbow.it;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * How a machine tells this host how far it is, and hears that it may go on: two sectors of a file
 * that the machine has as a block device. The host writes the second, the machine the first.
 */
final class Mailbox implements AutoCloseable {
  /** For scripts: {@code tell DEVICE WORD} and {@code hear DEVICE WORD}. */
  static final String SCRIPT =
      """
      tell() { printf %s "$2" | dd of=$1 bs=512 conv=sync,fsync 2>/dev/null; }
      heard() { dd if=$1 bs=512 skip=1 count=1 2>/dev/null | tr -d '\\0'; }
      hear() {
        while blockdev --flushbufs $1; [ "$(heard $1)" != "$2" ]; do usleep 100000; done
      }
      """;

  private static final int SECTOR_BYTES = 512;

  private final Path directory;
  private final Path file;
  private final Server server;

  /**
   * @param directory gets the file and the socket, and nothing else is changed there meanwhile
   */
  Mailbox(Path directory) throws IOException {
    this.directory = directory;
    file = Files.write(directory.resolve("mailbox"), new byte[8 * SECTOR_BYTES]);
    server = Server.nbdkit(directory.resolve("mailbox.sock"), "file", file);
  }

  Oracle.Export export() {
    return new Oracle.Export(directory.resolve("mailbox.sock"), "");
  }

  /** Waits until the machine has said a word; fails if it ends before. */
  void await(String word, Future<Proc.Result> machine) {
    try (WatchService watch = directory.getFileSystem().newWatchService()) {
      directory.register(watch, StandardWatchEventKinds.ENTRY_MODIFY);
      while (!said().equals(word)) {
        if (machine.isDone()) {
          throw new AssertionError(
              "the machine ended before it said " + word + ": " + machine.get());
        }
        WatchKey key = watch.poll(500, TimeUnit.MILLISECONDS);
        if (key != null) {
          key.pollEvents();
          key.reset();
        }
      }
    } catch (Exception failed) {
      throw new AssertionError("waiting for " + word, failed);
    }
  }

  private String said() throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    return new String(bytes, 0, SECTOR_BYTES, StandardCharsets.US_ASCII).replace("\0", "");
  }

  /** Says a word to the machine. */
  void answer(String word) throws IOException {
    try (RandomAccessFile opened = new RandomAccessFile(file.toFile(), "rw")) {
      opened.seek(SECTOR_BYTES);
      opened.write(word.getBytes(StandardCharsets.US_ASCII));
    }
  }

  @Override
  public void close() {
    server.close();
  }
}
