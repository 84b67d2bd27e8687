// Runs a libFuzzer target without libFuzzer: every file of the corpus, then -runs=N random mutations of them.
//   PROGRAM [-runs=N] [-seed=N] DIR_OR_FILE...
// No coverage guides it, so it finds less than libFuzzer; it replays what libFuzzer found, with any compiler.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

using Bytes = std::vector<uint8_t>;

Bytes ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Bytes Mutated(Bytes bytes, const std::vector<Bytes>& corpus, std::mt19937_64& random) {
  static constexpr uint8_t kEdges[] = {0x00, 0x01, 0x7f, 0x80, 0x81, 0xfe, 0xff};
  for (uint64_t left = 1 + random() % 6; left > 0; --left) {
    const size_t at = bytes.empty() ? 0 : random() % bytes.size();
    const auto place = bytes.begin() + static_cast<std::ptrdiff_t>(at);
    switch (bytes.empty() ? 3 : random() % 7) {
      case 0:
        bytes[at] ^= static_cast<uint8_t>(1u << (random() % 8));
        break;
      case 1:
        bytes[at] = static_cast<uint8_t>(random());
        break;
      case 2:
        bytes[at] = kEdges[random() % std::size(kEdges)];
        break;
      case 3:
        bytes.insert(place, kEdges[random() % std::size(kEdges)]);
        break;
      case 4:
        bytes.erase(place);
        break;
      case 5:
        bytes.resize(at);
        break;
      default: {
        const Bytes& other = corpus[random() % corpus.size()];
        bytes.insert(place, other.begin(), other.end());
      }
    }
  }
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  uint64_t runs = 0;
  uint64_t seed = 1;
  std::vector<Bytes> corpus;
  for (int i = 1; i < argc; ++i) {
    const std::string arg = argv[i];
    if (arg.rfind("-runs=", 0) == 0) {
      runs = std::strtoull(arg.c_str() + 6, nullptr, 10);
    } else if (arg.rfind("-seed=", 0) == 0) {
      seed = std::strtoull(arg.c_str() + 6, nullptr, 10);
    } else if (std::filesystem::is_directory(arg)) {
      std::vector<std::filesystem::path> paths;
      for (const auto& entry : std::filesystem::directory_iterator(arg)) paths.push_back(entry.path());
      std::sort(paths.begin(), paths.end());
      for (const auto& path : paths) corpus.push_back(ReadFile(path));
    } else {
      corpus.push_back(ReadFile(arg));
    }
  }
  for (const Bytes& bytes : corpus) LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  const size_t replayed = corpus.size();
  if (corpus.empty()) corpus.emplace_back();
  std::mt19937_64 random(seed);
  for (uint64_t run = 0; run < runs; ++run) {
    const Bytes bytes = Mutated(corpus[random() % corpus.size()], corpus, random);
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  }
  std::printf("%zu inputs replayed, %llu mutations run\n", replayed, static_cast<unsigned long long>(runs));
  return 0;
}
