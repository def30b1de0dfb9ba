// facepool_camera: an AI-Thinker ESP32-CAM that posts raw RGB565 frames to a facepool server, says what its OV2640 really does, and
// takes commands from the answer to its heartbeat.
//
// NOT RUN ON A BOARD: written from the data sheets and from the source of the esp32-camera driver. Check the serial log at 115200
// baud at the first start.
//
// Needs: Arduino core for ESP32 2.0 or newer (board "AI Thinker ESP32-CAM", PSRAM enabled) and the library ArduinoJson 7.

#include <Arduino.h>
#include <ArduinoJson.h>
#include <HTTPClient.h>
#include <WiFi.h>
#include "esp_camera.h"

// ---- yours -----------------------------------------------------------------------------------------------------------------------
static const char *WIFI_NAME = "your-network";
static const char *WIFI_PASSWORD = "your-password";
static const char *SERVER = "http://192.0.2.10:8000";  // printed by the server at its start
static const char *DEVICE_ID = "esp32-cam-1";
static const char *DEVICE_NAME = "Front door";
static const char *DEVICE_KEY = "";                    // the server's DEVICE_KEY where ACCESS=strict, else empty
static const uint32_t FRAME_EVERY_MS = 1000;
static const uint32_t HEARTBEAT_EVERY_MS = 15000;
// ----------------------------------------------------------------------------------------------------------------------------------

// 320x240: 153,600 bytes. Larger raw frames fit into PSRAM, but Wi-Fi while the DMA runs loses lines of them on this chip.
static const framesize_t FRAME_SIZE = FRAMESIZE_QVGA;
static const uint32_t HTTP_TIMEOUT_MS = 8000;

// OV2640 data sheet 1.6, tables 12 and 13. The driver's get_reg takes the bank in bit 8: 0 DSP, 1 sensor.
static const int SENSOR_BANK = 0x100;
static const int REG_GAIN = SENSOR_BANK | 0x00;   // analogue gain, read back from the automatic control
static const int REG_REG04 = SENSOR_BANK | 0x04;  // bits 1:0 are exposure lines 1:0
static const int REG_AEC = SENSOR_BANK | 0x10;    // exposure lines 9:2
static const int REG_REG45 = SENSOR_BANK | 0x45;  // bits 5:0 are exposure lines 15:10
static const int REG_WB_RED = 0xCC;               // DSP bank: manual white-balance gains, 0x40 is a factor of one
static const int REG_WB_GREEN = 0xCD;
static const int REG_WB_BLUE = 0xCE;

static uint32_t frameNumber = 0;
static uint32_t lastFrameMs = 0;
static uint32_t lastHeartbeatMs = 0;
static bool snapshotWanted = false;

static camera_config_t cameraConfig() {
  camera_config_t config = {};
  config.pin_pwdn = 32;
  config.pin_reset = -1;
  config.pin_xclk = 0;
  config.pin_sccb_sda = 26;
  config.pin_sccb_scl = 27;
  config.pin_d7 = 35;
  config.pin_d6 = 34;
  config.pin_d5 = 39;
  config.pin_d4 = 36;
  config.pin_d3 = 21;
  config.pin_d2 = 19;
  config.pin_d1 = 18;
  config.pin_d0 = 5;
  config.pin_vsync = 25;
  config.pin_href = 23;
  config.pin_pclk = 22;
  config.xclk_freq_hz = 20000000;
  config.ledc_timer = LEDC_TIMER_0;
  config.ledc_channel = LEDC_CHANNEL_0;
  config.pixel_format = PIXFORMAT_RGB565;  // high byte first, as the sensor sends it
  config.frame_size = FRAME_SIZE;
  config.fb_count = 2;
  config.fb_location = CAMERA_FB_IN_PSRAM;
  config.grab_mode = CAMERA_GRAB_LATEST;
  return config;
}

// Data sheet, register 0x00: each of bits 7 to 4 doubles, bits 3:0 add sixteenths.
static float gainOf(int value) {
  float gain = 1.0f + (value & 0x0F) / 16.0f;
  for (int bit = 4; bit < 8; bit++) {
    if (value & (1 << bit)) gain *= 2.0f;
  }
  return gain;
}

static void addHeader(HTTPClient &http, const char *name, const String &value) { http.addHeader(name, value); }

// What the registers say now. The driver's own fields (status.aec_value, status.agc_gain) are those of the last setter call, and stale
// in automatic mode. A read that fails gives a negative number: then the header is left out, and the server estimates.
static void describeSensor(HTTPClient &http, sensor_t *sensor) {
  const int gain = sensor->get_reg(sensor, REG_GAIN, 0xFF);
  if (gain >= 0) addHeader(http, "X-Sensor-Gain", String(gainOf(gain), 3));
  const int low = sensor->get_reg(sensor, REG_REG04, 0x03);
  const int middle = sensor->get_reg(sensor, REG_AEC, 0xFF);
  const int high = sensor->get_reg(sensor, REG_REG45, 0x3F);
  if (low >= 0 && middle >= 0 && high >= 0) {
    addHeader(http, "X-Sensor-Exposure-Lines", String((high << 10) | (middle << 2) | low));
  }
  const bool automatic = sensor->status.awb != 0 && sensor->status.wb_mode == 0;
  addHeader(http, "X-Sensor-Awb", automatic ? "1" : "0");
  addHeader(http, "X-Sensor-Wb-Mode", String(sensor->status.wb_mode));
  if (sensor->status.wb_mode != 0) {
    // Of a fixed mode these are the gains in use; what the automatic mode applies cannot be read back.
    const int red = sensor->get_reg(sensor, REG_WB_RED, 0xFF);
    const int green = sensor->get_reg(sensor, REG_WB_GREEN, 0xFF);
    const int blue = sensor->get_reg(sensor, REG_WB_BLUE, 0xFF);
    if (red > 0 && green > 0 && blue > 0) {
      addHeader(http, "X-Sensor-Awb-Gains",
                String(red / 64.0f, 3) + "," + String(green / 64.0f, 3) + "," + String(blue / 64.0f, 3));
    }
  }
  addHeader(http, "X-Sensor-Model", sensor->id.PID == OV2640_PID ? "OV2640" : "unknown");
  addHeader(http, "X-Sensor-Gamma", String(sensor->status.raw_gma));
  addHeader(http, "X-Sensor-Brightness", String(sensor->status.brightness));
  addHeader(http, "X-Sensor-Contrast", String(sensor->status.contrast));
  addHeader(http, "X-Sensor-Saturation", String(sensor->status.saturation));
  addHeader(http, "X-Sensor-Lens-Correction", String(sensor->status.lenc));
  addHeader(http, "X-Sensor-Bpc", String(sensor->status.bpc));
  addHeader(http, "X-Sensor-Wpc", String(sensor->status.wpc));
}

