// Declarations for a syntax check only; see README.md.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>

class String {
 public:
  String(const char *text = "");
  String(const String &text);
  explicit String(char value);
  explicit String(unsigned char value, unsigned char base = 10);
  explicit String(int value, unsigned char base = 10);
  explicit String(unsigned int value, unsigned char base = 10);
  explicit String(long value, unsigned char base = 10);
  explicit String(unsigned long value, unsigned char base = 10);
  explicit String(float value, unsigned int decimalPlaces = 2);
  explicit String(double value, unsigned int decimalPlaces = 2);
  String &operator=(const String &text);
  const char *c_str() const;
  unsigned int length() const;
};
String operator+(const String &left, const String &right);

class HardwareSerial {
 public:
  void begin(unsigned long baud);
  size_t println(const char *text);
  size_t printf(const char *format, ...) __attribute__((format(printf, 2, 3)));
};
extern HardwareSerial Serial;

class EspClass {
 public:
  void restart();
  uint32_t getFreeHeap();
};
extern EspClass ESP;

unsigned long millis();
void delay(uint32_t ms);

void setup();
void loop();
