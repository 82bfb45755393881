package oxbow.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import oxbow.cli.NbdClient;
import oxbow.nbd.server.ExportLimits;

/**
 * Aim: Prometheus can read what it is told, and that agrees with what clients did. Method: a strict
 * reader of the text format, and a client that counts its requests.
 */
class MetricsTest {
  private static final int MIB = 1 << 20;
  private static final Pattern SAMPLE =
      Pattern.compile(
          "([a-z_]+)(\\{(?:[a-z]+=\"(?:[^\"\\\\\n]|\\\\[\"\\\\n])*\",?)*\\})? ([-+.0-9A-Za-z]+)");

  private Scene scene;
  private Metrics metrics;

  @BeforeEach
  void begin(@TempDir Path directory) throws Exception {
    scene = new Scene(directory);
    metrics = new Metrics(scene.devices, scene.exports);
  }

  @AfterEach
  void end() throws Exception {
    scene.close();
  }

  @Test
  void everyFamilyIsDescribedAndEveryNumberIsThereOnce() throws Exception {
    allTargets();
    metrics.sample();
    Map<String, Double> samples = scrape();
    assertThat(samples).hasSizeGreaterThan(100);
    assertThat(samples.keySet())
        .anyMatch(key -> key.startsWith("oxbow_bow_free_bytes{"))
        .anyMatch(key -> key.startsWith("oxbow_export_request_seconds_bucket{"));
  }

  @Test
  void theNumbersAreThoseOfTheClient() throws Exception {
    scene.create("d", "0 2048 linear mem:1MiB 0\n2048 8 error");
    String listen = scene.socket("d.nbd");
    String uri = scene.devices.export("d", Scene.at(listen));
    String export = "{device=\"d\",export=\"d\",listen=\"" + listen + "\"";
    try (NbdClient client = new NbdClient("ready " + uri)) {
      for (int i = 0; i < 3; i++) {
        client.write(i * 4096L, new byte[4096]);
      }
      client.read(0, 512);
      assertThatThrownBy(() -> client.read(MIB, 512)).isInstanceOf(IOException.class);
      Map<String, Double> samples = scrape();
      assertThat(samples)
          .containsEntry("oxbow_device_size_bytes{device=\"d\"}", MIB + 4096.0)
          .containsEntry("oxbow_device_suspended{device=\"d\"}", 0.0)
          .containsEntry("oxbow_device_requests_total{device=\"d\",operation=\"write\"}", 3.0)
          .containsEntry("oxbow_device_bytes_total{device=\"d\",operation=\"write\"}", 12288.0)
          .containsEntry("oxbow_device_requests_total{device=\"d\",operation=\"read\"}", 2.0)
          .containsEntry("oxbow_device_bytes_total{device=\"d\",operation=\"read\"}", 512.0)
          .containsEntry("oxbow_device_errors_total{device=\"d\",operation=\"read\"}", 1.0)
          .containsEntry("oxbow_export_requests_total" + export + ",operation=\"write\"}", 3.0)
          .containsEntry("oxbow_export_bytes_total" + export + ",operation=\"write\"}", 12288.0)
          .containsEntry("oxbow_export_errors_total" + export + ",operation=\"read\"}", 1.0)
          .containsEntry(
              "oxbow_export_request_seconds_count" + export + ",operation=\"write\"}", 3.0);
      assertThat(samples.get("oxbow_export_clients" + export + "}"))
          .isEqualTo(samples.get("oxbow_device_open_count{device=\"d\"}"))
          .isPositive();
    }
    scene.devices.suspend("d", false);
    assertThat(scrape()).containsEntry("oxbow_device_suspended{device=\"d\"}", 1.0);
  }

  @Test
  void theNumbersOfACloneAndOfASnapshot() throws Exception {
    allTargets();
    scene.write("c", 0, new byte[8192]);
    scene.write("s", 0, new byte[4096]);
    scene.devices.find("c").status(false);
    Map<String, Double> samples = scrape();
    String clone = "{device=\"c\",start=\"0\"}";
    assertThat(samples)
        .containsEntry("oxbow_clone_hydrated_regions" + clone, 2.0)
        .containsEntry("oxbow_clone_regions" + clone, 256.0)
        .containsEntry("oxbow_clone_hydration_seconds_left" + clone, Double.POSITIVE_INFINITY)
        .containsEntry("oxbow_clone_mode{device=\"c\",start=\"0\",state=\"rw\"}", 1.0);
    assertThat(samples.get("oxbow_clone_commits_total" + clone)).isPositive();
    String snapshot = "{device=\"s\",start=\"0\"}";
    assertThat(samples)
        .containsEntry("oxbow_snapshot_store_bytes" + snapshot, (double) MIB)
        .containsEntry("oxbow_snapshot_exceptions" + snapshot, 1.0)
        .containsEntry("oxbow_snapshot_exception_bytes" + snapshot, 4096.0);
    assertThat(samples.get("oxbow_snapshot_free_bytes" + snapshot)).isBetween(1.0, MIB - 4096.0);
  }

