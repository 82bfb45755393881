package oxbow.nbd.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import oxbow.block.BlockRequest;
import oxbow.nbd.wire.Nbd;
import oxbow.nbd.wire.OptionHeader;

/** An export may change its name under its clients, and the empty name may mean any of them. */
class ExportNamesTest extends ServerFixture {
  @Test
  void newNameDoesNotDisturbThoseWhoAreAttached() throws Exception {
    device.holding();
    try (RawClient client = client()) {
      client.request(Nbd.CMD_READ, 0, 1, 0, 512);
      BlockRequest read = device.takeHeld();
      server.rename("disk", "renamed");
      device.carryOut(read);
      assertThat(client.answer(512).error()).isZero();
      assertThat(find("disk")).isEqualTo(Nbd.REP_ERR_UNKNOWN);
      assertThat(find("renamed")).isEqualTo(Nbd.REP_ACK);
      assertThat(server.statistics().getFirst().name()).isEqualTo("renamed");
      assertThat(server.statistics().getFirst().of(RequestKind.READ).requests()).isEqualTo(1);

      server.add(Export.of("disk", new ArenaDevice(4096)));
      assertThat(server.remove("disk", DEADLINE)).isTrue();
      device.letGo();
      assertThat(client.error(Nbd.CMD_FLUSH, 0, 0, 0)).isZero();
      assertThat(server.remove("renamed", DEADLINE)).isTrue();
      assertThat(client.isHungUp()).isTrue();
    }
  }

  @Test
  void limitOfConnectionsGoesOnUnderTheNewName() throws IOException {
    ExportLimits one = ExportLimits.UNLIMITED.withConnections(1);
    server.add(new Export("one", "", device, false, true, one));
    try (RawClient client = RawClient.go(address, "one")) {
      server.rename("one", "uno");
      try (RawClient late = RawClient.connect(address)) {
        late.greet();
        assertThat(late.optionGo("uno")).containsExactly(Nbd.REP_ERR_POLICY);
      }
      assertThat(client.error(Nbd.CMD_FLUSH, 0, 0, 0)).isZero();
    }
  }

  @Test
  void namesThatAreTakenOrUnknownCannotBeUsed() {
    server.add(Export.of("other", device));
    assertThatThrownBy(() -> server.rename("disk", "other")).hasMessageContaining("exists");
    assertThatThrownBy(() -> server.rename("none", "new")).hasMessageContaining("does not exist");
  }

  @Test
  void defaultIsFoundUnderTheEmptyName() throws IOException {
    server.add(Export.of("other", device));
    assertThat(find("")).isEqualTo(Nbd.REP_ERR_UNKNOWN);
    server.setDefault("other");
    assertThat(find("")).isEqualTo(Nbd.REP_ACK);
    server.remove("other", DEADLINE);
    assertThat(find("")).isEqualTo(Nbd.REP_ERR_UNKNOWN);
    server.clearDefault();
    assertThat(find("")).isEqualTo(Nbd.REP_ACK);
  }

  private int find(String name) throws IOException {
    try (RawClient client = RawClient.connect(address)) {
      client.greet();
      return client.optionGo(name).getLast();
    }
  }

  @Test
  void whoHangsUpBeforeItIsToldThatItHasTheExportCountsNoMore() throws Exception {
    byte[] name = "disk".getBytes(StandardCharsets.UTF_8);
    for (int i = 0; i < 200; i++) {
      try (RawClient client = RawClient.connect(address)) {
        client.greet();
        ByteBuffer go = ByteBuffer.allocate(OptionHeader.SIZE_BYTES + 6 + name.length);
        OptionHeader.put(go, 0, Nbd.OPT_GO, 6 + name.length);
        go.position(OptionHeader.SIZE_BYTES).putInt(name.length).put(name).putShort((short) 0);
        client.send(go.flip());
      }
    }
    awaitNoConnections();
    assertThat(server.clientCount("disk")).isZero();
  }
}
