#include "CImaging.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

// The number of scans of a progressive file beyond which the file can only be meant to waste time.
#define SCAN_LIMIT 1000

// All state that must survive a longjmp is stored here, outside the function that calls setjmp.
struct decoder {
  struct jpeg_decompress_struct info;
  struct jpeg_error_mgr errors;
  struct jpeg_source_mgr source;
  struct jpeg_progress_mgr progress;
  jmp_buf escape;
  enum cimaging_status status;
  uint8_t *row;
  cimaging_image *image;
};

static _Noreturn void fail(struct decoder *decoder, enum cimaging_status status) {
  decoder->status = status;
  longjmp(decoder->escape, 1);
}

static _Noreturn void fail_with_message(j_common_ptr info, enum cimaging_status status) {
  struct decoder *decoder = info->client_data;
  char text[JMSG_LENGTH_MAX];
  info->err->format_message(info, text);
  snprintf(decoder->image->message, CIMAGING_MESSAGE_LENGTH, "%s", text);
  fail(decoder, status);
}

static _Noreturn void on_error(j_common_ptr info) {
  switch (info->err->msg_code) {
  case JERR_OUT_OF_MEMORY: fail_with_message(info, CIMAGING_OUT_OF_MEMORY);
  case JERR_SOF_UNSUPPORTED:
  case JERR_BAD_PRECISION:
  case JERR_ARITH_NOTIMPL:
  case JERR_CONVERSION_NOTIMPL:
  case JERR_NOT_COMPILED: fail_with_message(info, CIMAGING_UNSUPPORTED);
  default: fail_with_message(info, CIMAGING_DAMAGED);
  }
}

// Warnings that mean that pixels are lost or invented are errors here; extra bytes between markers are not.
static void on_message(j_common_ptr info, int level) {
  if (level >= 0) return;
  switch (info->err->msg_code) {
  case JWRN_HIT_MARKER:
  case JWRN_HUFF_BAD_CODE:
  case JWRN_ARITH_BAD_CODE:
  case JWRN_MUST_RESYNC:
  case JWRN_BOGUS_PROGRESSION: fail_with_message(info, CIMAGING_DAMAGED);
  default: info->err->num_warnings++;
  }
}

static void on_output(j_common_ptr info) { (void)info; }

static void on_progress(j_common_ptr info) {
  if (!info->is_decompressor || ((j_decompress_ptr)info)->input_scan_number <= SCAN_LIMIT) return;
  struct decoder *decoder = info->client_data;
  snprintf(decoder->image->message, CIMAGING_MESSAGE_LENGTH, "more than %d scans", SCAN_LIMIT);
  fail(decoder, CIMAGING_DAMAGED);
}

static void on_source_start(j_decompress_ptr info) { (void)info; }
static void on_source_end(j_decompress_ptr info) { (void)info; }

// All bytes are available from the start, so a request for more means that the file is truncated.
static boolean on_source_empty(j_decompress_ptr info) { fail(info->client_data, CIMAGING_TRUNCATED); }

static void on_source_skip(j_decompress_ptr info, long count) {
  if (count <= 0) return;
  if ((size_t)count > info->src->bytes_in_buffer) fail(info->client_data, CIMAGING_TRUNCATED);
  info->src->next_input_byte += count;
  info->src->bytes_in_buffer -= (size_t)count;
}

// The data after a header in the first APP1 marker that starts with the header; NULL if there is none.
static uint8_t *take_marker(struct decoder *decoder, const char *head, size_t length, size_t *count) {
  for (jpeg_saved_marker_ptr marker = decoder->info.marker_list; marker; marker = marker->next) {
    if (marker->marker != JPEG_APP0 + 1 || marker->data_length <= length) continue;
    if (memcmp(marker->data, head, length) != 0) continue;
    *count = marker->data_length - length;
    uint8_t *copy = malloc(*count);
    if (!copy) fail(decoder, CIMAGING_OUT_OF_MEMORY);
    memcpy(copy, marker->data + length, *count);
    return copy;
  }
  return NULL;
}

