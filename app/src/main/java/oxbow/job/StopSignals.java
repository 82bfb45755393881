package oxbow.job;

import java.lang.reflect.Proxy;

/**
 * SIGTERM and SIGINT: the first one asks the job to end well, the second ends the process at once. A
 * shutdown hook cannot tell the two apart, hence the JDK's own signal class; it is reached by name,
 * since it is outside of what the compiler lets a program rely on. Without it the JDK's default
 * stands: the process ends, and what was flushed is safe all the same.
 */
public final class StopSignals {
  private static final int SIGNALLED = 128;

  private StopSignals() {}

  /** Runs {@code first} on a thread of its own at the first signal. */
  public static void onFirst(Runnable first) {
    try {
      Class<?> signal = Class.forName("sun.misc.Signal");
      Class<?> handler = Class.forName("sun.misc.SignalHandler");
      boolean[] isStopping = {false};
      Object proxy =
          Proxy.newProxyInstance(
              StopSignals.class.getClassLoader(),
              new Class<?>[] {handler},
              (self, method, arguments) -> {
                if (!method.getName().equals("handle")) {
                  return method.invoke(isStopping, arguments);
                }
                synchronized (isStopping) {
                  if (isStopping[0]) {
                    int number = (Integer) signal.getMethod("getNumber").invoke(arguments[0]);
                    Runtime.getRuntime().halt(SIGNALLED + number);
                  }
                  isStopping[0] = true;
                }
                first.run();
                return null;
              });
      for (String name : new String[] {"TERM", "INT"}) {
        Object instance = signal.getConstructor(String.class).newInstance(name);
        signal.getMethod("handle", signal, handler).invoke(null, instance, proxy);
      }
    } catch (ReflectiveOperationException | IllegalArgumentException unavailable) {
      System.getLogger("oxbow.job")
          .log(System.Logger.Level.DEBUG, "signals keep their default meaning", unavailable);
    }
  }
}
