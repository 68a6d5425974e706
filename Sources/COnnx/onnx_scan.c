#include "onnx_scan.h"

#include <stdarg.h>
#include <stdio.h>

bool onnx_scan_fail(Scan *scan, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  if (scan->error_capacity > 0) vsnprintf(scan->error, scan->error_capacity, format, arguments);
  va_end(arguments);
  return false;
}

const char *onnx_scan_path(const Scan *scan, int depth, const char *name, char *text, size_t capacity) {
  size_t used = 0;
  for (int level = 0; level <= depth && used < capacity; level++) {
    const char *part = level < depth ? scan->path[level] : name;
    int length = snprintf(text + used, capacity - used, level == 0 ? "%s" : ".%s", part);
    if (length < 0) break;
    used += (size_t)length;
  }
  return text;
}

static const char *name_of(const ProtobufCMessageDescriptor *message, uint32_t number, char *text, size_t capacity) {
  const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(message, number);
  if (field != NULL) return field->name;
  snprintf(text, capacity, "field %u", number);
  return text;
}

// Reads a varint that must end before `end`. If it returns false, the caller reports the error.
static bool read_varint(const uint8_t *bytes, size_t *at, size_t end, uint64_t *value) {
  uint64_t result = 0;
  for (unsigned shift = 0; shift < 70 && *at < end; shift += 7) {
    uint8_t byte = bytes[(*at)++];
    result |= shift < 64 ? (uint64_t)(byte & 0x7f) << shift : 0;
    if ((byte & 0x80) == 0) {
      *value = result;
      return true;
    }
  }
  return false;
}

bool onnx_scan_field(
  Scan *scan, const ProtobufCMessageDescriptor *message, size_t *at, size_t end, int depth, Field *field
) {
  char path[512], unknown[32];
  field->start = *at;
  uint64_t key;
  if (!read_varint(scan->bytes, at, end, &key)) {
    const char *where = depth == 0 ? "the file" : onnx_scan_path(scan, depth - 1, scan->path[depth - 1], path, sizeof path);
    return onnx_scan_fail(scan, "%s ends inside the key of a field at byte %zu", where, field->start);
  }
  field->wire_type = (unsigned)(key & 7);
  if (key >> 3 == 0 || key >> 3 > 0x1fffffff) return onnx_scan_fail(scan, "no field starts at byte %zu", field->start);
  field->number = (uint32_t)(key >> 3);
  const char *name = name_of(message, field->number, unknown, sizeof unknown);

  uint64_t length = 0;
  bool complete = true;
  field->begin = *at;
  switch (field->wire_type) {
  case PROTOBUF_C_WIRE_TYPE_VARINT:
    complete = read_varint(scan->bytes, at, end, &length);
    length = complete ? *at - field->begin : end - field->begin + 1;
    break;
  case PROTOBUF_C_WIRE_TYPE_64BIT: length = 8; break;
  case PROTOBUF_C_WIRE_TYPE_32BIT: length = 4; break;
  case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
    complete = read_varint(scan->bytes, at, end, &length);
    field->begin = *at;
    break;
  default:
    return onnx_scan_fail(
      scan, "%s at byte %zu has wire type %u, which does not exist in ONNX",
      onnx_scan_path(scan, depth, name, path, sizeof path), field->start, field->wire_type);
  }
  if (!complete) {
    return onnx_scan_fail(
      scan, "%s at byte %zu ends inside a number", onnx_scan_path(scan, depth, name, path, sizeof path), field->start);
  }
  if (length > end - field->begin) {
    return onnx_scan_fail(
      scan, "the data ends inside %s at byte %zu: expected %llu bytes, found %zu",
      onnx_scan_path(scan, depth, name, path, sizeof path), field->start, (unsigned long long)length, end - field->begin);
  }
  field->end = field->begin + (size_t)length;
  *at = field->end;
  return true;
}

static unsigned natural_wire_type(ProtobufCType type) {
  switch (type) {
  case PROTOBUF_C_TYPE_FLOAT:
  case PROTOBUF_C_TYPE_FIXED32:
  case PROTOBUF_C_TYPE_SFIXED32: return PROTOBUF_C_WIRE_TYPE_32BIT;
  case PROTOBUF_C_TYPE_DOUBLE:
  case PROTOBUF_C_TYPE_FIXED64:
  case PROTOBUF_C_TYPE_SFIXED64: return PROTOBUF_C_WIRE_TYPE_64BIT;
  case PROTOBUF_C_TYPE_STRING:
  case PROTOBUF_C_TYPE_BYTES:
  case PROTOBUF_C_TYPE_MESSAGE: return PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
  default: return PROTOBUF_C_WIRE_TYPE_VARINT;
  }
}

bool onnx_scan_check(Scan *scan, const ProtobufCFieldDescriptor *known, const Field *field, int depth) {
  unsigned natural = natural_wire_type(known->type);
  if (field->wire_type == natural) return true;
  char path[512];
  onnx_scan_path(scan, depth, known->name, path, sizeof path);
  if (known->label != PROTOBUF_C_LABEL_REPEATED || field->wire_type != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED) {
    return onnx_scan_fail(scan, "%s at byte %zu has wire type %u; expected %u", path, field->start, field->wire_type, natural);
  }
  size_t unit = natural == PROTOBUF_C_WIRE_TYPE_32BIT ? 4 : natural == PROTOBUF_C_WIRE_TYPE_64BIT ? 8 : 1;
  if ((field->end - field->begin) % unit != 0) {
    return onnx_scan_fail(
      scan, "%s at byte %zu has %zu bytes; expected a multiple of %zu", path, field->start, field->end - field->begin,
      unit);
  }
  return true;
}
