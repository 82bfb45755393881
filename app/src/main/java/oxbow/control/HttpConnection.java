package oxbow.control;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.config.Http1Config;
import org.apache.hc.core5.http.impl.io.DefaultBHttpServerConnection;
import org.apache.hc.core5.http.impl.io.HttpService;
import org.apache.hc.core5.http.io.support.BasicHttpServerExpectationDecorator;
import org.apache.hc.core5.http.protocol.HttpCoreContext;
import org.apache.hc.core5.http.protocol.HttpProcessor;
import org.apache.hc.core5.http.protocol.HttpProcessorBuilder;
import org.apache.hc.core5.http.protocol.RequestValidateHost;
import org.apache.hc.core5.http.protocol.ResponseConnControl;
import org.apache.hc.core5.http.protocol.ResponseContent;
import org.apache.hc.core5.http.protocol.ResponseDate;
import org.apache.hc.core5.util.Timeout;
import oxbow.console.UserException;

/**
 * One peer and its requests, one after the other. Brings all of HTTP with it, so it is not touched
 * before somebody connects: most processes are never asked anything.
 */
final class HttpConnection {
  private static final Timeout IDLE = Timeout.of(5, TimeUnit.MINUTES);

  /** Between two pieces of a request that has begun. */
  private static final Timeout HALF_SENT = Timeout.of(10, TimeUnit.SECONDS);

  private static final Http1Config LIMITS =
      Http1Config.custom().setMaxLineLength(8192).setMaxHeaderCount(64).build();

  private static final HttpProcessor PROCESSOR =
      HttpProcessorBuilder.create()
          .add(new RequestValidateHost())
          .add(new ResponseDate())
          .add(new ResponseContent())
          .add(new ResponseConnControl())
          .build();

  private HttpConnection() {}

  /**
   * Answers all requests of a peer. Blocks until it hangs up, is silent for too long, or sends what
   * is no HTTP.
   *
   * @param faults takes a line about each fault in the program
   * @param isClosed whether the server is
   * @param answering counts this peer's request while it is answered
   * @throws IOException when the connection breaks
   */
  static void serve(
      ChannelSocket socket,
      Routes routes,
      Consumer<String> faults,
      BooleanSupplier isClosed,
      Answering answering)
      throws IOException {
    DefaultBHttpServerConnection connection = new DefaultBHttpServerConnection("http", LIMITS);
    connection.bind(socket);
    BooleanSupplier isGone = () -> isGone(connection);
    BooleanSupplier isAbandoned = () -> isClosed.getAsBoolean() || isGone(connection);
    Service service = new Service(new HttpAnswers(routes, faults, isGone, isAbandoned));
    try (connection) {
      while (connection.isOpen() && connection.isDataAvailable(IDLE)) {
        connection.setSocketTimeout(HALF_SENT);
        answering.begin();
        try {
          service.handleRequest(connection, HttpCoreContext.create());
        } finally {
          answering.end();
        }
      }
    } catch (HttpException noHttp) {
      throw new IOException(noHttp);
    }
  }

  /** What the peer has sent meanwhile is kept. */
  private static boolean isGone(DefaultBHttpServerConnection connection) {
    try {
      return connection.isStale();
    } catch (IOException broken) {
      return true;
    }
  }

  /** Tells what is wrong with HTTP itself in the same way as all other errors. */
  private static final class Service extends HttpService {
    Service(HttpAnswers answers) {
      super(PROCESSOR, new BasicHttpServerExpectationDecorator(answers), LIMITS, null, null);
    }

    @Override
    protected void handleException(HttpException wrong, ClassicHttpResponse response) {
      response.setCode(toStatusCode(wrong));
      response.setEntity(HttpAnswers.error(UserException.reason(wrong)));
    }
  }
}
