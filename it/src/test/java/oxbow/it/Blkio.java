package oxbow.it;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import oxbow.block.Errno;
import oxbow.block.Sectors;
import oxbow.nbd.server.RawClient;
import oxbow.nbd.wire.Nbd;

/**
 * The program of this name that {@code it/oracle} has for its guests, over NBD: the same commands,
 * the same output, one connection for each run.
 */
final class Blkio {
  private static final int PIECE_BYTES = 1 << 20;

  /** What the kernel returns where a pattern is not what it should be. */
  private static final String MISMATCH = "Invalid or incomplete multibyte or wide character";

  /** Why a command failed. */
  private static final class Failed extends Exception {
    private static final long serialVersionUID = 1;

    Failed(String why) {
      super(why);
    }
  }

  private final RawClient client;
  private final List<String> output = new ArrayList<>();
  private boolean hasFailed;

  private Blkio(RawClient client) {
    this.client = client;
  }

  /**
   * Runs commands one after the other, whether or not they succeed.
   *
   * @param socket where the server listens
   */
  static Proc.Result run(Path socket, String export, List<String> commands) {
    try (RawClient client = RawClient.go(UnixDomainSocketAddress.of(socket), export)) {
      Blkio blkio = new Blkio(client);
      for (String command : commands) {
        blkio.command(command);
      }
      client.request(Nbd.CMD_DISC, 0, 0, 0, 0);
      client.isHungUp();
      String out = String.join("", blkio.output);
      return new Proc.Result(commands, blkio.hasFailed ? 1 : 0, out, "");
    } catch (IOException unreachable) {
      String out = "blkio: " + export + ": " + unreachable.getMessage() + "\n";
      return new Proc.Result(commands, 1, out, "");
    }
  }

  private void command(String command) throws IOException {
    String[] words = command.split(" ", -1);
    long offset = words.length > 1 ? bytes(words[1]) : 0;
    long length = words.length > 2 ? bytes(words[2]) : 0;
    int seed = words.length > 3 ? (int) bytes(words[3]) : SectorPattern.ZERO;
    try {
      switch (words[0]) {
        case "w" -> write(offset, length, seed);
        case "W" -> {
          write(offset, length, seed);
          require(client.error(Nbd.CMD_FLUSH, 0, 0, 0));
        }
        case "c", "0" -> check(offset, length, seed);
        case "t" -> tell(offset, length);
        case "d" -> require(client.error(Nbd.CMD_TRIM, 0, offset, length));
        case "z" -> require(client.error(Nbd.CMD_WRITE_ZEROES, 0, offset, length));
        case "f" -> require(client.error(Nbd.CMD_FLUSH, 0, 0, 0));
        default -> throw new IllegalArgumentException(command);
      }
    } catch (Failed failed) {
      output.add("blkio: " + command + ": " + failed.getMessage() + "\n");
      hasFailed = true;
    }
  }

  private void write(long offset, long length, int seed) throws IOException, Failed {
    for (long at = offset; at < offset + length; at += PIECE_BYTES) {
      int piece = (int) Math.min(PIECE_BYTES, offset + length - at);
      require(client.write(at, SectorPattern.bytes(sector(at), sectors(piece), seed)));
    }
  }

  private ByteBuffer read(long offset, int length) throws IOException, Failed {
    client.request(Nbd.CMD_READ, 0, 1, offset, length);
    RawClient.Answer answer = client.answer(length);
    require(answer.error());
    return answer.payload().order(ByteOrder.LITTLE_ENDIAN);
  }

  private void check(long offset, long length, int seed) throws IOException, Failed {
    for (long at = offset; at < offset + length; at += PIECE_BYTES) {
      int piece = (int) Math.min(PIECE_BYTES, offset + length - at);
      byte[] expected = SectorPattern.bytes(sector(at), sectors(piece), seed);
      if (read(at, piece).mismatch(ByteBuffer.wrap(expected)) >= 0) {
        throw new Failed(MISMATCH);
      }
    }
  }

  /** Prints runs of sectors that have one seed, and are as far from where they were written. */
  private void tell(long offset, long length) throws IOException, Failed {
    ByteBuffer bytes = read(offset, (int) length);
    int first = sector(offset);
    int end = first + sectors((int) length);
    while (first < end) {
      String run = kind(bytes, first, offset);
      int next = first + 1;
      while (next < end && kind(bytes, next, offset).equals(run)) {
        next++;
      }
      output.add("%d+%d %s%n".formatted(first, next - first, run));
      first = next;
    }
  }

  private static String kind(ByteBuffer bytes, int sector, long offset) {
    long word = bytes.getLong((int) (Sectors.toBytes(sector) - offset));
    long delta = word == 0 ? 0 : (word & ((1L << 40) - 1)) - sector;
    return "seed=%d delta=%d".formatted(word >>> 40, delta);
  }

  private static void require(int error) throws Failed {
    if (error != 0) {
      throw new Failed(Errno.describe(error));
    }
  }

  private static int sector(long offset) {
    return (int) Sectors.fromBytes(offset);
  }

  private static int sectors(int length) {
    return (int) Sectors.fromBytes(length);
  }

  /** A number as the guest's program takes it: bytes, or with a letter for a unit. */
  static long bytes(String word) {
    long unit =
        switch (word.charAt(word.length() - 1)) {
          case 's' -> Sectors.SIZE_BYTES;
          case 'k' -> 1L << 10;
          case 'm' -> 1L << 20;
          case 'g' -> 1L << 30;
          default -> 1;
        };
    return Long.parseLong(unit == 1 ? word : word.substring(0, word.length() - 1)) * unit;
  }
}
