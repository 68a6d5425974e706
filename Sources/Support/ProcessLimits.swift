import CRelevancePlatform
import Foundation

/// The limits of this process.
package enum ProcessLimits {
  /// The maximum memory in bytes: that of the machine, of the control group or of the address space, if that is less.
  package static let memory: Int = {
    var limits = [Int(clamping: ProcessInfo.processInfo.physicalMemory)]
    // The files of version 2 and of version 1. In a container they contain the container's limits.
    for path in ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"] {
      guard let data = try? ReadableFile.data(path) else { continue }
      let text = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
      if let limit = Int(text), limit > 0 { limits.append(limit) }
    }
    if let addressSpaceLeft { limits.append(addressSpaceLeft) }
    return limits.min() ?? .max
  }()

  /// The remaining address space in bytes; nil if there is no limit.
  package static var addressSpaceLeft: Int? {
    let left = cplatform_address_space_left()
    return left < 0 ? nil : Int(left)
  }

  /// Ends a tool that runs out of memory, with an error message and an exit status.
  package static func endWithoutMemory(bytes: Int) -> Never {
    var line =
      "error: out of memory: \(bytes) bytes for a tensor; "
      + "reduce the size of the inputs, the batch or the number of targets\n"
    line.withUTF8 { bytes in
      bytes.withMemoryRebound(to: CChar.self) { if let start = $0.baseAddress { cplatform_say(start, $0.count) } }
    }
    _exit(70)
  }
}
