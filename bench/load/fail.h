// A load generator has one answer to whatever goes wrong: it says so and ends, since a figure measured around
// an error is worth nothing.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>

namespace load {

[[noreturn]] inline void Fail(const std::string& what) {
  std::fprintf(stderr, "load: %s\n", what.c_str());
  std::exit(1);
}

}  // namespace load
