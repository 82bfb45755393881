package oxbow.nbd.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import oxbow.block.Errno;
import oxbow.engine.IoBuffer;
import oxbow.nbd.wire.Nbd;
import oxbow.nbd.wire.ReplyChunk;
import oxbow.nbd.wire.SimpleReply;

/**
 * Aim: what a server tells ends up where it belongs, and what breaks R1 to R4 costs the connection.
 * Method: replies as scripts, in pieces of every length; buffers are checked byte by byte.
 */
class ReplyReaderTest {
  private static final Export STRUCTURED =
      new Export(1 << 20, Nbd.FLAG_HAS_FLAGS, 1, 1 << 20, true, true, 5);
  private static final Export SIMPLE =
      new Export(1 << 20, Nbd.FLAG_HAS_FLAGS, 1, 1 << 20, false, false, 0);
  private static final int DONE = Nbd.REPLY_FLAG_DONE;
  private static final int AT = 1000;

  /** A command that remembers how it ended. */
  private static final class Asked extends Command {
    private final List<Integer> ends = new ArrayList<>();

    static Asked read(long at, int length) {
      Asked asked = new Asked();
      MemorySegment buffer = Arena.ofAuto().allocate(length + 20).fill((byte) 0x55);
      asked.ask(Nbd.CMD_READ, 0, at, length, buffer, 10);
      return asked;
    }

    static Asked status(long at, int length) {
      Asked asked = new Asked();
      asked.askStatus(at, length, new ExtentList(100));
      return asked;
    }

    static Asked of(int type) {
      Asked asked = new Asked();
      asked.ask(type, 0, AT, 100, MemorySegment.NULL, 0);
      return asked;
    }

    @Override
    protected void ended(int error) {
      ends.add(error);
    }

    byte[] bytes() {
      assertThat(data().get(ValueLayout.JAVA_BYTE, 9)).as("before").isEqualTo((byte) 0x55);
      assertThat(data().get(ValueLayout.JAVA_BYTE, 10 + lengthBytes()))
          .as("after")
          .isEqualTo((byte) 0x55);
      return data().asSlice(10, lengthBytes()).toArray(ValueLayout.JAVA_BYTE);
    }
  }

  /** Bytes that a server sends. */
  private static final class Script {
    private final ByteBuffer bytes = ByteBuffer.allocate(200_000);

    Script simple(int error, long cookie) {
      SimpleReply.put(bytes, bytes.position(), error, cookie);
      bytes.position(bytes.position() + SimpleReply.SIZE_BYTES);
      return this;
    }

    Script chunk(int flags, int type, Command of, int payloadBytes) {
      ReplyChunk.put(bytes, bytes.position(), flags, type, of.cookie, payloadBytes);
      bytes.position(bytes.position() + ReplyChunk.HEADER_BYTES);
      return this;
    }

    Script data(int flags, Command of, long at, int length) {
      chunk(flags, Nbd.REPLY_TYPE_OFFSET_DATA, of, 8 + length);
      bytes.putLong(at);
      return pattern(at, length);
    }

    /** Each byte follows from its offset. */
    Script pattern(long at, int length) {
      for (int i = 0; i < length; i++) {
        bytes.put(patternAt(at + i));
      }
      return this;
    }

    Script hole(int flags, Command of, long at, int length) {
      chunk(flags, Nbd.REPLY_TYPE_OFFSET_HOLE, of, 12);
      bytes.putLong(at).putInt(length);
      return this;
    }

    Script none(Command of) {
      return chunk(DONE, Nbd.REPLY_TYPE_NONE, of, 0);
    }

    Script error(int flags, Command of, int error, String message) {
      chunk(flags, Nbd.REPLY_TYPE_ERROR, of, 6 + message.length());
      bytes
          .putInt(error)
          .putShort((short) message.length())
          .put(message.getBytes(StandardCharsets.UTF_8));
      return this;
    }

    Script errorAt(int flags, Command of, int error, String message, long at) {
      chunk(flags, Nbd.REPLY_TYPE_ERROR_OFFSET, of, 14 + message.length());
      bytes
          .putInt(error)
          .putShort((short) message.length())
          .put(message.getBytes(StandardCharsets.UTF_8));
      bytes.putLong(at);
      return this;
    }

    byte[] toArray() {
      byte[] copy = new byte[bytes.position()];
      bytes.get(0, copy);
      return copy;
    }

