#include "CImaging.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jerror.h>
#include <jpeglib.h>

// All state that must survive a longjmp is stored here, outside the function that calls setjmp.
struct encoder {
  struct jpeg_compress_struct info;
  struct jpeg_error_mgr errors;
  jmp_buf escape;
  enum cimaging_status status;
  unsigned char *bytes;
  unsigned long count;
  cimaging_bytes *jpeg;
};

static _Noreturn void on_error(j_common_ptr info) {
  struct encoder *encoder = info->client_data;
  char text[JMSG_LENGTH_MAX];
  info->err->format_message(info, text);
  snprintf(encoder->jpeg->message, CIMAGING_MESSAGE_LENGTH, "%s", text);
  encoder->status = info->err->msg_code == JERR_OUT_OF_MEMORY ? CIMAGING_OUT_OF_MEMORY : CIMAGING_UNSUPPORTED;
  longjmp(encoder->escape, 1);
}

static void on_message(j_common_ptr info, int level) {
  (void)info;
  (void)level;
}

static void encode(struct encoder *encoder, const uint8_t *pixels, int32_t width, int32_t height, int32_t quality) {
  if (setjmp(encoder->escape)) return;
  jpeg_create_compress(&encoder->info);
  jpeg_mem_dest(&encoder->info, &encoder->bytes, &encoder->count);
  encoder->info.image_width = (JDIMENSION)width;
  encoder->info.image_height = (JDIMENSION)height;
  encoder->info.input_components = 3;
  encoder->info.in_color_space = JCS_RGB;
  jpeg_set_defaults(&encoder->info);
  encoder->info.optimize_coding = TRUE;
  jpeg_set_quality(&encoder->info, quality, TRUE);
  jpeg_start_compress(&encoder->info, TRUE);
  while (encoder->info.next_scanline < encoder->info.image_height) {
    JSAMPROW row = (JSAMPROW)(pixels + (size_t)encoder->info.next_scanline * (size_t)width * 3);
    jpeg_write_scanlines(&encoder->info, &row, 1);
  }
  jpeg_finish_compress(&encoder->info);
  encoder->status = CIMAGING_OK;
}

enum cimaging_status cimaging_encode_jpeg(
    const uint8_t *pixels, int32_t width, int32_t height, int32_t quality, cimaging_bytes *jpeg) {
  memset(jpeg, 0, sizeof *jpeg);
  struct encoder *encoder = calloc(1, sizeof *encoder);
  if (!encoder) return CIMAGING_OUT_OF_MEMORY;
  encoder->jpeg = jpeg;
  encoder->status = CIMAGING_OUT_OF_MEMORY;
  encoder->info.err = jpeg_std_error(&encoder->errors);
  encoder->info.client_data = encoder;
  encoder->errors.error_exit = on_error;
  encoder->errors.emit_message = on_message;
  encode(encoder, pixels, width, height, quality);
  jpeg_destroy_compress(&encoder->info);
  enum cimaging_status status = encoder->status;
  if (status == CIMAGING_OK) {
    jpeg->bytes = encoder->bytes;
    jpeg->count = encoder->count;
  } else {
    free(encoder->bytes);
  }
  free(encoder);
  return status;
}
