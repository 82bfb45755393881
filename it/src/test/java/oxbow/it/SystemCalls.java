package oxbow.it;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * What a program asked of the kernel, as {@code strace -f -y -xx} wrote it down: each call with the
 * bytes it carried, and its beginning and its end as events of their own, since the calls of
 * several threads overlap.
 */
final class SystemCalls {
  private static final String UNFINISHED = "<unfinished ...>";
  private static final int NO_RESULT = Integer.MIN_VALUE;

  private final List<Event> events = new ArrayList<>();

  /** The beginning of a call, when its effects become possible, or its end. */
  record Event(Call call, boolean isEnd) {}

  /** One call. Its first argument is a descriptor; other words are arguments that are no bytes. */
  static final class Call {
    final String name;
    final String path;
    final byte[] data;
    final List<String> words;
    private long result = NO_RESULT;
    private String opened = "";

    private Call(String name, String path, byte[] data, List<String> words) {
      this.name = name;
      this.path = path;
      this.data = data;
      this.words = words;
    }

    /** An argument that is a number; negative ones count from the last. */
    long number(int index) {
      return Long.parseLong(words.get(index < 0 ? words.size() + index : index));
    }

    boolean hasSucceeded() {
      return result >= 0;
    }

    long result() {
      return result;
    }

    /** The file that an open made, or found. */
    String opened() {
      return opened;
    }

    boolean isSync() {
      return name.equals("fdatasync") || name.equals("fsync");
    }

    @Override
    public String toString() {
      return "%s(%s, %d bytes, %s) = %d".formatted(name, path, data.length, words, result);
    }
  }

  private SystemCalls() {}

  /** The command that runs another one and writes down these calls of it. */
  static List<Object> command(Path log) {
    return List.of(
        Tool.require("strace", "strace"),
        "-f",
        "-y",
        "-xx",
        "-s",
        1 << 24,
        "--seccomp-bpf",
        "-o",
        log,
        "-e",
        "trace=openat,ftruncate,fallocate,write,writev,pwrite64,pwritev,pwritev2,sendto,sendmsg,"
            + "sync_file_range,msync,fdatasync,fsync,rename,renameat,renameat2,unlink,unlinkat");
  }

  static List<Event> read(Path log) throws IOException {
    SystemCalls calls = new SystemCalls();
    Map<String, Call> unfinished = new HashMap<>();
    String text = Files.readString(log, StandardCharsets.ISO_8859_1);
    // While strace runs, its last line may be half written.
    text.substring(0, text.lastIndexOf('\n') + 1)
        .lines()
        .forEach(line -> calls.add(line, unfinished));
    return calls.events;
  }

  /** Whether the log has come to the end of that process. Strace pads short numbers with spaces. */
  static boolean hasEnded(Path log, long process) throws IOException {
    try (Stream<String> lines = Files.lines(log, StandardCharsets.ISO_8859_1)) {
      return lines.anyMatch(line -> line.matches(process + " +\\+\\+\\+ .*"));
    }
  }

  private void add(String line, Map<String, Call> unfinished) {
    int space = line.indexOf(' ');
    String thread = line.substring(0, space);
    String text = line.substring(space).strip();
    if (text.startsWith("<... ")) {
      Call call = unfinished.remove(thread);
      if (call != null) {
        end(call, text);
      }
      return;
    }
    int open = text.indexOf('(');
    if (open < 0 || text.startsWith("---") || text.startsWith("+++")) {
      return;
    }
    boolean isUnfinished = text.endsWith(UNFINISHED);
    int close = isUnfinished ? text.length() - UNFINISHED.length() : text.lastIndexOf(" = ");
    Call call = parse(text.substring(0, open), text.substring(open + 1, close).strip());
    events.add(new Event(call, false));
    if (isUnfinished) {
      unfinished.put(thread, call);
    } else {
      end(call, text);
    }
  }

  private void end(Call call, String text) {
    String result = text.substring(text.lastIndexOf(" = ") + 3);
    if (result.startsWith("?")) {
      return; // The process ended first.
    }
    int end = 1;
    while (end < result.length() && Character.isDigit(result.charAt(end))) {
      end++;
    }
    call.result = Long.parseLong(result.substring(0, end));
    if (end < result.length() && result.charAt(end) == '<') {
      call.opened = text(result.substring(end + 1, result.indexOf('>', end)));
    }
    events.add(new Event(call, true));
  }

  private static Call parse(String name, String arguments) {
    String path = "";
    ByteArrayOutputStream data = new ByteArrayOutputStream();
    List<String> words = new ArrayList<>();
    StringBuilder word = new StringBuilder();
    for (int at = 0; at < arguments.length(); at++) {
      char c = arguments.charAt(at);
      if (c == '"') {
        int end = arguments.indexOf('"', at + 1);
        data.writeBytes(bytes(arguments.substring(at + 1, end)));
        at = end;
      } else if (c == '<' && path.isEmpty()) {
        int end = arguments.indexOf('>', at);
        path = text(arguments.substring(at + 1, end));
        at = end;
      } else if (c == ',' || c == ')') {
        add(words, word);
      } else if (c != ' ') {
        word.append(c);
      }
    }
    add(words, word);
    return new Call(name, path, data.toByteArray(), words);
  }

  private static void add(List<String> words, StringBuilder word) {
    if (!word.isEmpty()) {
      words.add(word.toString());
      word.setLength(0);
    }
  }

  private static String text(String hex) {
    return new String(bytes(hex), StandardCharsets.UTF_8);
  }

  /** Strace's {@code \x2f\x61}; what is not in this form is taken as it is. */
  private static byte[] bytes(String hex) {
    if (!hex.startsWith("\\x")) {
      return hex.getBytes(StandardCharsets.UTF_8);
    }
    byte[] bytes = new byte[hex.length() / 4];
    for (int i = 0; i < bytes.length; i++) {
      int high = Character.digit(hex.charAt(4 * i + 2), 16);
      int low = Character.digit(hex.charAt(4 * i + 3), 16);
      bytes[i] = (byte) (high << 4 | low);
    }
    return bytes;
  }

  /** The same story without one call. */
  static List<Event> without(List<Event> events, Call call) {
    return events.stream().filter(event -> event.call() != call).toList();
  }

  /** The same story, but one call begins just before another one does. */
  static List<Event> moved(List<Event> events, Call call, Call before) {
    List<Event> moved = new ArrayList<>();
    for (Event event : events) {
      if (event.call() == before && !event.isEnd()) {
        moved.add(new Event(call, false));
      }
      if (event.call() != call || event.isEnd()) {
        moved.add(event);
      }
    }
    return moved;
  }

  /** The last call that fits of those that had ended when another one began; there is one. */
  static Call lastBefore(List<Event> events, Call call, Predicate<Call> fits) {
    return events.stream()
        .takeWhile(event -> event.call() != call)
        .filter(event -> event.isEnd() && fits.test(event.call()))
        .reduce((earlier, later) -> later)
        .orElseThrow(() -> new AssertionError("nothing fits before " + call))
        .call();
  }
}