static bool beginCall(HTTPClient &http, const char *path) {
  if (!http.begin(String(SERVER) + path)) return false;
  http.setTimeout(HTTP_TIMEOUT_MS);
  if (DEVICE_KEY[0] != '\0') http.addHeader("X-API-Key", DEVICE_KEY);
  return true;
}

static void postFrame() {
  camera_fb_t *frame = esp_camera_fb_get();
  if (frame == nullptr) {
    Serial.println("no frame from the sensor");
    return;
  }
  HTTPClient http;
  // The driver now and then gives a frame that is cut short; the server would refuse it.
  const bool whole = frame->len == static_cast<size_t>(frame->width) * frame->height * 2;
  if (whole && beginCall(http, "/api/v1/stream/stream")) {
    http.addHeader("Content-Type", "application/octet-stream");
    http.addHeader("X-Device-Id", DEVICE_ID);
    http.addHeader("X-Frame-Width", String(frame->width));
    http.addHeader("X-Frame-Height", String(frame->height));
    http.addHeader("X-Frame-Format", "RGB565");
    http.addHeader("X-Frame-Seq", String(frameNumber++));
    http.addHeader("X-Frame-Timestamp", String(millis()));
    describeSensor(http, esp_camera_sensor_get());
    const int status = http.POST(frame->buf, frame->len);
    // 429: the server has more frames than it can look at, and this one does not matter.
    if (status != 200 && status != 429) Serial.printf("frame: %d\n", status);
    http.end();
  }
  esp_camera_fb_return(frame);
}

static void obey(JsonObject command) {
  const char *name = command["command"] | "";
  Serial.printf("command: %s\n", name);
  if (strcmp(name, "restart") == 0) ESP.restart();
  if (strcmp(name, "snapshot") == 0) snapshotWanted = true;
}

static void postJson(const char *path, JsonDocument &body, JsonDocument *answer) {
  HTTPClient http;
  if (!beginCall(http, path)) return;
  http.addHeader("Content-Type", "application/json");
  String text;
  serializeJson(body, text);
  const int status = http.POST(text);
  if (status != 200) Serial.printf("%s: %d\n", path, status);
  if (status == 200 && answer != nullptr) deserializeJson(*answer, http.getString());
  http.end();
}

static void registerDevice() {
  JsonDocument body;
  body["deviceId"] = DEVICE_ID;
  body["deviceName"] = DEVICE_NAME;
  body["deviceType"] = "camera";
  body["ipAddress"] = WiFi.localIP().toString();
  body["capabilities"][0] = "rgb565";
  postJson("/api/v1/devices/register", body, nullptr);
}

static void sendHeartbeat() {
  JsonDocument body;
  body["deviceId"] = DEVICE_ID;
  body["uptime"] = millis() / 1000;
  body["freeHeap"] = ESP.getFreeHeap();
  body["wifiRssi"] = WiFi.RSSI();
  body["status"] = "online";
  JsonDocument answer;
  postJson("/api/v1/devices/heartbeat", body, &answer);
  for (JsonObject command : answer["commands"].as<JsonArray>()) obey(command);
}

static void connectWifi() {
  WiFi.mode(WIFI_STA);
  WiFi.begin(WIFI_NAME, WIFI_PASSWORD);
  for (int tries = 0; WiFi.status() != WL_CONNECTED; tries++) {
    if (tries == 60) ESP.restart();
    delay(500);
  }
  Serial.printf("connected as %s\n", WiFi.localIP().toString().c_str());
  registerDevice();
}

void setup() {
  Serial.begin(115200);
  const camera_config_t config = cameraConfig();
  const esp_err_t outcome = esp_camera_init(&config);
  if (outcome != ESP_OK) {
    Serial.printf("the camera does not start: 0x%x\n", outcome);
    delay(5000);
    ESP.restart();
  }
  connectWifi();
}

void loop() {
  if (WiFi.status() != WL_CONNECTED) connectWifi();
  const uint32_t now = millis();
  if (lastHeartbeatMs == 0 || now - lastHeartbeatMs >= HEARTBEAT_EVERY_MS) {
    lastHeartbeatMs = now;
    sendHeartbeat();
  }
  if (snapshotWanted || now - lastFrameMs >= FRAME_EVERY_MS) {
    snapshotWanted = false;
    lastFrameMs = now;
    postFrame();
  }
  delay(5);
}
