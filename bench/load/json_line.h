// One result as one line of JSON on standard output.
#pragma once

#include <cstdint>
#include <string>

namespace load {

class JsonLine {
 public:
  void Add(const std::string& name, double value);
  void Print() const;

 private:
  std::string text_;
};

}  // namespace load
