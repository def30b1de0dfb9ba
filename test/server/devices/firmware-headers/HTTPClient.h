// Declarations for a syntax check only; see README.md.
#pragma once
#include "Arduino.h"

class HTTPClient {
 public:
  bool begin(String url);
  void end();
  void setTimeout(uint16_t timeoutMs);
  void addHeader(const String &name, const String &value, bool first = false, bool replace = true);
  int POST(uint8_t *payload, size_t size);
  int POST(String payload);
  String getString();
};
