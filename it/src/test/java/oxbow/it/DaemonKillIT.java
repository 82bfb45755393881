package oxbow.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Aim: whatever the daemon has answered is there after SIGKILL at any moment, and what was under
 * way is there or not, never by half. Method: three {@link DaemonUser}s at a time make, load,
 * suspend, resume, rename, export, write and remove devices of all kinds; the daemon is killed at
 * seeded moments, while it starts too, and started again on the same state; then each user compares
 * what is there, and what is on it, with what was answered.
 *
 * <p>{@code -Doxbow.kills=1000} makes a long run of it.
 */
class DaemonKillIT {
  private static final int USERS = 3;
  private static final int KILLS_PER_LIFE = 9;
  private static final int LONGEST_SPELL_ACTS = 120;
  private static final int LONGEST_ACT_NANOS = 20_000_000;
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @TempDir Path directory;

  private final Map<DaemonUser.Act, Integer> done = new ConcurrentHashMap<>();
  private int kills;

  @Test
  @Timeout(value = 5, unit = TimeUnit.HOURS)
  void whatWasAnsweredSurvivesKillsAtAnyMoment() throws Exception {
    long seed = Long.getLong("oxbow.seed", 7_000L);
    int wanted = Integer.getInteger("oxbow.kills", 25);
    for (long life = seed; kills < wanted; life++) {
      Path home = Files.createDirectory(directory.resolve("d" + life));
      try (TestDaemon daemon = new TestDaemon(home)) {
        new Life(daemon, home, life).live();
      } catch (AssertionError | Exception e) {
        throw new AssertionError(
            ("reproduce with: ./mvnw verify -Dit.test=DaemonKillIT -Doxbow.seed=%d"
                    + " -Doxbow.kills=1%n%s")
                .formatted(life, e),
            e);
      }
    }
    if (wanted >= 25) {
      assertThat(done).containsOnlyKeys(DaemonUser.Act.values());
    }
  }

  /** A state directory from its creation on. */
  private final class Life {
    private final TestDaemon daemon;
    private final Random random;
    private final List<DaemonUser> users = new ArrayList<>();
    private long startNanos;

    Life(TestDaemon daemon, Path home, long seed) throws IOException {
      this.daemon = daemon;
      this.random = new Random(seed);
      List<Path> sockets = List.of(home.resolve("one.nbd"), home.resolve("two.nbd"));
      for (int i = 0; i < USERS; i++) {
        String prefix = Character.toString('a' + i);
        Path files = Files.createDirectory(home.resolve(prefix));
        users.add(new DaemonUser(daemon, prefix, files, sockets, random.nextLong(), done));
      }
    }

    void live() throws Exception {
      for (int kill = 0; kill < KILLS_PER_LIFE; kill++) {
        start();
        check();
        killWhileUsed();
        if (random.nextInt(4) == 0) {
          killWhileItStarts();
        }
      }
      start();
      check();
      assertThat(daemon.server().stop()).as(daemon.server().standardError()).isZero();
      start();
      check();
    }

    private void start() {
      long begun = System.nanoTime();
      daemon.start();
      startNanos = System.nanoTime() - begun;
    }

    private void check() throws Exception {
      try {
        for (DaemonUser user : users) {
          user.assertRestored();
        }
        for (DaemonUser user : users) {
          user.mend();
        }
      } catch (AssertionError | Exception e) {
        throw wrong("after", e);
      }
    }

    private void killWhileItStarts() {
      Server started = daemon.launch();
      LockSupport.parkNanos((long) (startNanos * (0.3 + 0.8 * random.nextDouble())));
      started.kill();
      kills++;
    }

    /** The users go on until they find the daemon gone. */
    private void killWhileUsed() throws InterruptedException {
      CountDownLatch left = new CountDownLatch(1 + random.nextInt(LONGEST_SPELL_ACTS));
      long lateNanos = random.nextInt(LONGEST_ACT_NANOS);
      AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
      List<Thread> threads = new ArrayList<>();
      for (DaemonUser user : users) {
        threads.add(Thread.ofPlatform().start(() -> use(user, left, failure)));
      }
      boolean isInTime = left.await(PATIENCE.toSeconds(), TimeUnit.SECONDS);
      LockSupport.parkNanos(lateNanos);
      daemon.server().kill();
      kills++;
      for (Thread thread : threads) {
        thread.join();
      }
      if (failure.get() != null || !isInTime) {
        throw wrong("before", failure.get());
      }
    }

    private AssertionError wrong(String when, @Nullable Throwable why) {
      return new AssertionError(
          "%s kill %d: %s%n%s".formatted(when, kills, why, daemon.server().standardError()), why);
    }

    private void use(
        DaemonUser user, CountDownLatch left, AtomicReference<@Nullable Throwable> failure) {
      try {
        while (failure.get() == null) {
          user.act();
          left.countDown();
        }
      } catch (Throwable wrong) {
        if (left.getCount() > 0 || !(wrong instanceof IOException)) {
          failure.compareAndSet(null, wrong);
        }
      }
      while (failure.get() != null && left.getCount() > 0) {
        left.countDown();
      }
    }
  }
}
