// Iterates over the bytes of an ONNX file, field by field.
#ifndef ONNX_SCAN_H
#define ONNX_SCAN_H

#include "onnx_shim.h"

// A pass over a file that writes the skeleton. The first pass has `out` NULL and only checks and measures; the second
// writes.
typedef struct {
  const uint8_t *bytes;
  uint8_t *out;
  size_t written;
  const char *path[ONNX_DEEPEST_NESTING + 1];
  char *error;
  size_t error_capacity;
} Scan;

// One field of a message. Its value is at `begin..<end`, without a length prefix.
typedef struct {
  size_t start;
  uint32_t number;
  unsigned wire_type;
  size_t begin;
  size_t end;
} Field;

// Writes the error message and returns false.
__attribute__((format(printf, 2, 3))) bool onnx_scan_fail(Scan *scan, const char *format, ...);

// The path of a field, such as "graph.initializer.raw_data"; `name` is the field's name at the given depth.
const char *onnx_scan_path(const Scan *scan, int depth, const char *name, char *text, size_t capacity);

// Reads the field that starts at `*at` in a message that ends at `end`, and moves `*at` to the field's end.
bool onnx_scan_field(Scan *scan, const ProtobufCMessageDescriptor *message, size_t *at, size_t end, int depth, Field *field);

// Whether the value matches the field: it has the field's wire type or is a packed list of such values.
bool onnx_scan_check(Scan *scan, const ProtobufCFieldDescriptor *known, const Field *field, int depth);

#endif
