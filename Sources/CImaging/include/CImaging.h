// Decoding and encoding of JPEG and PNG behind an interface without setjmp, callbacks or global state.
//
// Ownership: the caller owns the bytes that it passes; they are not kept. Every call fills its result, whether it
// succeeds or not, and the caller releases the result exactly once with the matching `release` function. All functions
// can be called from several threads at once.
#ifndef CIMAGING_H
#define CIMAGING_H

#include <stddef.h>
#include <stdint.h>

#define CIMAGING_MESSAGE_LENGTH 200

enum cimaging_status {
  CIMAGING_OK = 0,
  // The bytes end before the image does.
  CIMAGING_TRUNCATED,
  // The bytes violate the format; `message` states how.
  CIMAGING_DAMAGED,
  // A valid image of an unsupported kind; `message` names it.
  CIMAGING_UNSUPPORTED,
  // More pixels than the limit; `width` and `height` are set.
  CIMAGING_TOO_LARGE,
  CIMAGING_OUT_OF_MEMORY,
};

// A decoded image.
typedef struct {
  int32_t width;
  int32_t height;
  // width × height × 3 bytes, interleaved RGB, top row first; NULL unless the status is CIMAGING_OK.
  uint8_t *pixels;
  // The EXIF block, starting at its TIFF header; NULL if there is none.
  uint8_t *exif;
  size_t exif_count;
  // An XMP packet, in UTF-8; NULL if there is none.
  uint8_t *xmp;
  size_t xmp_count;
  // The largest sample of an image with 16-bit samples; 0 for others.
  uint16_t largest_16;
  char message[CIMAGING_MESSAGE_LENGTH];
} cimaging_image;

// Bytes that a function of this header has produced.
typedef struct {
  uint8_t *bytes;
  size_t count;
  char message[CIMAGING_MESSAGE_LENGTH];
} cimaging_bytes;

// Decodes one image; `pixel_limit` bounds width × height before pixel memory is allocated.
enum cimaging_status cimaging_decode_jpeg(
    const uint8_t *bytes, size_t count, uint64_t pixel_limit, cimaging_image *image);
enum cimaging_status cimaging_decode_png(
    const uint8_t *bytes, size_t count, uint64_t pixel_limit, cimaging_image *image);

// Encodes width × height × 3 bytes of RGB as an 8-bit PNG.
enum cimaging_status cimaging_encode_png(
    const uint8_t *pixels, int32_t width, int32_t height, cimaging_bytes *png);

// Encodes width × height × 3 bytes of RGB as a baseline JPEG of a quality from 1 to 100, with color at half the resolution.
enum cimaging_status cimaging_encode_jpeg(
    const uint8_t *pixels, int32_t width, int32_t height, int32_t quality, cimaging_bytes *jpeg);

void cimaging_image_release(cimaging_image *image);
void cimaging_bytes_release(cimaging_bytes *bytes);

#endif
