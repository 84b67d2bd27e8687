#include "memory_io.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <string>

namespace seglog::test {
namespace {

constexpr int kSeeds = 200;

// Each test body runs on a fresh Io per seed and collects what could be found after the power came back.
class PowerLossTest : public testing::Test {
 protected:
  static std::unique_ptr<File> Open(MemoryIo& io, const std::string& path,
                                    OpenMode mode = OpenMode::kCreate) {
    auto file = io.Open(path, mode);
    EXPECT_TRUE(file.ok()) << file.status().ToString();
    return std::move(*file);
  }
  static void Put(File& file, int64_t position, const std::string& text) {
    const IoSlice slice{reinterpret_cast<const uint8_t*>(text.data()), text.size()};
    ASSERT_TRUE(file.WriteAt(position, &slice, 1).ok());
  }
  static std::string Content(MemoryIo& io, const std::string& path) {
    auto file = io.Open(path, OpenMode::kRead);
    if (!file.ok()) return "<none>";
    std::string text(static_cast<size_t>((*file)->Info()->size), '?');
    EXPECT_TRUE((*file)->ReadAt(0, reinterpret_cast<uint8_t*>(text.data()), text.size()).ok());
    return text;
  }
  static std::string Names(MemoryIo& io, const std::string& path) {
    auto names = io.List(path);
    if (!names.ok()) return "<none>";
    std::string joined;
    for (const std::string& name : *names) joined += name + " ";
    return joined;
  }
};

TEST_F(PowerLossTest, AKillChangesNothing) {
  MemoryIo io;
  const std::string boot = io.BootId();
  {
    const auto file = Open(io, "/a");
    Put(*file, 0, "cached");
    auto mapping = file->Map(4096, true);
    std::memcpy((*mapping)->data(), "C", 1);
  }
  EXPECT_EQ(Content(io, "/a"), "Cached");
  EXPECT_EQ(io.BootId(), boot);
}

TEST_F(PowerLossTest, TheBootIdChanges) {
  MemoryIo io;
  const std::string boot = io.BootId();
  io.PowerLoss(1);
  EXPECT_NE(io.BootId(), boot);
}

TEST_F(PowerLossTest, SyncedContentUnderASyncedNameStays) {
  for (int seed = 0; seed < kSeeds; ++seed) {
    MemoryIo io;
    const auto file = Open(io, "/a");
    ASSERT_TRUE(io.SyncDirectory("/").ok());
    const std::string text(5000, 'x');
    Put(*file, 0, text);
    ASSERT_TRUE(seed % 2 == 0 ? file->Sync().ok() : file->SyncData().ok());
    io.PowerLoss(static_cast<uint64_t>(seed));
    ASSERT_EQ(Content(io, "/a"), text);
    io.PowerLoss(static_cast<uint64_t>(seed) + 1000);  // what was found is durable
    ASSERT_EQ(Content(io, "/a"), text);
  }
}

TEST_F(PowerLossTest, AFilesSyncDoesNotKeepItsName) {
  std::set<std::string> found;
  for (int seed = 0; seed < kSeeds; ++seed) {
    MemoryIo io;
    const auto file = Open(io, "/a");
    Put(*file, 0, "text");
    ASSERT_TRUE(file->Sync().ok());
    io.PowerLoss(static_cast<uint64_t>(seed));
    found.insert(Content(io, "/a"));
  }
  EXPECT_EQ(found, (std::set<std::string>{"<none>", "text"}));
}

TEST_F(PowerLossTest, UnsyncedSectorsAreDroppedKeptTornAndReordered) {
  bool dropped = false, kept = false, torn = false, reordered = false, cut = false,
       sized_without_data = false;
  const std::string before(4 * 512, 'o');
  const std::string after(8 * 512, 'n');
  for (int seed = 0; seed < kSeeds; ++seed) {
    MemoryIo io;
    const auto file = Open(io, "/a");
    ASSERT_TRUE(io.SyncDirectory("/").ok());
    Put(*file, 0, before);
    ASSERT_TRUE(file->Sync().ok());
    Put(*file, 0, after);
    io.PowerLoss(static_cast<uint64_t>(seed));
    const std::string text = Content(io, "/a");
    ASSERT_GE(text.size(), before.size());
    ASSERT_LE(text.size(), after.size());
    cut |= text.size() % 512 != 0;
    bool earlier_dropped = false;
    for (size_t begin = 0; begin < text.size(); begin += 512) {
      const std::string sector = text.substr(begin, 512);
      const char old = begin < before.size() ? 'o' : '\0';
      const auto news = static_cast<size_t>(std::count(sector.begin(), sector.end(), 'n'));
      const auto olds = static_cast<size_t>(std::count(sector.begin(), sector.end(), old));
      ASSERT_EQ(news + olds, sector.size());
      ASSERT_EQ(sector.find('n') == 0 || news == 0, true);  // torn: the front is new
      dropped |= news == 0;
      torn |= news != 0 && olds != 0;
      kept |= olds == 0;
      reordered |= earlier_dropped && news > 0;
      earlier_dropped |= news == 0;
      sized_without_data |= begin >= before.size() && news == 0;
    }
  }
  EXPECT_TRUE(dropped && kept && torn && reordered && cut && sized_without_data);
}

TEST_F(PowerLossTest, MappedRangeSyncKeepsItsPagesAndTheSize) {
  bool outside_lost = false;
  for (int seed = 0; seed < kSeeds; ++seed) {
    MemoryIo io;
    const auto file = Open(io, "/a");
    ASSERT_TRUE(io.SyncDirectory("/").ok());
    ASSERT_TRUE(file->Reserve(0, 4 * 4096).ok());
    auto mapping = file->Map(4 * 4096, true);
    ASSERT_TRUE(mapping.ok());
    std::memset((*mapping)->data(), 'm', 4 * 4096);
    ASSERT_TRUE((*mapping)->Sync(4096 + 10, 2 * 4096 + 1).ok());  // pages 1 and 2
    mapping->reset();
    io.PowerLoss(static_cast<uint64_t>(seed));
    const std::string text = Content(io, "/a");
    ASSERT_EQ(text.size(), 4u * 4096);
    ASSERT_EQ(text.substr(4096, 2 * 4096), std::string(2 * 4096, 'm'));
    outside_lost |= text.find('\0') != std::string::npos;
  }
  EXPECT_TRUE(outside_lost);
}

// A cut is either on disk, and then old bytes never come back, or it is not, and then all of them do.
TEST_F(PowerLossTest, CutAndWrittenAgainIsNeverAMixture) {
  bool cut_kept = false, cut_lost = false;
  const std::string before(4 * 512, 'o');
  for (int seed = 0; seed < kSeeds; ++seed) {
    MemoryIo io;
    const auto file = Open(io, "/a");
    ASSERT_TRUE(io.SyncDirectory("/").ok());
    Put(*file, 0, before);
    ASSERT_TRUE(file->Sync().ok());
    ASSERT_TRUE(file->Truncate(512).ok());
    Put(*file, 512, std::string(3 * 512, 'n'));
    io.PowerLoss(static_cast<uint64_t>(seed));
    const std::string text = Content(io, "/a");
    ASSERT_EQ(text.substr(0, 512), before.substr(0, 512));
    const std::string rest = text.substr(512);
    const bool old = rest.find('o') != std::string::npos;
    if (old) { ASSERT_EQ(rest, before.substr(512)); }
    (old ? cut_lost : cut_kept) = true;
  }
  EXPECT_TRUE(cut_kept && cut_lost);
}

TEST_F(PowerLossTest, ASyncedCutStays) {
  for (int seed = 0; seed < kSeeds; ++seed) {
    MemoryIo io;
    const auto file = Open(io, "/a");
    ASSERT_TRUE(io.SyncDirectory("/").ok());
    Put(*file, 0, std::string(2000, 'o'));
    ASSERT_TRUE(file->Sync().ok());
    ASSERT_TRUE(file->Truncate(100).ok());
    ASSERT_TRUE(file->SyncData().ok());
    io.PowerLoss(static_cast<uint64_t>(seed));
    ASSERT_EQ(Content(io, "/a"), std::string(100, 'o'));
  }
}

TEST_F(PowerLossTest, RenamesAreWholeAndInOrder) {
  std::set<std::string> found;
  for (int seed = 0; seed < kSeeds; ++seed) {
    MemoryIo io;
    Put(*Open(io, "/target"), 0, "old");
    ASSERT_TRUE(Open(io, "/target", OpenMode::kReadWrite)->Sync().ok());
    ASSERT_TRUE(io.SyncDirectory("/").ok());
    const auto file = Open(io, "/temporary");
    Put(*file, 0, "new");
    ASSERT_TRUE(file->Sync().ok());
    ASSERT_TRUE(io.Rename("/temporary", "/target").ok());
    io.PowerLoss(static_cast<uint64_t>(seed));
    found.insert(Names(io, "/") + Content(io, "/target"));
  }
  EXPECT_EQ(found, (std::set<std::string>{"target old", "target temporary old", "target new"}));
}

TEST_F(PowerLossTest, DirectoriesAndRemovalsWaitForTheirParent) {
  std::set<std::string> found;
  for (int seed = 0; seed < kSeeds; ++seed) {
    MemoryIo io;
    ASSERT_TRUE(io.MakeDirectory("/kept").ok());
    Open(io, "/kept/removed");
    ASSERT_TRUE(io.SyncDirectory("/kept").ok());
    ASSERT_TRUE(io.SyncDirectory("/").ok());
    ASSERT_TRUE(io.Remove("/kept/removed").ok());
    ASSERT_TRUE(io.MakeDirectory("/made").ok());
    Open(io, "/made/file");
    ASSERT_TRUE(io.SyncDirectory("/made").ok());  // its own name is not durable
    io.PowerLoss(static_cast<uint64_t>(seed));
    found.insert(Names(io, "/kept") + "| " + Names(io, "/made"));
  }
  EXPECT_EQ(found, (std::set<std::string>{"| <none>", "| file ", "removed | <none>", "removed | file "}));
}

TEST_F(PowerLossTest, TheSameSeedLosesTheSame) {
  std::set<std::string> found;
  for (int run = 0; run < 3; ++run) {
    MemoryIo io;
    const auto file = Open(io, "/a");
    ASSERT_TRUE(io.SyncDirectory("/").ok());
    Put(*file, 0, std::string(20 * 512, 'n'));
    io.PowerLoss(42);
    found.insert(Content(io, "/a"));
  }
  EXPECT_EQ(found.size(), 1u);
}

TEST_F(PowerLossTest, Knobs) {
  MemoryIo io;
  io.set_now_ms(123);
  const auto file = Open(io, "/a");
  Put(*file, 0, "x");
  EXPECT_EQ(file->Info()->modified_ms, 123);
  io.set_cold(true);
  uint8_t byte;
  EXPECT_EQ(file->ReadAtNoWait(0, &byte, 1).status().code(), ErrorCode::kCold);
  EXPECT_TRUE(file->ReadAt(0, &byte, 1).ok());
  io.set_file_system(FileSystemKind::kOther);
  EXPECT_EQ(io.FileSystem("/").value(), FileSystemKind::kOther);
}

}  // namespace
}  // namespace seglog::test
