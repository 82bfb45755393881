package oxbow.daemon;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What a daemon is asked to be.
 *
 * @param control of the socket; null for the usual place
 * @param state the directory that it remembers in; null for the usual place
 * @param metrics where Prometheus may ask without a socket; null for nowhere
 * @param isListingAllowed whether clients may ask which exports there are
 * @param isInsecure whether addresses that other machines reach may be listened on
 */
public record DaemonOrder(
    @Nullable Path control,
    @Nullable Path state,
    @Nullable String metrics,
    boolean isListingAllowed,
    boolean isInsecure) {}
