package oxbow.mapped;

/** Whom nobody hears. */
final class SilentHost implements EffectRunner.Host {
  @Override
  public void wakeAt(long nanos) {}

  @Override
  public void event(String why) {}

  @Override
  public void warn(String what) {}
}
