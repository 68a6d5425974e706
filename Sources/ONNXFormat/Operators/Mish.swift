import Networks

/// Mish.
extension Mish: WritableOperator {
  var opset: Int { 18 }
}
