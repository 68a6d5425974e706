// How the bytes of an ONNX file are walked, field by field.
#ifndef ONNX_SCAN_H
#define ONNX_SCAN_H

#include "onnx_shim.h"

// A walk over a file that writes the skeleton: first with `out` NULL, to check and to measure, then to write.
typedef struct {
  const uint8_t *bytes;
  uint8_t *out;
  size_t written;
  const char *path[ONNX_DEEPEST_NESTING + 1];
  char *error;
  size_t error_capacity;
} Scan;

// One field of a message: its value lies at `begin..<end`; a length, if it has one, is not part of it.
typedef struct {
  size_t start;
  uint32_t number;
  unsigned wire_type;
  size_t begin;
  size_t end;
} Field;

// Writes the error, and returns false.
__attribute__((format(printf, 2, 3))) bool onnx_scan_fail(Scan *scan, const char *format, ...);

// "graph.initializer.raw_data": the field that `name` is at the given depth.
const char *onnx_scan_path(const Scan *scan, int depth, const char *name, char *text, size_t capacity);

// Reads the field that starts at `*at` in a message that ends at `end`, and moves `*at` behind it.
bool onnx_scan_field(Scan *scan, const ProtobufCMessageDescriptor *message, size_t *at, size_t end, int depth, Field *field);

// Whether the value can be one of the field: of its wire type, or a packed list of them.
bool onnx_scan_check(Scan *scan, const ProtobufCFieldDescriptor *known, const Field *field, int depth);

#endif
