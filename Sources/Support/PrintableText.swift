/// Text from files, as people may see it: labels, names of nodes and of files can hold whatever their author likes.
extension String {
  /// The text in one line that says what it has: line breaks and other control characters, and those that turn the direction of writing,
  /// are shown as escapes such as `\n` and `\u{1B}`.
  package var printable: String { escaping { $0.isHidden } }

  /// The same of a text of several lines.
  package var printableLines: String { escaping { $0 != "\n" && $0.isHidden } }

  private func escaping(_ isEscaped: (Unicode.Scalar) -> Bool) -> String {
    guard unicodeScalars.contains(where: isEscaped) else { return self }
    var result = ""
    for scalar in unicodeScalars {
      if isEscaped(scalar) { result += scalar.visible } else { result.unicodeScalars.append(scalar) }
    }
    return result
  }

  /// The text, or its beginning and its end if it is longer than `limit`, with what lies between counted.
  package func cut(to limit: Int) -> String {
    // Most texts are short, and bytes are counted at once.
    guard utf8.count > limit, unicodeScalars.count > limit else { return self }
    // The digits of the number are at most those of the length.
    let half = max(limit - 40 - String(unicodeScalars.count).count, 0) / 2
    let left = unicodeScalars.count - 2 * half
    return "\(String(unicodeScalars.prefix(half))) … (\(left) characters are left out) … "
      + String(unicodeScalars.suffix(half))
  }
}

extension Unicode.Scalar {
  /// Whether it moves the cursor, ends a line, or changes how others are shown, but for the joiners that scripts need.
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
