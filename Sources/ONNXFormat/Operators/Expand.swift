import RelevanceNetworks

extension Expand: WritableOperator {}
