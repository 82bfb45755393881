package oxbow.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import oxbow.block.BlockRequest;
import oxbow.block.Errno;
import oxbow.block.Flags;
import oxbow.block.Operation;

/** Aim: every request runs once, none waits for a thread that waits for it, and closing drains. */
class WorkerDiskPoolTest {
  private static final long TIMEOUT_SECONDS = 30;

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(TIMEOUT_SECONDS, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private static BlockRequest request(int flags, CountDownLatch ended) {
    return new BlockRequest()
        .range(Operation.CACHE, 0, 0, flags, (request, errno) -> ended.countDown());
  }

  /** Work that does nothing but complete, and says so. */
  private static final DiskPool.Work COMPLETE =
      new DiskPool.Work() {
        @Override
        public void execute(BlockRequest request) {
          request.complete(Errno.OK);
        }

        @Override
        public boolean mayWaitForRequests() {
          return false;
        }
      };

  @Test
  void everyRequestRunsOnceOnAThreadOfThePool() {
    int requests = 20_000;
    CountDownLatch ended = new CountDownLatch(requests);
    AtomicInteger runs = new AtomicInteger();
    try (WorkerDiskPool pool = new WorkerDiskPool(4)) {
      assertThat(pool.isCurrent()).isFalse();
      AtomicInteger elsewhere = new AtomicInteger();
      for (int i = 0; i < requests; i++) {
        pool.submit(
            request(i % 2 == 0 ? Flags.BULK : 0, ended),
            queued -> {
              runs.incrementAndGet();
              elsewhere.addAndGet(pool.isCurrent() ? 0 : 1);
              queued.complete(Errno.OK);
            });
      }
      await(ended);
      assertThat(runs.get()).isEqualTo(requests);
      assertThat(elsewhere.get()).isZero();
    }
  }

  @Test
  void closingLetsEverythingQueuedBeDoneAndRefusesTheRest() {
    int requests = 1000;
    CountDownLatch ended = new CountDownLatch(requests);
    WorkerDiskPool pool = new WorkerDiskPool(2);
    CountDownLatch mayRun = new CountDownLatch(1);
    for (int i = 0; i < requests; i++) {
      pool.submit(
          request(i % 3 == 0 ? Flags.BULK : 0, ended),
          queued -> {
            await(mayRun);
            queued.complete(Errno.OK);
          });
    }
    mayRun.countDown();
    pool.close();
    assertThat(ended.getCount()).isZero();
    CompletableFuture<Integer> late = new CompletableFuture<>();
    pool.submit(new BlockRequest().flush((request, errno) -> late.complete(errno)), COMPLETE);
    assertThat(late).isCompletedWithValue(Errno.ESHUTDOWN);
  }

  @Test
  void bulkRequestsLeaveThreadsForWhatUsersWaitFor() {
    int threads = 6;
    CountDownLatch mayEnd = new CountDownLatch(1);
    CountDownLatch bulkEnded = new CountDownLatch(20);
    try (WorkerDiskPool pool = new WorkerDiskPool(threads)) {
      for (int i = 0; i < 20; i++) {
        pool.submit(
            request(Flags.BULK, bulkEnded),
            queued -> {
              await(mayEnd);
              queued.complete(Errno.OK);
            });
      }
      CountDownLatch prompt = new CountDownLatch(100);
      for (int i = 0; i < 100; i++) {
        pool.submit(request(0, prompt), COMPLETE);
      }
      await(prompt);
      assertThat(bulkEnded.getCount()).isEqualTo(20);
      mayEnd.countDown();
      await(bulkEnded);
    }
  }

  @Test
  void workThatWaitsForItsOwnRequestsIsNotLeftWaitingForAThread() {
    int outer = 4;
    CountDownLatch ended = new CountDownLatch(outer);
    CountDownLatch allRun = new CountDownLatch(2);
    try (WorkerDiskPool pool = new WorkerDiskPool(2)) {
      for (int i = 0; i < outer; i++) {
        pool.submit(
            request(0, ended),
            queued -> {
              allRun.countDown();
              await(allRun); // Now every thread of the pool is inside of such work.
              CountDownLatch inner = new CountDownLatch(1);
              pool.submit(request(0, inner), COMPLETE);
              await(inner);
              queued.complete(Errno.OK);
            });
      }
      await(ended);
    }
  }

  @Test
  void whatACompletionSubmitsIsQueuedAndDoesNotGrowTheStack() {
    int links = 100_000;
    CountDownLatch end = new CountDownLatch(1);
    try (WorkerDiskPool pool = new WorkerDiskPool(1)) {
      new Object() {
        private int left = links;

        private void next(BlockRequest request, int errno) {
          if (left-- == 0) {
            end.countDown();
          } else {
            pool.submit(request.range(Operation.CACHE, 0, 0, 0, this::next), COMPLETE);
          }
        }
      }.next(new BlockRequest(), Errno.OK);
      await(end);
    }
  }

  @Test
  void aThreadSurvivesWorkThatThrows() {
    CountDownLatch ended = new CountDownLatch(1);
    CompletableFuture<Throwable> thrown = new CompletableFuture<>();
    Thread.UncaughtExceptionHandler before = Thread.getDefaultUncaughtExceptionHandler();
    Thread.setDefaultUncaughtExceptionHandler((thread, failure) -> thrown.complete(failure));
    try (WorkerDiskPool pool = new WorkerDiskPool(1)) {
      pool.submit(
          request(0, ended),
          queued -> {
            throw new IllegalStateException("broken");
          });
      pool.submit(request(0, ended), COMPLETE);
      await(ended);
      assertThat(thrown.join()).hasMessage("broken");
    } finally {
      Thread.setDefaultUncaughtExceptionHandler(before);
    }
  }

  @Test
  void aPoolCannotWaitForItsOwnThread() {
    WorkerDiskPool pool = new WorkerDiskPool(1);
    CompletableFuture<Boolean> refused = new CompletableFuture<>();
    pool.submit(
        request(0, new CountDownLatch(1)),
        queued -> {
          try {
            pool.close();
            refused.complete(false);
          } catch (IllegalStateException e) {
            refused.complete(true);
          }
        });
    assertThat(refused.join()).isTrue();
    pool.close();
  }

  @Test
  void aPoolWithoutThreadsIsRefused() {
    assertThatThrownBy(() -> new WorkerDiskPool(0)).isInstanceOf(IllegalArgumentException.class);
  }
}