    Script status(int flags, Command of, int context, int... lengthsAndStates) {
      chunk(flags, Nbd.REPLY_TYPE_BLOCK_STATUS, of, 4 + 4 * lengthsAndStates.length);
      bytes.putInt(context);
      for (int value : lengthsAndStates) {
        bytes.putInt(value);
      }
      return this;
    }
  }

  private static byte patternAt(long at) {
    return (byte) (at * 31 + (at >> 8));
  }

  private static byte[] pattern(long at, int length) {
    return new Script().pattern(at, length).toArray();
  }

  private final SlotTable slots = new SlotTable(8);
  private ReplyReader reader = newReader(STRUCTURED);

  private ReplyReader newReader(Export export) {
    return new ReplyReader(slots, export, Command::ended);
  }

  private <C extends Command> C inFlight(C command) {
    command.prepare();
    command.isSent = true;
    slots.add(command);
    return command;
  }

  /** Feeds a script in pieces, the remainder of each before the next, and data also directly. */
  private void feed(Script script, int piece, boolean isDirect) throws BadReplyException {
    byte[] bytes = script.toArray();
    IoBuffer in = IoBuffer.of(Arena.ofAuto().allocate(Math.max(1, bytes.length)));
    in.segment().copyFrom(MemorySegment.ofArray(bytes));
    int eaten = 0;
    for (int there = 0; there < bytes.length; ) {
      there = Math.min(bytes.length, there + piece);
      while (isDirect && eaten < there && reader.directBytes() > 0) {
        int length = Math.min(there - eaten, reader.directBytes());
        MemorySegment.copy(in.segment(), eaten, reader.directData(), reader.directOffset(), length);
        reader.directReceived(length);
        eaten += length;
      }
      int stop = isDirect ? Math.min(there, eaten + 28) : there;
      eaten = reader.read(in, eaten, stop);
      there = isDirect ? Math.max(eaten, stop) : there;
    }
    assertThat(eaten).as("all is eaten").isEqualTo(bytes.length);
  }

  private void feed(Script script) throws BadReplyException {
    feed(script, 1 << 20, false);
  }

  private void refused(Script script, String why) {
    assertThatThrownBy(() -> feed(script))
        .isInstanceOf(BadReplyException.class)
        .hasMessageContaining(why);
  }

  @Test
  void chunksInAnyOrderAndAnyPiecesMakeARead() throws BadReplyException {
    for (int piece = 1; piece < 200; piece++) {
      for (boolean isDirect : new boolean[] {false, true}) {
        reader = newReader(STRUCTURED);
        Asked read = inFlight(Asked.read(AT, 500));
        Asked other = inFlight(Asked.read(0, 10));
        feed(
            new Script()
                .data(0, read, AT + 300, 100)
                .hole(0, read, AT + 400, 100)
                .data(DONE, other, 0, 10)
                .data(0, read, AT, 300)
                .none(read),
            piece,
            isDirect);

        byte[] expected = new byte[500];
        System.arraycopy(pattern(AT, 400), 0, expected, 0, 400);
        assertThat(read.ends).containsExactly(0);
        assertThat(other.ends).containsExactly(0);
        assertThat(read.bytes()).isEqualTo(expected);
        assertThat(other.bytes()).isEqualTo(pattern(0, 10));
      }
    }
  }

  @Test
  void simpleRepliesBringDataOrAnError() throws BadReplyException {
    for (int piece = 1; piece < 60; piece++) {
      reader = newReader(SIMPLE);
      Asked read = inFlight(Asked.read(AT, 50));
      Asked failed = inFlight(Asked.read(AT, 50));
      Asked write = inFlight(Asked.of(Nbd.CMD_WRITE));
      feed(
          new Script()
              .simple(Errno.EIO, failed.cookie)
              .simple(0, read.cookie)
              .pattern(AT, 50)
              .simple(0, write.cookie),
          piece,
          false);
      assertThat(read.ends).containsExactly(0);
      assertThat(read.bytes()).isEqualTo(pattern(AT, 50));
      assertThat(failed.ends).containsExactly(Errno.EIO);
      assertThat(write.ends).containsExactly(0);
    }
  }

