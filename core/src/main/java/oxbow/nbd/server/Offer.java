package oxbow.nbd.server;

/**
 * An export for as long as it is offered or used: what belongs to it and not to its name. Clients
 * hold on to the offer, so that a new name does not concern them.
 */
final class Offer {
  private volatile Export export;
  private final ExportBudget budget;
  private final ExportTraffic traffic = new ExportTraffic();

  /** How many clients are attached; guarded by the table. */
  int connectionCount;

  Offer(Export export) {
    this.export = export;
    this.budget = new ExportBudget(export.limits());
  }

  /** The export under its present name. */
  Export export() {
    return export;
  }

  /** Only the table calls this, which knows the offer by its name. */
  void rename(String name) {
    export = export.named(name);
  }

  ExportBudget budget() {
    return budget;
  }

  ExportTraffic traffic() {
    return traffic;
  }
}
