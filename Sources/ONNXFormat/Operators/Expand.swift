import Networks

extension Expand: WritableOperator {}
