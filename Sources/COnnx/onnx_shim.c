#include "onnx_scan.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "tensor payloads are used in place, in the file's byte order");
_Static_assert(sizeof(size_t) == 8, "offsets are kept in 64 bits");

// Memory that a model may use in addition to a small multiple of its file size, for the structures of a large graph.
#define MEMORY_BASE ((size_t)64 << 20)
#define MEMORY_PER_BYTE ((size_t)8)

// The numbers of TensorProto's fields that contain payloads.
enum { FLOAT_DATA = 4, RAW_DATA = 9, DOUBLE_DATA = 10 };

// The record that replaces a payload.
typedef struct {
  uint64_t offset;
  uint64_t length;
} PayloadRecord;

// MARK: - The skeleton

static void emit(Scan *scan, const void *bytes, size_t length) {
  if (scan->out != NULL && length > 0) memcpy(scan->out + scan->written, bytes, length);
  scan->written += length;
}

static void emit_varint(Scan *scan, uint64_t value) {
  uint8_t bytes[10];
  size_t length = 0;
  do {
    bytes[length] = (uint8_t)(value & 0x7f) | (value > 0x7f ? 0x80 : 0);
    length++;
    value >>= 7;
  } while (value > 0);
  emit(scan, bytes, length);
}

static void emit_key(Scan *scan, uint32_t number, unsigned wire_type) {
  emit_varint(scan, (uint64_t)number << 3 | wire_type);
}

static void emit_payload_record(Scan *scan, const Field *field) {
  PayloadRecord record = {.offset = field->begin, .length = field->end - field->begin};
  emit_key(scan, RAW_DATA, PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED);
  emit_varint(scan, sizeof record);
  emit(scan, &record, sizeof record);
}

// The number of the field whose bytes are the complete payload of a tensor; 0 if there are several such fields or none.
static bool find_payload(Scan *scan, size_t begin, size_t end, int depth, uint32_t *number) {
  size_t found = 0;
  *number = 0;
  for (size_t at = begin; at < end;) {
    Field field;
    if (!onnx_scan_field(scan, &onnx__tensor_proto__descriptor, &at, end, depth, &field)) return false;
    if (field.number != FLOAT_DATA && field.number != DOUBLE_DATA && field.number != RAW_DATA) continue;
    found++;
    *number = found == 1 && field.wire_type == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED ? field.number : 0;
  }
  return true;
}

// Copies the message at `begin..<end` to the skeleton.
static bool copy_message(
  Scan *scan, const ProtobufCMessageDescriptor *message, size_t begin, size_t end, int depth
) {
  bool is_tensor = message == &onnx__tensor_proto__descriptor;
  uint32_t payload = 0;
  if (is_tensor && !find_payload(scan, begin, end, depth, &payload)) return false;
  uint64_t seen = 0;
  for (size_t at = begin; at < end;) {
    Field field;
    if (!onnx_scan_field(scan, message, &at, end, depth, &field)) return false;
    const ProtobufCFieldDescriptor *known = protobuf_c_message_descriptor_get_field(message, field.number);
    if (known == NULL) continue;
    if (!onnx_scan_check(scan, known, &field, depth)) return false;

    if (is_tensor && (field.number == RAW_DATA || field.number == payload)) {
      emit_payload_record(scan, &field);
    } else if (known->type == PROTOBUF_C_TYPE_MESSAGE) {
      char path[512];
      // protobuf-c would merge the two, in time that is quadratic in their number.
      uint64_t bit = (uint64_t)1 << ((known - message->fields) & 63);
      if (known->label != PROTOBUF_C_LABEL_REPEATED && (seen & bit) != 0) {
        return onnx_scan_fail(
          scan, "%s appears a second time at byte %zu", onnx_scan_path(scan, depth, known->name, path, sizeof path),
          field.start);
      }
      seen |= bit;
      if (depth + 1 >= ONNX_DEEPEST_NESTING) {
        return onnx_scan_fail(scan, "messages are nested deeper than %d at byte %zu", ONNX_DEEPEST_NESTING, field.start);
      }
      emit_key(scan, field.number, PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED);
      // The length is not known yet. 5 bytes are reserved for it, regardless of its value.
      uint8_t prefix[5] = {0};
      size_t place = scan->written;
      emit(scan, prefix, sizeof prefix);
      scan->path[depth] = known->name;
      if (!copy_message(scan, known->descriptor, field.begin, field.end, depth + 1)) return false;
      if (scan->out != NULL) {
        size_t length = scan->written - place - sizeof prefix;
        for (size_t i = 0; i < sizeof prefix; i++) {
          scan->out[place + i] = (uint8_t)(length >> (7 * i) & 0x7f) | (i + 1 < sizeof prefix ? 0x80 : 0);
        }
      }
    } else {
      emit_key(scan, field.number, field.wire_type);
      if (field.wire_type == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED) emit_varint(scan, field.end - field.begin);
      emit(scan, scan->bytes + field.begin, field.end - field.begin);
    }
  }
  return true;
}

