import Networks

extension Mish: WritableOperator {
  var opset: Int { 18 }
}
