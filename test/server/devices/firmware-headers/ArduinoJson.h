// Declarations for a syntax check only; see README.md.
#pragma once
#include "Arduino.h"

class JsonObject;
class JsonArray;

class JsonVariant {
 public:
  JsonVariant operator[](const char *key) const;
  JsonVariant operator[](int index) const;
  template <typename T>
  T as() const;
  template <typename T>
  void operator=(const T &value);
};
const char *operator|(const JsonVariant &value, const char *fallback);

class JsonObject {
 public:
  JsonVariant operator[](const char *key) const;
};

class JsonArrayIterator {
 public:
  JsonObject operator*() const;
  JsonArrayIterator &operator++();
  bool operator!=(const JsonArrayIterator &other) const;
};

class JsonArray {
 public:
  JsonArrayIterator begin() const;
  JsonArrayIterator end() const;
};

class JsonDocument {
 public:
  JsonVariant operator[](const char *key);
};

class DeserializationError {};
size_t serializeJson(const JsonDocument &document, String &output);
DeserializationError deserializeJson(JsonDocument &document, const String &input);