// MARK: - Memory

// Lets protobuf-c allocate until the budget is used up. The memory is from malloc, so that the default allocator can
// free it.
typedef struct {
  size_t left;
  bool spent;
} Budget;

static void *allocate(void *data, size_t size) {
  Budget *budget = data;
  size_t cost = size + 16;
  if (cost < size || cost > budget->left) {
    budget->spent = true;
    return NULL;
  }
  budget->left -= cost;
  return malloc(size > 0 ? size : 1);
}

static void release(void *data, void *pointer) {
  (void)data;
  free(pointer);
}

// MARK: - The interface

Onnx__ModelProto *onnx_model_read(const uint8_t *bytes, size_t length, char *error, size_t error_capacity) {
  Scan scan = {.bytes = bytes, .error = error, .error_capacity = error_capacity};
  if (error_capacity > 0) error[0] = 0;
  if (length > SIZE_MAX / 32) {
    onnx_scan_fail(&scan, "the file is too large: %zu bytes", length);
    return NULL;
  }
  if (!copy_message(&scan, &onnx__model_proto__descriptor, 0, length, 0)) return NULL;
  size_t size = scan.written;
  Budget budget = {.left = MEMORY_BASE + MEMORY_PER_BYTE * length};
  if (size > INT_MAX || size > budget.left) {
    onnx_scan_fail(&scan, "the graph without its weights takes %zu bytes; expected at most %d", size, INT_MAX);
    return NULL;
  }
  budget.left -= size;
  scan.out = malloc(size > 0 ? size : 1);
  if (scan.out == NULL) {
    onnx_scan_fail(&scan, "out of memory: the graph needs %zu bytes", size);
    return NULL;
  }
  scan.written = 0;
  ProtobufCMessage *message = NULL;
  if (copy_message(&scan, &onnx__model_proto__descriptor, 0, length, 0)) {
    ProtobufCAllocator allocator = {.alloc = allocate, .free = release, .allocator_data = &budget};
    message = protobuf_c_message_unpack(&onnx__model_proto__descriptor, &allocator, size, scan.out);
    if (message == NULL && budget.spent) {
      onnx_scan_fail(
        &scan, "the graph needs more memory than %zu MiB plus %zu times the file size of %zu bytes", MEMORY_BASE >> 20,
        MEMORY_PER_BYTE, length);
    } else if (message == NULL) {
      onnx_scan_fail(&scan, "the value of a field does not match its type");
    }
  }
  free(scan.out);
  return (Onnx__ModelProto *)message;
}

void onnx_model_free(Onnx__ModelProto *model) {
  if (model != NULL) onnx__model_proto__free_unpacked(model, NULL);
}

bool onnx_tensor_payload(const Onnx__TensorProto *tensor, size_t *offset, size_t *length) {
  PayloadRecord record;
  if (!tensor->has_raw_data || tensor->raw_data.len != sizeof record) return false;
  memcpy(&record, tensor->raw_data.data, sizeof record);
  *offset = (size_t)record.offset;
  *length = (size_t)record.length;
  return true;
}

// A protobuf-c buffer that passes its bytes on and stores nothing.
typedef struct {
  ProtobufCBuffer base;
  OnnxSink sink;
  void *context;
  bool stopped;
} SinkBuffer;

static void append_to_sink(ProtobufCBuffer *buffer, size_t length, const uint8_t *bytes) {
  SinkBuffer *target = (SinkBuffer *)buffer;
  if (!target->stopped && length > 0) target->stopped = !target->sink(target->context, bytes, length);
}

bool onnx_model_write(const Onnx__ModelProto *model, OnnxSink sink, void *context) {
  SinkBuffer buffer = {.base = {.append = append_to_sink}, .sink = sink, .context = context};
  onnx__model_proto__pack_to_buffer(model, &buffer.base);
  return !buffer.stopped;
}

size_t onnx_model_size(const Onnx__ModelProto *model) { return onnx__model_proto__get_packed_size(model); }
