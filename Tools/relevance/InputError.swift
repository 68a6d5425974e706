import RelevanceKit

/// An input that does not exist or does not fit the network.
enum InputError: RelevanceKitError {
  case missing(String, suggestion: String?)
  case unreadable(String, reason: String)
  case unreadableFolder(String)
  case emptyFolder(String)
  case shape(String, found: TensorShape)
  case doesNotFit(String, reason: String)
  case sameStem(String, String)

  var category: ErrorCategory {
    switch self {
    case .missing, .unreadable, .unreadableFolder, .emptyFolder: .missingInput
    case .shape, .doesNotFit: .badData
    case .sameStem: .usage
    }
  }

  var description: String {
    switch self {
    case .missing(let file, let suggestion):
      "\(file): no such file; " + (suggestion.map { "did you mean \($0)?" } ?? "expected a .jpg, .png or .npy file")
    case .unreadable(let file, let reason): "\(file): cannot be read: \(reason)"
    case .unreadableFolder(let folder): "\(folder): the folder cannot be read"
    case .emptyFolder(let folder):
      "\(folder): expected .jpg, .png or .npy files in the folder, found none; its subfolders are not searched"
    case .shape(let file, let found): "\(file): expected a tensor of shape [1,C,H,W] or [C,H,W], found \(found)"
    case .doesNotFit(let file, let reason): "\(file): \(reason)"
    case .sameStem(let a, let b):
      "\(a) and \(b) would write to the same results folder; rename one of them"
    }
  }
}
