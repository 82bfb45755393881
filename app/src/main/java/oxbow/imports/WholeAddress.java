package oxbow.imports;

import oxbow.device.Address;

/** Addresses as the daemon takes them: it does not know where its user is. */
final class WholeAddress {
  private WholeAddress() {}

  /**
   * The same address, a path in it made whole.
   *
   * @throws IllegalArgumentException with one line when it is no address
   */
  static String of(String text) {
    Address address = Address.parse(text);
    return address instanceof Address.File file
        ? file.path().toAbsolutePath().toString()
        : address.text();
  }
}
