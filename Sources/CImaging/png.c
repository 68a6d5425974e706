#include "CImaging.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

// All state that must survive a longjmp is stored here, outside the function that calls setjmp.
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
  png_bytep wide;
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

static uint8_t *copied(struct coder *coder, const void *bytes, size_t count) {
  uint8_t *copy = malloc(count ? count : 1);
  if (!copy) fail(coder, CIMAGING_OUT_OF_MEMORY);
  memcpy(copy, bytes, count);
  return copy;
}

static int hexadecimal(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The EXIF block that ImageMagick writes as text: a line feed, the profile's name, its length, and lines of hexadecimal
// digits. Other text is ignored.
static void take_exif_text(struct coder *coder, cimaging_image *image, const char *text) {
  for (int lines = 0; lines < 3; lines++) {
    text = strchr(text, '\n');
    if (!text) return;
    text++;
  }
  image->exif = malloc(strlen(text) / 2 + 1);
  if (!image->exif) fail(coder, CIMAGING_OUT_OF_MEMORY);
  size_t count = 0;
  int high = -1;
  for (; *text; text++) {
    if (strchr(" \t\r\n\v\f", *text)) continue;
    int digit = hexadecimal(*text);
    if (digit < 0) break;
    if (high < 0) {
      high = digit;
    } else {
      image->exif[count++] = (uint8_t)(high << 4 | digit);
      high = -1;
    }
  }
  image->exif_count = count;
}

static void take_metadata(struct coder *coder, cimaging_image *image) {
#ifdef PNG_eXIf_SUPPORTED
  png_bytep exif = NULL;
  png_uint_32 size = 0;
  if (!image->exif && png_get_eXIf_1(coder->png, coder->info, &size, &exif) && size > 0) {
    image->exif = copied(coder, exif, size);
    image->exif_count = size;
  }
#endif
#ifdef PNG_TEXT_SUPPORTED
  png_textp texts = NULL;
  int count = 0;
  png_get_text(coder->png, coder->info, &texts, &count);
  for (int i = 0; i < count; i++) {
    if (!texts[i].key || !texts[i].text) continue;
    if (!image->exif && !strcmp(texts[i].key, "Raw profile type exif")) {
      take_exif_text(coder, image, texts[i].text);
    } else if (!image->xmp && !strcmp(texts[i].key, "XML:com.adobe.xmp")) {
      image->xmp_count = strlen(texts[i].text);
      image->xmp = copied(coder, texts[i].text, image->xmp_count);
    }
  }
#endif
}

// Reads 16-bit samples, keeps the upper 8 bits, and records the largest sample.
static void read_wide(struct coder *coder, size_t width, size_t height, cimaging_image *image) {
  coder->wide = malloc(width * 6 * height);
  if (!coder->wide) fail(coder, CIMAGING_OUT_OF_MEMORY);
  for (size_t y = 0; y < height; y++) coder->rows[y] = coder->wide + y * width * 6;
  png_read_image(coder->png, coder->rows);
  for (size_t i = 0; i < width * 3 * height; i++) {
    uint16_t sample = (uint16_t)(coder->wide[2 * i] << 8 | coder->wide[2 * i + 1]);
    if (sample > image->largest_16) image->largest_16 = sample;
    image->pixels[i] = coder->wide[2 * i];
  }
}

// Converts any PNG to 8-bit RGB: palettes are resolved, gray is repeated, fewer bits are scaled up, 16-bit samples keep
// the upper 8 bits, and alpha is dropped.
static void decode(struct coder *coder, uint64_t pixel_limit, cimaging_image *image) {
  png_structp png = coder->png;
  png_set_read_fn(png, coder, on_read);
  png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
  png_read_info(png, coder->info);
  size_t width = png_get_image_width(png, coder->info);
  size_t height = png_get_image_height(png, coder->info);
  image->width = (int32_t)width;
  image->height = (int32_t)height;
  if ((uint64_t)width * height > pixel_limit) fail(coder, CIMAGING_TOO_LARGE);

  png_set_expand(png);
  png_set_strip_alpha(png);
  png_set_gray_to_rgb(png);
  png_set_interlace_handling(png);
  png_read_update_info(png, coder->info);
  size_t bytes = png_get_bit_depth(png, coder->info) == 16 ? 2 : 1;
  if (png_get_rowbytes(png, coder->info) != width * 3 * bytes) png_error(png, "rows of unexpected length");

  image->pixels = malloc(width * 3 * height);
  coder->rows = malloc(height * sizeof *coder->rows);
  if (!image->pixels || !coder->rows) fail(coder, CIMAGING_OUT_OF_MEMORY);
  if (bytes == 2) {
    read_wide(coder, width, height, image);
  } else {
    for (size_t y = 0; y < height; y++) coder->rows[y] = image->pixels + y * width * 3;
    png_read_image(png, coder->rows);
  }
  png_read_end(png, coder->info);
  take_metadata(coder, image);
}

static enum cimaging_status run_decode(struct coder *coder, uint64_t pixel_limit, cimaging_image *image) {
  if (setjmp(png_jmpbuf(coder->png))) return coder->status;
  decode(coder, pixel_limit, image);
  return CIMAGING_OK;
}

enum cimaging_status cimaging_decode_png(
    const uint8_t *bytes, size_t count, uint64_t pixel_limit, cimaging_image *image) {
  memset(image, 0, sizeof *image);
  struct coder coder = {.message = image->message, .next = bytes, .left = count};
  coder.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &coder, on_error, on_warning);
  coder.info = coder.png ? png_create_info_struct(coder.png) : NULL;
  enum cimaging_status status =
      coder.info ? run_decode(&coder, pixel_limit, image) : CIMAGING_OUT_OF_MEMORY;
  png_destroy_read_struct(&coder.png, &coder.info, NULL);
  free(coder.rows);
  free(coder.wide);
  if (status != CIMAGING_OK) {
    free(image->pixels);
    image->pixels = NULL;
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

void cimaging_image_release(cimaging_image *image) {
  free(image->pixels);
  free(image->exif);
  free(image->xmp);
  image->pixels = NULL;
  image->exif = NULL;
  image->xmp = NULL;
}

void cimaging_bytes_release(cimaging_bytes *bytes) {
  free(bytes->bytes);
  bytes->bytes = NULL;
  bytes->count = 0;
}
