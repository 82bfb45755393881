package oxbow.control;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.function.BooleanSupplier;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.io.entity.AbstractHttpEntity;

/** A stream of events as the body of an answer; closing it closes their source. */
final class EventEntity extends AbstractHttpEntity {
  private final EventSource source;
  private final BooleanSupplier isAbandoned;

  EventEntity(EventSource source, BooleanSupplier isAbandoned) {
    super(ContentType.create(EventStream.CONTENT_TYPE), null, true);
    this.source = source;
    this.isAbandoned = isAbandoned;
  }

  @Override
  public void writeTo(OutputStream to) throws IOException {
    EventStream.write(source, to, isAbandoned, EventStream.HEARTBEAT);
  }

  @Override
  public boolean isStreaming() {
    return true;
  }

  /** Not known before the end. */
  @Override
  public long getContentLength() {
    return -1;
  }

  @Override
  public InputStream getContent() {
    throw new UnsupportedOperationException("events are written as they come");
  }

  @Override
  public void close() {
    source.close();
  }
}
