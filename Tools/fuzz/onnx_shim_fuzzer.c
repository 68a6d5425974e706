// Feeds bytes to the ONNX shim. It must return either a model whose payloads are inside the bytes, or an error of one line.
#include <stdlib.h>
#include <string.h>

#include "onnx_shim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char error[1024];
  Onnx__ModelProto *model = onnx_model_read(data, size, error, sizeof error);
  if (model == NULL) {
    if (error[0] == '\0' || strchr(error, '\n') != NULL) abort();
    return 0;
  }
  for (size_t i = 0; model->graph != NULL && i < model->graph->n_initializer; i++) {
    size_t offset = 0, count = 0;
    if (!onnx_tensor_payload(model->graph->initializer[i], &offset, &count)) continue;
    if (offset > size || count > size - offset) abort();
    // Read every byte, so that the sanitizers see it.
    volatile uint8_t sum = 0;
    for (size_t k = 0; k < count; k++) sum = (uint8_t)(sum + data[offset + k]);
  }
  onnx_model_free(model);
  return 0;
}
