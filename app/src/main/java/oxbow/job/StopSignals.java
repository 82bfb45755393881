package oxbow.job;

import java.lang.reflect.Proxy;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * SIGTERM and SIGINT while a job runs: the first one asks the job to end well, the second ends the
 * process at once. A shutdown hook cannot tell the two apart, hence the JDK's own signal class; it
 * is reached by name, since it is outside of what the compiler lets a program rely on. Without it
 * the JDK's default stands: the process ends, and what was flushed is safe all the same.
 */
public final class StopSignals implements AutoCloseable {
  /** A process that a signal ended has this plus the signal's number as its exit status. */
  private static final int SIGNALLED = 128;

  private final Runnable first;
  private final AtomicBoolean isStopping = new AtomicBoolean();
  private final Map<Object, Object> handlersBefore = new LinkedHashMap<>();

  private StopSignals(Runnable first) {
    this.first = first;
  }

  /** Runs {@code first} on a thread of its own at the first signal, until closed. */
  public static StopSignals onFirst(Runnable first) {
    StopSignals signals = new StopSignals(first);
    try {
      signals.install();
    } catch (ReflectiveOperationException | IllegalArgumentException unavailable) {
      System.getLogger("oxbow.job")
          .log(System.Logger.Level.DEBUG, "signals keep their default meaning", unavailable);
    }
    return signals;
  }

  private void install() throws ReflectiveOperationException {
    Class<?> signal = Class.forName("sun.misc.Signal");
    Class<?> handler = Class.forName("sun.misc.SignalHandler");
    Object proxy =
        Proxy.newProxyInstance(
            StopSignals.class.getClassLoader(),
            new Class<?>[] {handler},
            (self, method, arguments) -> {
              if (method.getName().equals("handle")) {
                handle((Integer) signal.getMethod("getNumber").invoke(arguments[0]));
                return null;
              }
              return method.invoke(this, arguments);
            });
    for (String name : new String[] {"TERM", "INT"}) {
      Object instance = signal.getConstructor(String.class).newInstance(name);
      Object before = signal.getMethod("handle", signal, handler).invoke(null, instance, proxy);
      handlersBefore.put(instance, before);
    }
  }

  private void handle(int number) {
    if (!isStopping.compareAndSet(false, true)) {
      Runtime.getRuntime().halt(SIGNALLED + number);
    }
    first.run();
  }

  /** Gives signals the meaning that they had before. */
  @Override
  public void close() {
    handlersBefore.forEach(
        (instance, handler) -> {
          try {
            Class<?> type = Class.forName("sun.misc.SignalHandler");
            instance
                .getClass()
                .getMethod("handle", instance.getClass(), type)
                .invoke(null, instance, handler);
          } catch (ReflectiveOperationException impossible) {
            throw new IllegalStateException(impossible);
          }
        });
  }
}
