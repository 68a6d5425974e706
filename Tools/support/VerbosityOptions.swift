import ArgumentParser

/// How much a command prints.
package struct VerbosityOptions: ParsableArguments {
  @Flag(
    name: .shortAndLong, help: "Print only results and errors: no notes, no progress, and no list of written files.")
  package var quiet = false

  @Flag(name: .shortAndLong, help: "Print each step and its time on standard error.")
  package var verbose = false

  package init() {}

  /// Also sets the level, before anything prints.
  package func validate() throws {
    if quiet, verbose { throw ValidationError("--quiet and --verbose exclude each other") }
    Console.level = quiet ? .quiet : verbose ? .verbose : .normal
  }
}
