// Declarations for a syntax check only; see README.md.
#pragma once
#include <cstddef>
#include <cstdint>

typedef int esp_err_t;
#define ESP_OK 0

typedef enum { LEDC_TIMER_0 } ledc_timer_t;
typedef enum { LEDC_CHANNEL_0 } ledc_channel_t;
typedef enum { PIXFORMAT_RGB565, PIXFORMAT_YUV422, PIXFORMAT_GRAYSCALE, PIXFORMAT_JPEG, PIXFORMAT_RGB888 } pixformat_t;
typedef enum { FRAMESIZE_QQVGA = 1, FRAMESIZE_QVGA = 5, FRAMESIZE_CIF, FRAMESIZE_VGA = 8 } framesize_t;
typedef enum { CAMERA_FB_IN_PSRAM, CAMERA_FB_IN_DRAM } camera_fb_location_t;
typedef enum { CAMERA_GRAB_WHEN_EMPTY, CAMERA_GRAB_LATEST } camera_grab_mode_t;
typedef enum { OV2640_PID = 0x26, OV3660_PID = 0x3660, OV5640_PID = 0x5640 } camera_pid_t;

typedef struct {
  int pin_pwdn, pin_reset, pin_xclk, pin_sccb_sda, pin_sccb_scl;
  int pin_d7, pin_d6, pin_d5, pin_d4, pin_d3, pin_d2, pin_d1, pin_d0;
  int pin_vsync, pin_href, pin_pclk;
  int xclk_freq_hz;
  ledc_timer_t ledc_timer;
  ledc_channel_t ledc_channel;
  pixformat_t pixel_format;
  framesize_t frame_size;
  int jpeg_quality;
  size_t fb_count;
  camera_fb_location_t fb_location;
  camera_grab_mode_t grab_mode;
} camera_config_t;

typedef struct {
  uint8_t *buf;
  size_t len, width, height;
  pixformat_t format;
} camera_fb_t;

typedef struct {
  uint8_t MIDH, MIDL;
  uint16_t PID;
  uint8_t VER;
} sensor_id_t;

typedef struct {
  framesize_t framesize;
  uint8_t quality;
  int8_t brightness, contrast, saturation, sharpness;
  uint8_t denoise, wb_mode, awb, awb_gain, aec;
  uint16_t aec_value;
  uint8_t agc, agc_gain, gainceiling, bpc, wpc, raw_gma, lenc;
} camera_status_t;

typedef struct _sensor sensor_t;
struct _sensor {
  sensor_id_t id;
  camera_status_t status;
  int (*get_reg)(sensor_t *sensor, int reg, int mask);
  int (*set_reg)(sensor_t *sensor, int reg, int mask, int value);
};

extern "C" {
esp_err_t esp_camera_init(const camera_config_t *config);
camera_fb_t *esp_camera_fb_get(void);
void esp_camera_fb_return(camera_fb_t *frame);
sensor_t *esp_camera_sensor_get(void);
}
