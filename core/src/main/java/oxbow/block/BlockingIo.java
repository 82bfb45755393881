package oxbow.block;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * A device as blocking code sees it: metadata, inspection, comparison. Each call returns when the
 * work is done. Never used on an event loop.
 */
public interface BlockingIo {
  String address();

  long sizeBytes();

  /** As {@link BlockDevice#remote}. */
  default @Nullable Remote remote() {
    return null;
  }

  /** Fills {@code into} from its position to its limit; the range must lie within the device. */
  void read(long offsetBytes, ByteBuffer into) throws IOException;

  /** Writes {@code from} from its position to its limit; volatile until {@link #flush}. */
  void write(long offsetBytes, ByteBuffer from) throws IOException;

  /** Makes all completed writes durable. */
  void flush() throws IOException;
}
