// Decoding and encoding of JPEG and PNG behind an interface without setjmp, callbacks or global state.
//
// Ownership: the caller owns the bytes it passes in; they are not kept. Every call fills the result that it is given,
// whether it succeeds or not, and the caller releases that result exactly once with the matching `release` function.
// All functions may be called from several threads at a time.
#ifndef CIMAGING_H
#define CIMAGING_H

#include <stddef.h>
#include <stdint.h>

#define CIMAGING_MESSAGE_LENGTH 200

enum cimaging_status {
  CIMAGING_OK = 0,
  // The bytes end before the picture does.
  CIMAGING_TRUNCATED,
  // The bytes are not what the format demands; `message` says why.
  CIMAGING_DAMAGED,
  // A valid picture of a kind that is not read; `message` names it.
  CIMAGING_UNSUPPORTED,
  // More pixels than the limit; `width` and `height` are set.
  CIMAGING_TOO_LARGE,
  CIMAGING_OUT_OF_MEMORY,
};

// A decoded picture.
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
  // The largest sample of a picture of 16-bit samples; 0 for others.
  uint16_t largest_16;
  char message[CIMAGING_MESSAGE_LENGTH];
} cimaging_picture;

// Bytes that a function here has produced.
typedef struct {
  uint8_t *bytes;
  size_t count;
  char message[CIMAGING_MESSAGE_LENGTH];
} cimaging_bytes;

// Decode one picture; `pixel_limit` bounds width × height before any pixel memory is allocated.
enum cimaging_status cimaging_decode_jpeg(
    const uint8_t *bytes, size_t count, uint64_t pixel_limit, cimaging_picture *picture);
enum cimaging_status cimaging_decode_png(
    const uint8_t *bytes, size_t count, uint64_t pixel_limit, cimaging_picture *picture);

// Encodes width × height × 3 bytes of RGB as an 8-bit PNG.
enum cimaging_status cimaging_encode_png(
    const uint8_t *pixels, int32_t width, int32_t height, cimaging_bytes *png);

// Encodes width × height × 3 bytes of RGB as a baseline JPEG of a quality from 1 to 100, with color at half the resolution.
enum cimaging_status cimaging_encode_jpeg(
    const uint8_t *pixels, int32_t width, int32_t height, int32_t quality, cimaging_bytes *jpeg);

void cimaging_picture_release(cimaging_picture *picture);
void cimaging_bytes_release(cimaging_bytes *bytes);

#endif
