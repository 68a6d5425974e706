@_exported import Evaluation
@_exported import Execution
@_exported import Explanations
@_exported import Imaging
@_exported import Networks
@_exported import ONNXFormat
@_exported import Propagation
@_exported import Tensors
