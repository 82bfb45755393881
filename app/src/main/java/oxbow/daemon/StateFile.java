package oxbow.daemon;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import oxbow.console.Json;
import oxbow.console.UserException;
import oxbow.control.ControlDirectory;
import oxbow.control.ControlException;

/**
 * What the daemon remembers: one file in its state directory, replaced as a whole. A crash leaves
 * the old one or the new one; one that is not understood is never overwritten. The directory is
 * locked for as long as it is open.
 */
final class StateFile implements AutoCloseable {
  /**
   * A device as it is remembered.
   *
   * @param table the live one; null for none
   * @param inactive the other one; null for none
   */
  record Entry(
      String name,
      boolean isReadOnly,
      boolean isSuspended,
      @Nullable TableText table,
      @Nullable TableText inactive,
      List<ExportOrder> exports) {
    /** The same with other texts of the tables. */
    Entry with(UnaryOperator<TableText> rewriting) {
      return new Entry(
          name,
          isReadOnly,
          isSuspended,
          table == null ? null : rewriting.apply(table),
          inactive == null ? null : rewriting.apply(inactive),
          exports);
    }
  }

  private static final long VERSION = 1;
  private static final String WHAT = "daemon: state";

  private final Path directory;
  private final Path file;
  private final FileChannel lockFile;

  private StateFile(Path directory, FileChannel lockFile) {
    this.directory = directory;
    this.file = directory.resolve("devices.json");
    this.lockFile = lockFile;
  }

  /** Locks a directory, which is created if it does not exist. Blocks. */
  static StateFile open(Path directory) throws UserException {
    try {
      Files.createDirectories(
          directory,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      FileChannel channel =
          FileChannel.open(
              directory.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      FileLock lock = channel.tryLock();
      if (lock == null) {
        channel.close();
        throw UserException.failed(WHAT, directory + " is in use by another daemon")
            .advise("--state chooses another directory.");
      }
      return new StateFile(directory, channel);
    } catch (IOException failed) {
      throw UserException.failed(WHAT, failed).advise("--state chooses another directory.");
    }
  }

  /** All devices that are remembered. Blocks. */
  List<Entry> load() throws UserException {
    try {
      Map<String, @Nullable Object> state = Json.object(Files.readString(file));
      if (!Long.valueOf(VERSION).equals(state.get("version"))) {
        throw new IOException("version " + state.get("version") + " is not understood");
      }
      List<Entry> entries = new ArrayList<>();
      Set<String> names = new HashSet<>();
      for (Map<?, ?> each : objects(state.get("devices"))) {
        Entry entry = entry(each);
        if (!ControlDirectory.isName(entry.name()) || !names.add(entry.name())) {
          throw new IOException("no device can have the name " + entry.name());
        }
        entries.add(entry);
      }
      return entries;
    } catch (NoSuchFileException first) {
      return List.of();
    } catch (CharacterCodingException noText) {
      throw damaged("not a text in UTF-8");
    } catch (IOException | ControlException | RuntimeException damaged) {
      throw damaged(UserException.reason(damaged));
    }
  }

  private UserException damaged(String why) {
    return UserException.failed(WHAT + ": " + file, why)
        .advise("Nothing was changed. The file can be mended, or moved away to begin anew.");
  }

  private static List<Map<?, ?>> objects(@Nullable Object list) throws IOException {
    List<Map<?, ?>> objects = new ArrayList<>();
    if (list instanceof List<?> elements) {
      for (Object element : elements) {
        if (!(element instanceof Map<?, ?> object)) {
          throw new IOException("not a list of objects");
        }
        objects.add(object);
      }
      return objects;
    }
    throw new IOException("a list is missing");
  }

  private static Entry entry(Map<?, ?> json) throws IOException, ControlException {
    List<ExportOrder> exports = new ArrayList<>();
    for (Map<?, ?> each : objects(json.get("exports"))) {
      exports.add(
          new ExportOrder(
              text(each, "listen"),
              optionalText(each, "exportName"),
              flag(each, "readOnly"),
              flag(each, "default"),
              ExportOrder.limits(
                  number(each, "maxConnections"),
                  number(each, "maxRequests"),
                  number(each, "maxBytes"))));
    }
    return new Entry(
        text(json, "name"),
        flag(json, "readOnly"),
        flag(json, "suspended"),
        table(json, "table"),
        table(json, "inactive"),
        exports);
  }

  private static @Nullable TableText table(Map<?, ?> json, String field)
      throws IOException, ControlException {
    String text = optionalText(json, field);
    return text == null ? null : TableText.parse(text);
  }

  private static String text(Map<?, ?> json, String field) throws IOException {
    String text = optionalText(json, field);
    if (text == null) {
      throw new IOException(field + " is missing");
    }
    return text;
  }

  private static @Nullable String optionalText(Map<?, ?> json, String field) throws IOException {
    Object value = json.get(field);
    if (value == null || value instanceof String) {
      return (String) value;
    }
    throw new IOException(field + " is not a string");
  }

  private static boolean flag(Map<?, ?> json, String field) throws IOException {
    if (json.get(field) instanceof Boolean flag) {
      return flag;
    }
    throw new IOException(field + " is not true or false");
  }

  private static long number(Map<?, ?> json, String field) throws IOException {
    Object value = json.get(field);
    if (value == null || value instanceof Long) {
      return value == null ? 0 : (Long) value;
    }
    throw new IOException(field + " is not a number");
  }

  /** Replaces what is remembered, durably. Blocks. */
  void save(List<Entry> entries) throws IOException {
    Map<String, @Nullable Object> state = new LinkedHashMap<>();
    state.put("version", VERSION);
    state.put("devices", entries.stream().map(StateFile::json).toList());
    Path fresh = directory.resolve("devices.json.new");
    try (FileChannel channel =
        FileChannel.open(
            fresh,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE)) {
      ByteBuffer bytes = ByteBuffer.wrap(Json.line(state).getBytes(StandardCharsets.UTF_8));
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
      channel.force(true);
    }
    Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    try (FileChannel names = FileChannel.open(directory, StandardOpenOption.READ)) {
      names.force(true);
    }
  }

  private static Map<String, @Nullable Object> json(Entry entry) {
    Map<String, @Nullable Object> json = new LinkedHashMap<>();
    json.put("name", entry.name());
    json.put("readOnly", entry.isReadOnly());
    json.put("suspended", entry.isSuspended());
    json.put("table", entry.table() == null ? null : entry.table().toString());
    json.put("inactive", entry.inactive() == null ? null : entry.inactive().toString());
    json.put("exports", entry.exports().stream().map(ExportOrder::toJson).toList());
    return json;
  }

  /** Unlocks the directory. */
  @Override
  public void close() throws IOException {
    lockFile.close();
  }
}
