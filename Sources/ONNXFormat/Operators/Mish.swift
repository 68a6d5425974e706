import RelevanceNetworks

extension Mish: WritableOperator {
  var opset: Int { 18 }
}
