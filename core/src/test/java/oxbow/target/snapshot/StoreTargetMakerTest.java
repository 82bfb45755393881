package oxbow.target.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import oxbow.block.BlockDevice;
import oxbow.block.Sectors;
import oxbow.device.mem.MemDevice;
import oxbow.target.Target;
import oxbow.target.TargetException;
import oxbow.target.TargetType;
import oxbow.targets.TargetTypes;

/** Aim: devices are opened for what will be done to them. */
class StoreTargetMakerTest {
  private static final int SIZE = 1 << 20;

  private final BlockDevice origin = new MemDevice(SIZE);
  private final BlockDevice store = new MemDevice(SIZE);
  private final List<String> opened = new ArrayList<>();

  private BlockDevice open(String address, boolean isWritable) {
    opened.add(address + (isWritable ? " rw" : " ro"));
    return address.equals("origin") ? origin : store;
  }

  @ParameterizedTest
  @CsvSource({
    "snapshot, P 8, ro",
    "snapshot, P 8 1 discard_zeroes_cow, ro",
    "snapshot, P 8 2 discard_zeroes_cow discard_passdown_origin, rw",
    "snapshot, P 8 2 Discard_Passdown_Origin DISCARD_ZEROES_COW, rw",
    "snapshot-merge, P 8, rw",
  })
  @DisplayName("C4 C6 D3: the origin is opened for writing by whoever writes or discards there")
  void theOriginIsOpenedForWhatIsDoneToIt(String type, String tail, String mode)
      throws TargetException {
    TargetType made = new TargetTypes().find(type).orElseThrow();
    List<String> words = new ArrayList<>(List.of("origin", "store"));
    words.addAll(List.of(tail.split(" ")));
    try (Target target = made.construct(Sectors.fromBytes(SIZE), words, this::open)) {
      assertThat(target.devices()).containsExactly(origin, store);
    }
    assertThat(opened).containsExactly("origin " + mode, "store rw");
  }
}
