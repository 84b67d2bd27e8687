#include "json_line.h"

#include <cstdio>

namespace load {

void JsonLine::Add(const std::string& name, double value) {
  char number[64];
  std::snprintf(number, sizeof number, "%.15g", value);
  text_ += (text_.empty() ? "\"" : ",\"") + name + "\":" + number;
}

void JsonLine::Print() const { std::printf("{%s}\n", text_.c_str()); }

}  // namespace load
