package oxbow.job;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import oxbow.block.BlockDevice;
import oxbow.block.Sectors;
import oxbow.device.Address;
import oxbow.engine.Engine;
import oxbow.mapped.Layer;
import oxbow.mapped.MappedDevice;
import oxbow.target.Target;
import oxbow.target.TargetDevices;
import oxbow.target.TargetException;
import oxbow.target.delay.DelayArgs;
import oxbow.target.flakey.FlakeyArgs;
import oxbow.targets.TargetTypes;

/**
 * Addresses whose device is a target over another: the words between the colons become the words of
 * a table line over the whole of the device below.
 */
final class Layers {
  private static final String ERROR = "error";

  private final TargetTypes types;
  private final Consumer<String> log;

  /**
   * @param log takes the devices' events and warnings; any thread
   */
  Layers(TargetTypes types, Consumer<String> log) {
    this.types = types;
    this.log = log;
  }

  /** The words of the table line over a device called by its address. */
  static List<String> words(Address.Layered address) {
    String below = address.below().text();
    List<String> given = List.of(address.arguments().split(",", -1));
    List<String> words = new ArrayList<>();
    switch (address.target()) {
      case DELAY -> given.forEach(millis -> words.addAll(List.of(below, "0", millis)));
      case FLAKEY -> {
        words.addAll(List.of(below, "0"));
        words.addAll(given.subList(0, Math.min(2, given.size())));
        if (given.size() > 2) {
          words.add(Integer.toString(given.size() - 2));
          words.addAll(given.subList(2, given.size()));
        }
      }
      case LOG_WRITES -> words.addAll(List.of(below, address.arguments()));
    }
    return words;
  }

  /**
   * Looks at the words of all layers without opening anything.
   *
   * @throws IllegalArgumentException with one line for the user
   */
  static void check(Address address) {
    if (!(address instanceof Address.Layered layered)) {
      return;
    }
    try {
      switch (layered.target()) {
        case DELAY -> DelayArgs.parse(words(layered));
        case FLAKEY -> FlakeyArgs.parse(words(layered));
        case LOG_WRITES -> {
          if (layered.arguments().equals(layered.below().text())) {
            throw new TargetException("the log and the device are one");
          }
        }
      }
    } catch (TargetException wrong) {
      throw new IllegalArgumentException(layered.text() + ": " + wrong.getMessage(), wrong);
    }
    check(layered.below());
  }

  /**
   * Puts the target over a device.
   *
   * @param below closed with what is returned; not closed if this fails
   * @param others opens what else the words name
   */
  Layer open(Address.Layered address, BlockDevice below, TargetDevices others, Engine engine)
      throws IOException {
    TargetDevices devices =
        (name, isWritable) ->
            name.equals(address.below().text()) ? below : others.open(name, isWritable);
    String name = address.target().word();
    return layer(
        address.text(), name, below.sizeBytes(), words(address), devices, List.of(below), engine);
  }

  /** The device on which everything fails. */
  Layer failing(Address.Failing address, Engine engine) throws IOException {
    TargetDevices none =
        (name, isWritable) -> {
          throw new IOException(name + ": no device is needed");
        };
    return layer(address.text(), ERROR, address.sizeBytes(), List.of(), none, List.of(), engine);
  }

  private Layer layer(
      String text,
      String type,
      long lengthBytes,
      List<String> words,
      TargetDevices devices,
      List<BlockDevice> below,
      Engine engine)
      throws IOException {
    try {
      Target target =
          types.find(type).orElseThrow().construct(Sectors.fromBytes(lengthBytes), words, devices);
      MappedDevice mapped =
          new MappedDevice(text, target, engine.nextLoop(), engine.blocking(), listener(text));
      return new Layer(text, mapped, below);
    } catch (TargetException refused) {
      throw new IOException(text + ": " + refused.getMessage(), refused);
    }
  }

  private MappedDevice.Listener listener(String text) {
    return new MappedDevice.Listener() {
      @Override
      public void event(long number, String why) {
        log.accept(text + ": event " + number + ": " + why);
      }

      @Override
      public void warning(String what) {
        log.accept(text + ": " + what);
      }
    };
  }
}
