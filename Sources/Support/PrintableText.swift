/// Text from files in a form that is safe to display: labels, node names and file names can contain any characters.
extension String {
  /// The text as one line that shows all of its characters. Line breaks, other control characters and characters that
  /// change the writing direction become escapes such as `\n` and `\u{1B}`.
  package var printable: String { escaping { $0.isHidden } }

  /// The same for a text with several lines.
  package var printableLines: String { escaping { $0 != "\n" && $0.isHidden } }

  private func escaping(_ isEscaped: (Unicode.Scalar) -> Bool) -> String {
    guard unicodeScalars.contains(where: isEscaped) else { return self }
    var result = ""
    for scalar in unicodeScalars {
      if isEscaped(scalar) { result += scalar.visible } else { result.unicodeScalars.append(scalar) }
    }
    return result
  }

  /// The text or, if it is longer than `limit`, its beginning and end with the number of omitted characters.
  package func cut(to limit: Int) -> String {
    // Most texts are short, and counting bytes is fast.
    guard utf8.count > limit, unicodeScalars.count > limit else { return self }
    // The number has at most as many digits as the length.
    let half = max(limit - 40 - String(unicodeScalars.count).count, 0) / 2
    let left = unicodeScalars.count - 2 * half
    return "\(String(unicodeScalars.prefix(half))) … (\(left) characters omitted) … "
      + String(unicodeScalars.suffix(half))
  }
}

extension Unicode.Scalar {
  /// Whether the character moves the cursor, ends a line or changes the display of others. Joiners, which some scripts
  /// need, are excepted.
  fileprivate var isHidden: Bool {
    if value < 0x7F { return value < 0x20 }
    if value == 0x200C || value == 0x200D { return false }
    return switch properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator: true
    default: false
    }
  }

  fileprivate var visible: String {
    switch self {
    case "\n": "\\n"
    case "\r": "\\r"
    case "\t": "\\t"
    default: "\\u{\(String(value, radix: 16, uppercase: true))}"
    }
  }
}
