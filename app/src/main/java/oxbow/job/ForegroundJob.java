package oxbow.job;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import oxbow.console.Console;
import oxbow.console.UserException;
import oxbow.mapped.MappedDevice;

/**
 * What the jobs of foreground commands have in common: a signal ends them in order, events of their
 * devices are told and wake them, and what they have open is closed whatever happens. Used once.
 */
abstract class ForegroundJob {
  private final String command;
  private final Console console;
  private final Consumer<String> ready;
  private final WarningFilter warnings = new WarningFilter();
  private final LinkedBlockingQueue<Wakeup> wakeups = new LinkedBlockingQueue<>();

  /** Why a job looks up from waiting. */
  enum Wakeup {
    STOP,
    DEVICE_EVENT,
    /** Work on a thread of the job's own has ended. */
    WORK_ENDED
  }

  /**
   * @param command the word on the command line
   * @param ready takes each URI under which a device is served, once it is; must not block
   */
  ForegroundJob(String command, Console console, Consumer<String> ready) {
    this.command = command;
    this.console = console;
    this.ready = ready;
  }

  /** Ends the job in order, as a signal does; from any thread. */
  public final void stop() {
    wakeups.add(Wakeup.STOP);
  }

  /**
   * Runs until a signal, or until the job is done. Blocks.
   *
   * @return the exit status
   */
  public final int run() throws UserException, IOException, InterruptedException {
    StopSignals signals = StopSignals.onFirst(this::stop);
    try (signals;
        DeviceOpener opener = new DeviceOpener(console::say);
        DeviceStack devices = new DeviceStack(command, opener)) {
      return run(devices);
    }
  }

  /**
   * The job itself.
   *
   * @param devices closed after it, unless it closes them itself
   */
  abstract int run(DeviceStack devices) throws UserException, IOException, InterruptedException;

  final Console console() {
    return console;
  }

  /** Tells the URIs of a service, now that its device may be used. */
  final void tellReady(List<String> uris) {
    uris.forEach(ready);
  }

  /** Has the job look up; from any thread. */
  final void wake(Wakeup why) {
    wakeups.add(why);
  }

  /** Waits until there is a reason to look up. */
  final Wakeup await() throws InterruptedException {
    return wakeups.take();
  }

  /** The same, but not for longer; null when there is no reason by then. */
  final @Nullable Wakeup await(long nanos) throws InterruptedException {
    return wakeups.poll(nanos, TimeUnit.NANOSECONDS);
  }

  /**
   * Tells the user what happens to a device, and wakes the job when it is an event.
   *
   * @param device stands in front where a job has several devices; null where there is but one
   */
  final MappedDevice.Listener listenerOf(@Nullable String device) {
    String before = device == null ? "" : device + ": ";
    return new MappedDevice.Listener() {
      @Override
      public void event(long number, String why) {
        Map<String, Object> fields = fields();
        fields.put("number", number);
        fields.put("why", why);
        console.event("event", fields, before + "event " + number + ": " + why);
        wakeups.add(Wakeup.DEVICE_EVENT);
      }

      @Override
      public void warning(String what) {
        String shown = warnings.show(before + what);
        if (!shown.isEmpty()) {
          Map<String, Object> fields = fields();
          fields.put("what", what);
          console.event("warning", fields, "warning: " + shown);
        }
      }

      private Map<String, Object> fields() {
        Map<String, Object> fields = new LinkedHashMap<>();
        if (device != null) {
          fields.put("name", device);
        }
        return fields;
      }
    };
  }

  /**
   * The orderly end: clients are answered and sent away, then the devices wait for what is in
   * flight, and commit. Blocks.
   *
   * @throws UserException when something does not end
   */
  final void quiesce(DeviceStack devices, List<DeviceService> services)
      throws UserException, IOException {
    devices.holdNoLonger();
    boolean isDrained = true;
    for (DeviceService service : services) {
      isDrained &= service.drain();
    }
    boolean isSuspended = devices.suspend();
    if (!isDrained || !isSuspended) {
      throw UserException.failed(command, "a device did not answer; what was flushed is safe");
    }
  }
}
