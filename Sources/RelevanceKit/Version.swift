/// The package itself.
public enum RelevanceKitPackage {
  /// The version, as in the changelog.
  public static let version = "0.1.0"
}