static void take_metadata(struct decoder *decoder) {
  static const char exif[] = "Exif\0", xmp[] = "http://ns.adobe.com/xap/1.0/";
  cimaging_image *image = decoder->image;
  image->exif = take_marker(decoder, exif, sizeof exif, &image->exif_count);
  image->xmp = take_marker(decoder, xmp, sizeof xmp, &image->xmp_count);
}

// a·b/255, rounded.
static inline uint8_t scaled(unsigned a, unsigned b) {
  unsigned product = a * b + 128;
  return (uint8_t)((product + (product >> 8)) >> 8);
}

// Converts CMYK as Adobe stores it (inverted: 255 is no ink) to RGB.
static void convert_row_from_cmyk(const uint8_t *cmyk, uint8_t *rgb, size_t width) {
  for (size_t x = 0; x < width; x++, cmyk += 4, rgb += 3) {
    unsigned white = cmyk[3];
    for (int c = 0; c < 3; c++) rgb[c] = (uint8_t)(white - scaled(255u - cmyk[c], white));
  }
}

static void decode(struct decoder *decoder, uint64_t pixel_limit) {
  struct jpeg_decompress_struct *info = &decoder->info;
  cimaging_image *image = decoder->image;
  jpeg_save_markers(info, JPEG_APP0 + 1, 0xFFFF);
  jpeg_read_header(info, TRUE);
  image->width = (int32_t)info->image_width;
  image->height = (int32_t)info->image_height;
  if ((uint64_t)info->image_width * info->image_height > pixel_limit) fail(decoder, CIMAGING_TOO_LARGE);
  if (info->num_components != 1 && info->num_components != 3 && info->num_components != 4) {
    snprintf(image->message, CIMAGING_MESSAGE_LENGTH, "%d color components", info->num_components);
    fail(decoder, CIMAGING_UNSUPPORTED);
  }
  take_metadata(decoder);
  info->out_color_space = info->num_components == 4 ? JCS_CMYK : JCS_RGB;
  jpeg_start_decompress(info);

  size_t width = info->output_width;
  image->pixels = malloc(width * 3 * info->output_height);
  decoder->row = malloc(width * 4);
  if (!image->pixels || !decoder->row) fail(decoder, CIMAGING_OUT_OF_MEMORY);
  while (info->output_scanline < info->output_height) {
    uint8_t *rgb = image->pixels + (size_t)info->output_scanline * width * 3;
    JSAMPROW target = info->out_color_space == JCS_CMYK ? decoder->row : rgb;
    jpeg_read_scanlines(info, &target, 1);
    if (target != rgb) convert_row_from_cmyk(decoder->row, rgb, width);
  }
  jpeg_finish_decompress(info);
}

// Returns through longjmp on failure; after that, only `decoder`, which the caller owns, is accessed.
static enum cimaging_status run(struct decoder *decoder, uint64_t pixel_limit) {
  if (setjmp(decoder->escape)) return decoder->status;
  jpeg_create_decompress(&decoder->info);
  decoder->info.src = &decoder->source;
  decoder->info.progress = &decoder->progress;
  decode(decoder, pixel_limit);
  return CIMAGING_OK;
}

enum cimaging_status cimaging_decode_jpeg(
    const uint8_t *bytes, size_t count, uint64_t pixel_limit, cimaging_image *image) {
  struct decoder decoder;
  memset(&decoder, 0, sizeof decoder);
  memset(image, 0, sizeof *image);
  decoder.image = image;
  decoder.info.err = jpeg_std_error(&decoder.errors);
  decoder.info.client_data = &decoder;
  decoder.errors.error_exit = on_error;
  decoder.errors.emit_message = on_message;
  decoder.errors.output_message = on_output;
  decoder.progress.progress_monitor = on_progress;
  decoder.source = (struct jpeg_source_mgr){
      .next_input_byte = bytes,
      .bytes_in_buffer = count,
      .init_source = on_source_start,
      .fill_input_buffer = on_source_empty,
      .skip_input_data = on_source_skip,
      .resync_to_restart = jpeg_resync_to_restart,
      .term_source = on_source_end,
  };
  enum cimaging_status status = run(&decoder, pixel_limit);
  jpeg_destroy_decompress(&decoder.info);
  free(decoder.row);
  if (status != CIMAGING_OK) {
    free(image->pixels);
    image->pixels = NULL;
  }
  return status;
}
