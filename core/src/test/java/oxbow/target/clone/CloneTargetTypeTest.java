package oxbow.target.clone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import oxbow.block.BlockDevice;
import oxbow.block.Limits;
import oxbow.device.Requests;
import oxbow.device.mem.MemDevice;
import oxbow.target.Moment;
import oxbow.target.TargetException;

/**
 * Aim: section 1 of the clone's rules, constructor. Method: tables over devices in memory, with
 * what a kernel 6.1 answered to the same.
 */
class CloneTargetTypeTest {
  private final TestDevices devices = TestDevices.usual();

  private CloneTarget construct(long lengthSectors, String line) throws TargetException {
    List<String> words = line.isEmpty() ? List.of() : List.of(line.split(" "));
    return CloneTargetType.construct(lengthSectors, words, CloneOptions.TABLE, devices);
  }

  private void expectRefusal(long lengthSectors, String line, String sentence) {
    assertThatThrownBy(() -> construct(lengthSectors, line))
        .isInstanceOf(TargetException.class)
        .hasMessageStartingWith(sentence);
  }

  private byte[] bytesOf(String name) {
    BlockDevice device = devices.get(name);
    return Requests.read(device, 0, (int) device.sizeBytes());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "16384|\"\"|Invalid number of arguments",
        "16384|meta|Invalid number of arguments",
        "16384|meta dest source|Invalid number of arguments",
        "16384|nope dest source 8|Error opening metadata device",
        "16384|meta nope source 8|Error opening destination device",
        "16384|meta dest nope 8|Error opening source device",
        "16384|meta dest source 12|Region size is not a power of 2",
        "16384|meta small source 8 1 no_hydration|Device size larger than destination device",
        "16384|meta dest small 8 1 no_hydration|Device size larger than source device",
        "16384|tiny dest source 8 1 no_hydration|Failed to load metadata",
      })
  @DisplayName("C1 C2 C3 C4: what a kernel refuses is refused with its sentence, changing nothing")
  void refusalsAreTheKernelsAndChangeNothing(long lengthSectors, String line, String sentence) {
    expectRefusal(lengthSectors, line, sentence);
    assertThat(bytesOf("meta")).containsOnly(0);
    assertThat(bytesOf("tiny")).containsOnly(0);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "nope nope nope 7 9 x|Error opening metadata device",
        "meta nope nope 7 9 x|Error opening destination device",
        "meta small nope 7 9 x|Device size larger than destination device",
        "meta dest nope 7 9 x|Error opening source device",
        "meta dest small 7 9 x|Device size larger than source device",
        "meta dest source 7 9 x|Invalid region size",
        "meta dest source 8 9 x|Invalid number of feature arguments",
        "meta dest source 8 0 9|Invalid number of core arguments",
        "foreign dest source 8 0 9|Invalid number of core arguments",
        "foreign dest source 8 0 0|Failed to load metadata",
      })
  @DisplayName("C2: metadata device, destination, source, region size, features, core, metadata")
  void checksComeInTheKernelsOrder(String line, String sentence) {
    devices.add("foreign", foreign("a letter to a friend"));
    expectRefusal(16384, line, sentence);
  }

  private static BlockDevice foreign(String text) {
    MemDevice device = new MemDevice(4 << 20);
    Requests.write(device, 0, text.getBytes(StandardCharsets.US_ASCII));
    return device;
  }

  @Test
  @DisplayName("C3: longer devices are fine, and so is the same device in two places")
  void longerDevicesAreFine() throws TargetException {
    construct(8192, "meta small source 8 1 no_hydration").close();
    devices.addSectors("meta", 8192);
    construct(8192, "meta dest source 8 1 no_hydration").close();
    devices.addSectors("meta", 8192);
    construct(16383, "meta dest dest 8 1 no_hydration").close();
  }

  @Test
  @DisplayName("C2 C4: a region is a multiple of the devices' blocks; said before the features")
  void aRegionIsAMultipleOfTheDevicesBlocks() throws TargetException {
    Limits blocks = new Limits(false, 8192, true, Long.MAX_VALUE, true, true, true);
    for (String role : List.of("dest", "source")) {
      TestDevices fresh = TestDevices.usual();
      fresh.add(role, TestDevices.limited(fresh.get(role), blocks));
      for (String rest : List.of("8", "8 9 x", "8 0 9")) {
        List<String> words = List.of(("meta dest source " + rest).split(" "));
        assertThatThrownBy(() -> CloneTargetType.construct(16384, words, CloneOptions.TABLE, fresh))
            .isInstanceOf(TargetException.class)
            .hasMessageStartingWith("Region size is not a multiple of device logical block size");
      }
      List<String> words = List.of("meta", "dest", "source", "16");
      CloneTargetType.construct(16384, words, CloneOptions.TABLE, fresh).close();
    }
  }

  @Test
  @DisplayName("C5: 2^31 regions are possible, one more is not")
  void moreThanTwoToThe31RegionsAreRefused() throws Exception {
    long most = 8L << 31;
    devices.addSectors("dest", most + 8).addSectors("source", most + 8);
    expectRefusal(
        most + 1, "meta dest source 8", "Too many regions. Consider increasing the region size");
    expectRefusal(most + 1, "meta dest source 8 9 x", "Too many regions");
    assertThat(bytesOf("meta")).containsOnly(0);
    // One region size up it is a matter of the metadata device alone.
    expectRefusal(most + 1, "meta dest source 16", "Failed to load metadata");
  }

  @Test
  @DisplayName("C9: zeros are formatted; the same line opens it again, another size is refused")
  void metadataMustFitTheTableExactly() throws TargetException {
    construct(16384, "meta dest source 8 1 no_hydration").close();
    byte[] formatted = bytesOf("meta");
    assertThat(formatted).isNotEqualTo(new byte[formatted.length]);
    for (String line :
        List.of(
            "16384 meta dest source 16", "8192 meta dest source 8", "16376 meta dest source 8")) {
      int space = line.indexOf(' ');
      expectRefusal(
          Long.parseLong(line.substring(0, space)),
          line.substring(space + 1),
          "Failed to load metadata");
    }
    construct(16384, "meta dest source 8 1 no_hydration").close();
    assertThat(bytesOf("meta")).isEqualTo(formatted);
  }

  @Test
  @DisplayName("O11: metadata that begins with zeros but is not empty is not formatted")
  void whatIsNotProvablyEmptyIsNotFormatted() {
    MemDevice ext4 = new MemDevice(4 << 20);
    Requests.write(ext4, 1024 + 56, new byte[] {0x53, (byte) 0xEF});
    devices.add("ext4", ext4);
    expectRefusal(16384, "ext4 dest source 8", "Failed to load metadata");
    assertThat(Requests.read(ext4, 0, 1024)).containsOnly(0);
    assertThat(Requests.read(ext4, 4096, 1 << 20)).containsOnly(0);
  }

  @Test
  @DisplayName("C10: a metadata device that is larger than can be used is accepted")
  void aVeryLargeMetadataDeviceIsAccepted() throws TargetException {
    devices.add("meta", new MemDevice(17L << 30));
    construct(16384, "meta dest source 8").close();
  }

  @Test
  @DisplayName("C11: the source is opened for reading, and nothing is read or compared")
  void theSourceIsOpenedForReading() throws TargetException {
    construct(16384, "meta dest source 8").close();
    assertThat(devices.opened).containsExactly("meta rw", "dest rw", "source ro");
  }

  @Test
  @DisplayName("C12: background hydration is enabled, but nothing is wanted before the resume")
  void nothingIsWantedBeforeTheResume() throws TargetException {
    RecordedEffects effects = new RecordedEffects();
    try (CloneTarget target = construct(16384, "meta dest source 8")) {
      target.everySecond(new Moment(), effects);
      target.wake(new Moment(), effects);
      assertThat(effects.take()).isEmpty();
      target.resume(new Moment(), effects);
      assertThat(effects.take()).containsExactly("extents 0+8388608 of 1");
    }
  }

  @Test
  @DisplayName("D7: passdown is off where the destination cannot discard a region at once")
  void passdownNeedsADestinationThatDiscardsRegions() throws TargetException {
    Limits none = new Limits(false, 1, false, 0, false, true, true);
    Limits small = new Limits(false, 1, true, 65536, true, true, true);
    BlockDevice memory = devices.get("dest");
    devices.add("dest", TestDevices.limited(memory, none));
    assertPassdown("8", false);
    devices.add("dest", TestDevices.limited(memory, small));
    assertPassdown("128", true);
    devices.addSectors("meta", 8192);
    assertPassdown("256", false);
  }

  private void assertPassdown(String region, boolean expected) throws TargetException {
    try (CloneTarget target = construct(16384, "meta dest source " + region)) {
      assertThat(target.figures().hasNoDiscardPassdown()).isEqualTo(!expected);
      assertThat(target.status().contains(" no_discard_passdown ")).isEqualTo(!expected);
      RecordedEffects effects = new RecordedEffects();
      target.resume(new Moment(), effects);
      assertThat(effects.wanted.toString().contains(": Disabling discard passdown."))
          .isEqualTo(!expected);
    }
    devices.addSectors("meta", 8192);
  }

  @Test
  @DisplayName("D8: with passdown the limits are the destination's, without any length is taken")
  void discardLimitsAreTheDestinationsWithPassdown() throws TargetException {
    Limits small = new Limits(false, 4096, true, 65536, false, false, true);
    devices.add("dest", TestDevices.limited(devices.get("dest"), small));
    try (CloneTarget target = construct(16384, "meta dest source 8")) {
      assertThat(target.limits().canDiscard()).isTrue();
      assertThat(target.limits().maxDiscardBytes()).isEqualTo(65536);
      assertThat(target.limits().blockSizeBytes()).isEqualTo(4096);
      assertThat(target.limits().isReadOnly()).isFalse();
    }
    devices.addSectors("meta", 8192);
    try (CloneTarget target = construct(16384, "meta dest source 8 1 no_discard_passdown")) {
      assertThat(target.limits().canDiscard()).isTrue();
      assertThat(target.limits().maxDiscardBytes()).isEqualTo(Long.MAX_VALUE);
    }
  }

  @Test
  @DisplayName(
      "D1 D5: that a discarded range reads as zeros is not promised: only whole regions do")
  void zerosAfterADiscardAreNotPromised() throws TargetException {
    for (String features : List.of("0", "1 no_discard_passdown")) {
      try (CloneTarget target = construct(16384, "meta dest source 8 " + features)) {
        assertThat(target.limits().discardReadsZeros()).isFalse();
      }
    }
  }

  @Test
  @DisplayName("metadata that cannot be read is a refusal, not a failure of ours")
  void unreadableMetadataIsARefusal() {
    devices.add("meta", TestDevices.failing(4 << 20));
    expectRefusal(16384, "meta dest source 8", "Failed to load metadata");
  }
}
