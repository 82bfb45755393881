import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassFile.ClassHierarchyResolverOption;
import java.lang.classfile.ClassFile.ConstantPoolSharingOption;
import java.lang.classfile.ClassFile.StackMapsOption;
import java.lang.classfile.ClassFileVersion;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassModel;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeTransform;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;

/**
 * Rewrites classes of libraries that were compiled for Java 5 as classes for Java 8; a step of the
 * build. The JVM keeps no class file older than version 50 in an AOT cache (and JDK 25 crashes when
 * a class of ours refers to one while the cache is made), so picocli alone would double the time to
 * start. Nothing changes but the version and the stack maps that newer versions demand. Jars
 * without such classes are left alone.
 *
 * <p>Run as a source file: {@code java ModernizeLibraries.java DIRECTORY}.
 */
final class ModernizeLibraries {
  /** The first version that is verified by stack maps, and so the first one to be cached. */
  private static final int OLDEST_CACHED_VERSION = 50;

  private static final ClassTransform TO_JAVA_8 =
      ClassTransform.dropping(ClassFileVersion.class::isInstance)
          .andThen(
              ClassTransform.endHandler(
                  builder -> builder.withVersion(ClassFile.JAVA_8_VERSION, 0)))
          .andThen(ClassTransform.transformingMethodBodies(CodeTransform.ACCEPT_ALL));

  private ModernizeLibraries() {}

  public static void main(String[] arguments) throws IOException {
    List<Path> jars;
    try (var files = Files.list(Path.of(arguments[0]))) {
      jars = files.filter(file -> file.toString().endsWith(".jar")).toList();
    }
    for (Path jar : jars) {
      if (hasOldClass(jar)) {
        Path modern = Path.of(jar + ".modern");
        rewrite(jar, modern);
        Files.move(modern, jar, StandardCopyOption.REPLACE_EXISTING);
      }
    }
  }

  private static boolean hasOldClass(Path path) throws IOException {
    try (var jar = new JarFile(path.toFile())) {
      for (JarEntry entry : jar.stream().toList()) {
        if (entry.getName().endsWith(".class")) {
          try (var in = jar.getInputStream(entry)) {
            if (isOld(in.readNBytes(8))) {
              return true;
            }
          }
        }
      }
    }
    return false;
  }

  private static void rewrite(Path from, Path to) throws IOException {
    try (var loader = new URLClassLoader(new URL[] {from.toUri().toURL()});
        var jar = new JarFile(from.toFile());
        var out = new JarOutputStream(Files.newOutputStream(to))) {
      ClassFile format =
          ClassFile.of(
              // Without a new pool, methods would be copied as they are.
              ConstantPoolSharingOption.NEW_POOL,
              StackMapsOption.GENERATE_STACK_MAPS,
              ClassHierarchyResolverOption.of(ClassHierarchyResolver.ofResourceParsing(loader)));
      for (JarEntry entry : jar.stream().toList()) {
        JarEntry copy = new JarEntry(entry.getName());
        copy.setTime(entry.getTime());
        out.putNextEntry(copy);
        try (var in = jar.getInputStream(entry)) {
          byte[] bytes = in.readAllBytes();
          boolean old = entry.getName().endsWith(".class") && isOld(bytes);
          out.write(old ? modern(format, bytes) : bytes);
        }
        out.closeEntry();
      }
    }
  }

  private static byte[] modern(ClassFile format, byte[] bytes) {
    ClassModel old = format.parse(bytes);
    return format.transformClass(old, TO_JAVA_8);
  }

  /** Bytes 6 and 7 are the major version. */
  private static boolean isOld(byte[] classFile) {
    return ((classFile[6] & 0xFF) << 8 | classFile[7] & 0xFF) < OLDEST_CACHED_VERSION;
  }
}
