package oxbow.imports;

import java.io.IOException;

/** How long a device is. */
public interface SourceSize {
  /**
   * The size of the device at an address in bytes. Blocks.
   *
   * @throws IOException with one line when it cannot be told
   */
  long bytes(String address) throws IOException;
}
