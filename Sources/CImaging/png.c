#include "CImaging.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

// Everything that must survive a longjmp lives here, outside the function that calls setjmp.
struct coder {
  png_structp png;
  png_infop info;
  enum cimaging_status status;
  char *message;
  png_bytepp rows;
  const uint8_t *next;
  size_t left;
  cimaging_bytes *output;
  size_t capacity;
};

static _Noreturn void fail(struct coder *coder, enum cimaging_status status) {
  coder->status = status;
  png_longjmp(coder->png, 1);
}

static _Noreturn void on_error(png_structp png, png_const_charp text) {
  struct coder *coder = png_get_error_ptr(png);
  snprintf(coder->message, CIMAGING_MESSAGE_LENGTH, "%s", text);
  fail(coder, CIMAGING_DAMAGED);
}

static void on_warning(png_structp png, png_const_charp text) { (void)png, (void)text; }

static void on_read(png_structp png, png_bytep target, size_t count) {
  struct coder *coder = png_get_io_ptr(png);
  if (count > coder->left) fail(coder, CIMAGING_TRUNCATED);
  memcpy(target, coder->next, count);
  coder->next += count;
  coder->left -= count;
}

static void on_write(png_structp png, png_bytep source, size_t count) {
  struct coder *coder = png_get_io_ptr(png);
  cimaging_bytes *output = coder->output;
  if (count > coder->capacity - output->count) {
    size_t capacity = 2 * coder->capacity + count + 4096;
    uint8_t *bytes = realloc(output->bytes, capacity);
    if (!bytes) fail(coder, CIMAGING_OUT_OF_MEMORY);
    output->bytes = bytes;
    coder->capacity = capacity;
  }
  memcpy(output->bytes + output->count, source, count);
  output->count += count;
}

static void on_flush(png_structp png) { (void)png; }

static void take_exif(struct coder *coder, cimaging_picture *picture) {
#ifdef PNG_eXIf_SUPPORTED
  png_bytep exif = NULL;
  png_uint_32 count = 0;
  if (picture->exif || !png_get_eXIf_1(coder->png, coder->info, &count, &exif) || count == 0) return;
  picture->exif = malloc(count);
  if (!picture->exif) fail(coder, CIMAGING_OUT_OF_MEMORY);
  memcpy(picture->exif, exif, count);
  picture->exif_count = count;
#endif
}

// Any PNG → 8-bit RGB: palettes looked up, gray repeated, fewer bits scaled up, of 16 bits the upper 8, no alpha.
static void decode(struct coder *coder, uint64_t pixel_limit, cimaging_picture *picture) {
  png_structp png = coder->png;
  png_set_read_fn(png, coder, on_read);
  png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
  png_read_info(png, coder->info);
  size_t width = png_get_image_width(png, coder->info);
  size_t height = png_get_image_height(png, coder->info);
  picture->width = (int32_t)width;
  picture->height = (int32_t)height;
  if ((uint64_t)width * height > pixel_limit) fail(coder, CIMAGING_TOO_LARGE);

  png_set_expand(png);
  png_set_strip_16(png);
  png_set_strip_alpha(png);
  png_set_gray_to_rgb(png);
  png_set_interlace_handling(png);
  png_read_update_info(png, coder->info);
  if (png_get_rowbytes(png, coder->info) != width * 3) png_error(png, "rows of unexpected length");

  picture->pixels = malloc(width * 3 * height);
  coder->rows = malloc(height * sizeof *coder->rows);
  if (!picture->pixels || !coder->rows) fail(coder, CIMAGING_OUT_OF_MEMORY);
  for (size_t y = 0; y < height; y++) coder->rows[y] = picture->pixels + y * width * 3;
  png_read_image(png, coder->rows);
  png_read_end(png, coder->info);
  take_exif(coder, picture);
}

static enum cimaging_status run_decode(struct coder *coder, uint64_t pixel_limit, cimaging_picture *picture) {
  if (setjmp(png_jmpbuf(coder->png))) return coder->status;
  decode(coder, pixel_limit, picture);
  return CIMAGING_OK;
}

enum cimaging_status cimaging_decode_png(
    const uint8_t *bytes, size_t count, uint64_t pixel_limit, cimaging_picture *picture) {
  memset(picture, 0, sizeof *picture);
  struct coder coder = {.message = picture->message, .next = bytes, .left = count};
  coder.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &coder, on_error, on_warning);
  coder.info = coder.png ? png_create_info_struct(coder.png) : NULL;
  enum cimaging_status status =
      coder.info ? run_decode(&coder, pixel_limit, picture) : CIMAGING_OUT_OF_MEMORY;
  png_destroy_read_struct(&coder.png, &coder.info, NULL);
  free(coder.rows);
  if (status != CIMAGING_OK) {
    free(picture->pixels);
    picture->pixels = NULL;
  }
  return status;
}

static enum cimaging_status run_encode(
    struct coder *coder, const uint8_t *pixels, int32_t width, int32_t height) {
  if (setjmp(png_jmpbuf(coder->png))) return coder->status;
  png_set_write_fn(coder->png, coder, on_write, on_flush);
  png_set_user_limits(coder->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
  png_set_IHDR(coder->png, coder->info, (png_uint_32)width, (png_uint_32)height, 8, PNG_COLOR_TYPE_RGB,
               PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(coder->png, coder->info);
  for (int32_t y = 0; y < height; y++) png_write_row(coder->png, pixels + (size_t)y * (size_t)width * 3);
  png_write_end(coder->png, coder->info);
  return CIMAGING_OK;
}

enum cimaging_status cimaging_encode_png(
    const uint8_t *pixels, int32_t width, int32_t height, cimaging_bytes *png) {
  memset(png, 0, sizeof *png);
  struct coder coder = {.message = png->message, .output = png};
  coder.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &coder, on_error, on_warning);
  coder.info = coder.png ? png_create_info_struct(coder.png) : NULL;
  enum cimaging_status status = coder.info ? run_encode(&coder, pixels, width, height) : CIMAGING_OUT_OF_MEMORY;
  png_destroy_write_struct(&coder.png, &coder.info);
  return status;
}

void cimaging_picture_release(cimaging_picture *picture) {
  free(picture->pixels);
  free(picture->exif);
  picture->pixels = NULL;
  picture->exif = NULL;
}

void cimaging_bytes_release(cimaging_bytes *bytes) {
  free(bytes->bytes);
  bytes->bytes = NULL;
  bytes->count = 0;
}
