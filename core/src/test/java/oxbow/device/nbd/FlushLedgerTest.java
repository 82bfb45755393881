package oxbow.device.nbd;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * Aim: a flush never claims writes that a restarted server may have lost. Method: short scripts.
 */
class FlushLedgerTest {
  private final FlushLedger ledger = new FlushLedger();

  @Test
  @DisplayName(
      "F1: a connection that opened after an unflushed write was answered carries no flush")
  void aNewConnectionCarriesNoFlushForOldWrites() {
    long early = ledger.mark();
    ledger.writeAnswered();
    long late = ledger.mark();

    assertThat(ledger.mayCarryFlush(early)).isTrue();
    assertThat(ledger.mayCarryFlush(late)).isFalse();
  }

  @Test
  @DisplayName("F1: once the old writes are flushed, the new connection is as good as the others")
  void aFlushOfTheOldWritesMakesTheNewConnectionACarrier() {
    ledger.writeAnswered();
    long late = ledger.mark();
    ledger.flushAnswered(ledger.mark());

    assertThat(ledger.mayCarryFlush(late)).isTrue();
  }

  @Test
  @DisplayName("F1: writes answered while the flush was under way still count as unflushed")
  void aFlushDoesNotCoverWhatWasAnsweredAfterItWasSent() {
    long sentAt = ledger.mark();
    ledger.writeAnswered();
    ledger.flushAnswered(sentAt);

    assertThat(ledger.mayCarryFlush(ledger.mark())).isFalse();
  }

  @Test
  @DisplayName("F2: without unflushed writes a loss is harmless")
  void lossWithoutUnflushedWritesIsHarmless() {
    ledger.writeAnswered();
    ledger.flushAnswered(ledger.mark());
    ledger.carriersLost();

    assertThat(ledger.isLost()).isFalse();
  }

  @Test
  @DisplayName("F2: lost writes stay lost, whatever is answered later")
  void lossIsForGood() {
    ledger.writeAnswered();
    ledger.carriersLost();
    ledger.flushAnswered(ledger.mark());

    assertThat(ledger.isLost()).isTrue();
  }
}