  @Test
  void quotesInLabelsAreEscaped() throws Exception {
    scene.create("d", "0 8 zero");
    scene.devices.export(
        "d",
        new ExportOrder(scene.socket("d.nbd"), "a\"b\\c\nd", false, false, ExportLimits.UNLIMITED));
    assertThat(scrape().keySet()).anyMatch(key -> key.contains("export=\"a\\\"b\\\\c\\nd\""));
  }

  @Test
  void devicesMayComeAndGoMeanwhile() throws Exception {
    Path file = scene.file("disk.img", MIB);
    Path metadata = scene.file("meta", MIB);
    CompletableFuture<Void> changes =
        CompletableFuture.runAsync(
            () -> {
              try {
                for (int i = 0; i < 40; i++) {
                  scene.create("d", "0 2048 clone " + metadata + " " + file + " zero:1MiB 8");
                  scene.devices.rename("d", "e");
                  scene.devices.load("e", "0 2048 linear " + file + " 0");
                  scene.devices.resume("e", false);
                  scene.devices.remove("e", false);
                }
              } catch (Exception failed) {
                throw new AssertionError(failed);
              }
            });
    while (!changes.isDone()) {
      metrics.sample();
      scrape();
    }
    changes.join();
  }

  private void allTargets() throws Exception {
    Path origin = scene.file("origin.img", MIB);
    scene.create(
        "c",
        "0 2048 clone %s %s zero:1MiB 8 1 no_hydration"
            .formatted(scene.file("c.meta", MIB), scene.file("c.img", MIB)));
    scene.create("s", "0 2048 snapshot " + origin + " " + scene.file("s.cow", MIB) + " P 8");
    scene.create("o", "0 2048 snapshot-origin " + origin);
    scene.create("b", "0 2048 bow " + scene.file("b.img", MIB) + " 1 block_size:4096");
    scene.create("z", "0 8 zero\n8 8 error\n16 2048 linear mem:1MiB 0");
    scene.devices.create("none", null, false, List.of());
    scene.devices.export("c", Scene.at(scene.socket("c.nbd")));
    scene.devices.export("c", Scene.at(scene.socket("c2.nbd")));
    scene.devices.export("z", Scene.at(scene.socket("c.nbd")));
  }

  /** All numbers by name and labels; checks the text on the way. */
  private Map<String, Double> scrape() {
    Map<String, Double> samples = new LinkedHashMap<>();
    Map<String, String> types = new LinkedHashMap<>();
    Set<String> helped = new HashSet<>();
    String text = metrics.scrape().text();
    for (String line : text.lines().toList()) {
      List<String> words = new ArrayList<>(List.of(line.split(" ", 4)));
      if (line.startsWith("# HELP ")) {
        assertThat(helped.add(words.get(2))).as(line).isTrue();
      } else if (line.startsWith("# TYPE ")) {
        assertThat(helped).as(line).contains(words.get(2));
        assertThat(types.put(words.get(2), words.get(3))).as(line).isNull();
      } else {
        Matcher sample = SAMPLE.matcher(line);
        assertThat(sample.matches()).as(line).isTrue();
        assertThat(types).as(line).containsKey(family(sample.group(1), types));
        String labels = sample.group(2) == null ? "" : sample.group(2);
        assertThat(samples.put(sample.group(1) + labels, number(sample.group(3))))
            .as(line)
            .isNull();
      }
    }
    return samples;
  }

  private static String family(String name, Map<String, String> types) {
    String stem = name.replaceAll("_(bucket|sum|count)$", "");
    return "histogram".equals(types.get(stem)) ? stem : name;
  }

  private static double number(String text) {
    return text.equals("+Inf") ? Double.POSITIVE_INFINITY : Double.parseDouble(text);
  }
}
