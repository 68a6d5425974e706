// Reads and writes ONNX models with protobuf-c, without copying their weights.
//
// This is the package's only interface to protobuf-c. Ownership:
// - The caller owns `bytes` and keeps them as long as it reads payloads.
// - `onnx_model_read` returns a model that owns all of its memory and has no pointer to `bytes`. The caller frees it
//   with `onnx_model_free`, from any thread.
// - Payloads of tensors stay in `bytes`. In place of each payload, the model contains its position: see
//   `onnx_tensor_payload`.
//
// `onnx.proto` is the unchanged file of this name from the Python package `onnx` 1.23.2, under its own license,
// Apache-2.0. The protobuf-c compiler 1.4.1 (Debian: protobuf-c-compiler) generated `onnx.pb-c.c` and
// `include/onnx.pb-c.h`. To generate them again, run in this folder: protoc-c --c_out=. onnx.proto && mv onnx.pb-c.h
// include/
#ifndef RELEVANCEKIT_ONNX_SHIM_H
#define RELEVANCEKIT_ONNX_SHIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "onnx.pb-c.h"

#ifdef __cplusplus
extern "C" {
#endif

/// The maximum depth of nested messages. A subgraph takes three levels.
enum { ONNX_DEEPEST_NESTING = 64 };

/// Reads a serialized `ModelProto`.
///
/// Before protobuf-c reads anything, the bytes are checked against the message descriptors: field lengths, wire types
/// and nesting. protobuf-c then unpacks a copy without unknown fields, in which every tensor's `raw_data` is the record
/// that `onnx_tensor_payload` reads. A tensor whose only payload is one packed `float_data` or `double_data` field,
/// which has the same bytes as `raw_data`, is read in the same way and has no `float_data` or `double_data` afterwards.
/// Memory stays below 64 MiB plus 8 times `length`, regardless of the bytes.
///
/// Returns NULL if the bytes are not a model. Then it writes one line without a final period to `error` that describes
/// the problem and the byte position. The line is always terminated if `error_capacity` > 0.
Onnx__ModelProto *onnx_model_read(const uint8_t *bytes, size_t length, char *error, size_t error_capacity);

/// Frees a model; NULL is allowed.
void onnx_model_free(Onnx__ModelProto *model);

/// Finds the payload of a tensor in the bytes that the model was read from. Returns false if it has no `raw_data`.
///
/// The range is inside those bytes.
bool onnx_tensor_payload(const Onnx__TensorProto *tensor, size_t *offset, size_t *length);

/// Receives the next bytes of a message that is being written. Returns false to stop.
typedef bool (*OnnxSink)(void *context, const uint8_t *bytes, size_t length);

/// Writes a model in pieces, in the order of the file, without a complete copy. Returns whether `sink` accepted all
/// pieces.
///
/// The caller keeps ownership of the model and everything it points to. `sink` receives the bytes of a tensor's
/// `raw_data` as one piece, by the pointer in the message, and this function does not read them. A caller may therefore
/// use any pointer there and write the elements itself when its `sink` receives the pointer.
bool onnx_model_write(const Onnx__ModelProto *model, OnnxSink sink, void *context);

/// The number of bytes that `onnx_model_write` writes.
size_t onnx_model_size(const Onnx__ModelProto *model);

#ifdef __cplusplus
}
#endif

#endif
