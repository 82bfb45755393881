package oxbow.control;

/** What a process does on a request. */
public interface Verb {
  /**
   * Answers. Blocks as long as it takes; on a thread of the connection.
   *
   * @throws ControlException when the request is refused
   */
  Answer answer(Request request) throws ControlException;
}
