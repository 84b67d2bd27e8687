// The command line: a mode, then key=value pairs. A key that no one asked for is an error, so that a mistyped
// one does not measure something else.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

namespace load {

class Options {
 public:
  Options(int argc, char** argv);

  const std::string& mode() const { return mode_; }
  std::string Text(const std::string& key, const std::string& otherwise);
  int64_t Number(const std::string& key, int64_t otherwise);
  double Fraction(const std::string& key, double otherwise);
  /// Ends the program if a pair was given that nothing has read.
  void MustBeUsed() const;

 private:
  const std::string* Find(const std::string& key);

  std::string mode_;
  std::map<std::string, std::string> pairs_;
  std::set<std::string> used_;
};

}  // namespace load