  @Test
  void errorsEndARequestOnlyWhenItsReplyIsComplete() throws BadReplyException {
    Asked read = inFlight(Asked.read(AT, 100));
    feed(new Script().data(0, read, AT, 50).errorAt(0, read, Errno.EIO, "bad disk", AT + 50));
    assertThat(read.ends).isEmpty();
    feed(new Script().error(0, read, Errno.ENOSPC, "").none(read));
    assertThat(read.ends).as("the first one counts").containsExactly(Errno.EIO);
  }

  @Test
  void errorsComeInEveryForm() throws BadReplyException {
    for (int piece = 1; piece < 50; piece++) {
      Asked write = inFlight(Asked.of(Nbd.CMD_WRITE));
      Asked zeroes = inFlight(Asked.of(Nbd.CMD_WRITE_ZEROES));
      Asked trim = inFlight(Asked.of(Nbd.CMD_TRIM));
      Script script = new Script();
      script.error(DONE, write, Errno.ENOSPC, "no space");
      script.errorAt(DONE, zeroes, Errno.EPERM, "", AT + 1);
      script.chunk(DONE, Nbd.REPLY_TYPE_ERROR_BIT | 99, trim, 10);
      script.bytes.putInt(4711).putShort((short) 2).putInt(0);
      feed(script, piece, false);
      assertThat(write.ends).containsExactly(Errno.ENOSPC);
      assertThat(zeroes.ends).containsExactly(Errno.EPERM);
      assertThat(trim.ends).as("an unknown number").containsExactly(Errno.EINVAL);
    }
  }

  @Test
  void extentsAreJoinedAndCutAtTheEndOfTheQuestion() throws BadReplyException {
    for (int piece = 1; piece < 50; piece++) {
      Asked status = inFlight(Asked.status(AT, 1000));
      feed(new Script().status(DONE, status, 5, 100, 3, 200, 3, 100, 4, 5000, 1), piece, false);
      ExtentList list = Objects.requireNonNull(status.extents());
      assertThat(status.ends).containsExactly(0);
      assertThat(list.count()).isEqualTo(3);
      assertThat(list.lengthBytes(0)).isEqualTo(300);
      assertThat(list.state(0)).isEqualTo(3);
      assertThat(list.state(1)).as("unknown bits mean nothing").isZero();
      assertThat(list.lengthBytes(2)).isEqualTo(600);
      assertThat(list.state(2)).isEqualTo(1);
    }
  }

  @Test
  @DisplayName("R1: replies name a command in flight and fit it")
  void repliesThatFitNoCommandAreRefused() {
    Asked read = inFlight(Asked.read(AT, 100));
    Asked write = inFlight(Asked.of(Nbd.CMD_WRITE));
    Asked status = inFlight(Asked.status(AT, 100));
    Asked waiting = inFlight(Asked.of(Nbd.CMD_FLUSH));
    waiting.isSent = false;
    List<Script> broken =
        List.of(
            new Script().simple(0, 4711),
            new Script().simple(0, waiting.cookie),
            new Script().simple(0, read.cookie),
            new Script().simple(0, status.cookie),
            new Script().data(DONE, write, AT, 100),
            new Script().hole(DONE, write, AT, 100),
            new Script().status(DONE, read, 5, 100, 0),
            new Script().chunk(0, Nbd.REPLY_TYPE_NONE, write, 0),
            new Script().chunk(DONE, Nbd.REPLY_TYPE_NONE, write, 1),
            new Script().chunk(DONE, 77, write, 0),
            new Script().chunk(DONE, Nbd.REPLY_TYPE_ERROR, write, 5),
            new Script().error(DONE, write, 0, "no error"));
    for (Script script : broken) {
      reader = newReader(STRUCTURED);
      refused(script, "the server breaks the NBD protocol: ");
    }
    Script garbage = new Script();
    garbage.bytes.putLong(0x1234567800000000L).putLong(0);
    reader = newReader(STRUCTURED);
    refused(garbage, "magic number of a reply 0x12345678");
    reader = newReader(SIMPLE);
    refused(new Script().none(write), "magic number");
  }

  @Test
  @DisplayName("R1: a reply that comes twice names nobody, also when the slot is in use again")
  void aSecondReplyIsRefused() throws BadReplyException {
    Asked write = inFlight(Asked.of(Nbd.CMD_WRITE));
    Script reply = new Script().simple(0, write.cookie);
    feed(reply);
    Asked next = inFlight(Asked.of(Nbd.CMD_WRITE));
    refused(reply, "not in flight");
    assertThat(next.ends).isEmpty();
  }

