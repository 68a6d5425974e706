public let name = "ToolSupport"
