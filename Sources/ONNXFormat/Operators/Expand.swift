import Networks

/// Expand.
extension Expand: WritableOperator {}
