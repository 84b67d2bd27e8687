#include "options.h"

#include <charconv>

#include "fail.h"

namespace load {

namespace {

template <typename Value>
Value Parse(const std::string& key, const std::string& text) {
  Value value{};
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || at != end) Fail(key + "=" + text + " is not a number");
  return value;
}

}  // namespace

Options::Options(int argc, char** argv) {
  if (argc < 2) Fail("usage: load MODE [KEY=VALUE...] (see bench/README.md)");
  mode_ = argv[1];
  for (int i = 2; i < argc; ++i) {
    const std::string pair = argv[i];
    const size_t equals = pair.find('=');
    if (equals == std::string::npos) Fail("not a KEY=VALUE: " + pair);
    pairs_[pair.substr(0, equals)] = pair.substr(equals + 1);
  }
}

const std::string* Options::Find(const std::string& key) {
  used_.insert(key);
  const auto found = pairs_.find(key);
  return found == pairs_.end() ? nullptr : &found->second;
}

std::string Options::Text(const std::string& key, const std::string& otherwise) {
  const std::string* const text = Find(key);
  return text == nullptr ? otherwise : *text;
}

int64_t Options::Number(const std::string& key, int64_t otherwise) {
  const std::string* const text = Find(key);
  return text == nullptr ? otherwise : Parse<int64_t>(key, *text);
}

double Options::Fraction(const std::string& key, double otherwise) {
  const std::string* const text = Find(key);
  return text == nullptr ? otherwise : Parse<double>(key, *text);
}

void Options::MustBeUsed() const {
  for (const auto& [key, value] : pairs_) {
    if (!used_.contains(key)) Fail("mode " + mode_ + " has no option " + key);
  }
}

}  // namespace load