  @Test
  @DisplayName("R2: data and holes lie within the request and do not overlap")
  void chunksOutsideOrTwiceAreRefused() {
    int[][] outside = {
      {AT - 1, 10}, {AT + 91, 10}, {AT + 100, 1}, {0, 100}, {AT, 101}, {-5, 10}, {AT, 0}
    };
    for (int[] range : outside) {
      Asked read = inFlight(Asked.read(AT, 100));
      reader = newReader(STRUCTURED);
      refused(new Script().data(DONE, read, range[0], range[1]), "data");
      reader = newReader(STRUCTURED);
      refused(new Script().hole(DONE, read, range[0], range[1]), "a hole");
      assertThat(read.ends).isEmpty();
      read.bytes();
      slots.remove(read);
    }
    Asked read = inFlight(Asked.read(AT, 100));
    reader = newReader(STRUCTURED);
    refused(
        new Script().data(0, read, AT, 50).hole(DONE, read, AT + 49, 51), "the same bytes twice");
  }

  @Test
  @DisplayName("R3: success needs every byte")
  void successWithoutAllOfTheDataIsRefused() {
    Asked read = inFlight(Asked.read(AT, 100));
    refused(new Script().data(0, read, AT, 99).none(read), "success without all of the data");
    reader = newReader(STRUCTURED);
    Asked nothing = inFlight(Asked.read(AT, 100));
    refused(new Script().none(nothing), "success without all of the data");
    reader = newReader(STRUCTURED);
    Asked status = inFlight(Asked.status(AT, 100));
    refused(new Script().none(status), "success without extents");
    assertThat(read.ends).isEmpty();
  }

  @Test
  @DisplayName("R4: extents of the context, of some length, within the question but for the last")
  void extentsThatAnswerAnotherQuestionAreRefused() {
    int[][] broken = {{6, 100, 0}, {5, 0, 0}, {5, 100, 0, 1, 0}, {5, 200, 0, 1, 0}, {5}, {5, 100}};
    for (int[] values : broken) {
      Asked status = inFlight(Asked.status(AT, 100));
      reader = newReader(STRUCTURED);
      int[] extents = Arrays.copyOfRange(values, 1, values.length);
      refused(new Script().status(DONE, status, values[0], extents), "extents");
      slots.remove(status);
    }
    Asked status = inFlight(Asked.status(AT, 100));
    reader = newReader(STRUCTURED);
    refused(
        new Script().status(0, status, 5, 50, 0).status(DONE, status, 5, 50, 0), "extents twice");
  }

  @Test
  void aServerThatShutsDownIsLeftWithTheCommandStillInFlight() {
    Asked write = inFlight(Asked.of(Nbd.CMD_WRITE));
    refused(new Script().simple(Errno.ESHUTDOWN, write.cookie), "shutting down");
    assertThat(write.ends).isEmpty();
    assertThat(slots.removeAny()).isSameAs(write);
  }

  @Test
  void flippedBitsNeverWriteOutsideOfABufferNorInventSuccess() {
    long seed = Long.getLong("oxbow.seed", System.nanoTime());
    Random random = new Random(seed);
    for (int round = 0; round < 20_000; round++) {
      SlotTable table = new SlotTable(4);
      Asked read = Asked.read(AT, 64);
      read.prepare();
      read.isSent = true;
      table.add(read);
      byte[] bytes =
          new Script()
              .data(0, read, AT, 30)
              .hole(0, read, AT + 30, 30)
              .data(0, read, AT + 60, 4)
              .none(read)
              .toArray();
      for (int i = 0; i < 1 + random.nextInt(3); i++) {
        bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
      }
      IoBuffer in = IoBuffer.of(Arena.ofAuto().allocate(bytes.length));
      in.segment().copyFrom(MemorySegment.ofArray(bytes));
      try {
        new ReplyReader(table, STRUCTURED, Command::ended).read(in, 0, bytes.length);
      } catch (BadReplyException refusedAsItShould) {
        assertThat(refusedAsItShould).hasMessageStartingWith("the server ");
      } catch (RuntimeException e) {
        throw new AssertionError(
            "reproduce with: mvn test -Dtest=ReplyReaderTest -Doxbow.seed=" + seed, e);
      }
      read.bytes(); // Checks what lies before and after the buffer.
      assertThat(read.ends.size()).isLessThanOrEqualTo(1);
    }
  }
}
