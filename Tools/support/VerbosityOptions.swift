import ArgumentParser

/// How much a command says.
package struct VerbosityOptions: ParsableArguments {
  @Flag(
    name: .shortAndLong, help: "Say nothing but errors: no notes, no progress, no list of the files written.")
  package var quiet = false

  @Flag(name: .shortAndLong, help: "Say on standard error what is done, and how long it takes.")
  package var verbose = false

  package init() {}

  /// Also sets the level, before anything runs that might say something.
  package func validate() throws {
    if quiet, verbose { throw ValidationError("--quiet and --verbose exclude each other") }
    Console.level = quiet ? .quiet : verbose ? .verbose : .normal
  }
}
