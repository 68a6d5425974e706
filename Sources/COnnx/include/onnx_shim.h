// Reading and writing ONNX models with protobuf-c, without copying their weights.
//
// The package's only contact with protobuf-c. Ownership:
// - The caller owns `bytes` and keeps them for as long as it wants to look at payloads.
// - `onnx_model_read` returns a model that owns all of its own memory and holds no pointer into `bytes`; the caller frees
//   it with `onnx_model_free`, from any thread.
// - Payloads of tensors stay in `bytes`. In place of each, the model holds where it lies: see `onnx_tensor_payload`.
//
// `onnx.proto` is the unchanged file of that name from the Python package `onnx` 1.23.2, under its own licence, Apache-2.0.
// `onnx.pb-c.c` and `include/onnx.pb-c.h` are written by protobuf-c's compiler 1.4.1 (Debian: protobuf-c-compiler). To make
// them again, in this folder: protoc-c --c_out=. onnx.proto && mv onnx.pb-c.h include/
#ifndef RELEVANCEKIT_ONNX_SHIM_H
#define RELEVANCEKIT_ONNX_SHIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "onnx.pb-c.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Messages inside messages that are read; a subgraph takes three levels.
enum { ONNX_DEEPEST_NESTING = 64 };

/// Reads a serialized `ModelProto`.
///
/// Before protobuf-c sees anything, the bytes are checked against the message descriptors: field lengths, wire types,
/// nesting. What protobuf-c then unpacks is a copy without unknown fields, in which every tensor's `raw_data` is the
/// record that `onnx_tensor_payload` reads. A tensor whose only payload is one packed `float_data` or `double_data`,
/// which has the very bytes that `raw_data` would have, is read the same way and has no `float_data` or `double_data`
/// afterwards. Memory stays below 64 MiB plus 8 times `length`, whatever the bytes say.
///
/// Returns NULL for bytes that are no model and writes to `error` (always terminated if `error_capacity` > 0) one line
/// without a full stop that says what is wrong and at which byte.
Onnx__ModelProto *onnx_model_read(const uint8_t *bytes, size_t length, char *error, size_t error_capacity);

/// Frees a model; NULL is allowed.
void onnx_model_free(Onnx__ModelProto *model);

/// Where the payload of a tensor of a model lies in the bytes that the model was read from; false if it has no `raw_data`.
///
/// The range lies inside those bytes.
bool onnx_tensor_payload(const Onnx__TensorProto *tensor, size_t *offset, size_t *length);

/// Takes the next bytes of a message that is being written; false ends the writing.
typedef bool (*OnnxSink)(void *context, const uint8_t *bytes, size_t length);

/// Writes a model in pieces, in the order of the file; no copy of the whole is made. Returns whether `sink` took everything.
///
/// The caller keeps the model and all that it points to. The bytes of a tensor's `raw_data` are given to `sink` as one
/// piece, by the pointer that the message holds and without a look at what is there: a caller may let it point anywhere
/// and write the elements itself when its `sink` sees the pointer.
bool onnx_model_write(const Onnx__ModelProto *model, OnnxSink sink, void *context);

/// The number of bytes that `onnx_model_write` writes.
size_t onnx_model_size(const Onnx__ModelProto *model);

#ifdef __cplusplus
}
#endif

#endif
