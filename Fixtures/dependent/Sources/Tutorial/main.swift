import Foundation
import RelevanceKit

// Usage: Tutorial MODEL IMAGE...
let words = CommandLine.arguments
let service = try ImageExplainer(model: words[1])

let replies = await withTaskGroup(of: (Int, String).self) { group in
  for (number, path) in words.dropFirst(2).enumerated() {
    group.addTask {
      do {
        let reply = try service.explain(Data(contentsOf: URL(fileURLWithPath: path)))
        let percent = Int((100 * reply.probability).rounded())
        return (number, "200 \(reply.label) \(percent) %, overlay of \(reply.overlay.count > 0 ? "some" : "no") bytes")
      } catch {
        return (number, "\(status(for: error)) \(error)")
      }
    }
  }
  var replies: [Int: String] = [:]
  for await (number, line) in group { replies[number] = line }
  return replies
}
for (_, line) in replies.sorted(by: { $0.key < $1.key }) { print(line) }
