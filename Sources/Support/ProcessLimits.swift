import CRelevancePlatform
import Foundation

/// What this process may use of the machine.
package enum ProcessLimits {
  /// Bytes that it can have in memory at most: the machine's, those of its control group, or of its address space.
  package static let memory: Int = {
    var limits = [Int(clamping: ProcessInfo.processInfo.physicalMemory)]
    // Of version 2 and of version 1; in a container they are the container's.
    for path in ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"] {
      guard let data = try? ReadableFile.data(path) else { continue }
      let text = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
      if let limit = Int(text), limit > 0 { limits.append(limit) }
    }
    if let addressSpaceLeft { limits.append(addressSpaceLeft) }
    return limits.min() ?? .max
  }()

  /// Bytes of address space that it can still take; nil if there is no limit.
  package static var addressSpaceLeft: Int? {
    let left = cplatform_address_space_left()
    return left < 0 ? nil : Int(left)
  }

  /// Ends a tool for which there is not enough memory, with a sentence and the exit status of what it cannot do.
  package static func endWithoutMemory(bytes: Int) -> Never {
    var line = "error: out of memory: \(bytes) bytes for a tensor; smaller inputs, batches or less targets take less\n"
    line.withUTF8 { bytes in
      bytes.withMemoryRebound(to: CChar.self) { if let start = $0.baseAddress { cplatform_say(start, $0.count) } }
    }
    _exit(70)
  }
}
