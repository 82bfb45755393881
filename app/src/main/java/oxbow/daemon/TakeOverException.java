package oxbow.daemon;

import java.io.IOException;

/** A device that the live table of the same device has for itself, until that is suspended. */
final class TakeOverException extends IOException {
  TakeOverException(String address) {
    super(address + " is in use by the live table");
  }
}
