#include "io.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <numeric>
#include <vector>

#include "memory_io.h"

namespace seglog {
namespace {

// The contract of io.h, for every Io that engine tests run on.
class Ios : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (GetParam() == std::string("memory")) {
      io_ = &memory_;
      root_ = "/root";
      ASSERT_TRUE(io_->MakeDirectory(root_).ok());
      return;
    }
    io_ = &SystemIo();
    char name[] = "/tmp/seglog-io-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    root_ = name;
  }
  void TearDown() override { EXPECT_TRUE(io_->RemoveTree(root_).ok()); }

  std::unique_ptr<File> Open(const std::string& name, OpenMode mode = OpenMode::kCreate) {
    auto file = io_->Open(root_ + "/" + name, mode);
    EXPECT_TRUE(file.ok()) << file.status().ToString();
    return std::move(*file);
  }
  ErrorCode OpenCode(const std::string& name, OpenMode mode) {
    return io_->Open(root_ + "/" + name, mode).status().code();
  }
  static Status Put(File& file, int64_t position, const std::string& text) {
    const IoSlice slice{reinterpret_cast<const uint8_t*>(text.data()), text.size()};
    return file.WriteAt(position, &slice, 1);
  }
  static std::string Get(File& file, int64_t position, size_t size) {
    std::string text(size, '?');
    auto got = file.ReadAt(position, reinterpret_cast<uint8_t*>(text.data()), size);
    EXPECT_TRUE(got.ok());
    text.resize(*got);
    return text;
  }

  test::MemoryIo memory_;
  Io* io_ = nullptr;
  std::string root_;
};

INSTANTIATE_TEST_SUITE_P(All, Ios, testing::Values("system", "memory"),
                         [](const auto& io) { return std::string(io.param); });

TEST_P(Ios, OpenModes) {
  EXPECT_EQ(OpenCode("a", OpenMode::kRead), ErrorCode::kNotFound);
  EXPECT_EQ(OpenCode("a", OpenMode::kReadWrite), ErrorCode::kNotFound);
  EXPECT_EQ(OpenCode("a", OpenMode::kCreateExclusive), ErrorCode::kOk);
  const auto again = io_->Open(root_ + "/a", OpenMode::kCreateExclusive);
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.status().detail().sys_errno, EEXIST);
  EXPECT_EQ(again.status().detail().path, root_ + "/a");
  EXPECT_EQ(OpenCode("a", OpenMode::kCreate), ErrorCode::kOk);
  EXPECT_EQ(OpenCode("a/b", OpenMode::kCreate), ErrorCode::kNotDirectory);
  EXPECT_EQ(OpenCode("none/b", OpenMode::kCreate), ErrorCode::kNotFound);
  EXPECT_FALSE(Put(*Open("a", OpenMode::kRead), 0, "x").ok());
}

TEST_P(Ios, ReadsAreShortOnlyAtTheEnd) {
  const auto file = Open("a");
  ASSERT_TRUE(Put(*file, 3, "hello").ok());
  EXPECT_EQ(Get(*file, 0, 100), std::string("\0\0\0hello", 8));
  EXPECT_EQ(Get(*file, 4, 2), "el");
  EXPECT_EQ(Get(*file, 8, 10), "");
  EXPECT_EQ(Get(*file, 100, 10), "");
  uint8_t out[16];
  auto got = file->ReadAtNoWait(0, out, sizeof out);  // just written: in the cache
  ASSERT_TRUE(got.ok()) << got.status().ToString();
  EXPECT_EQ(*got, 8u);
}

TEST_P(Ios, WritesEverySlice) {
  const auto file = Open("a");
  std::vector<uint8_t> bytes(100'000);
  std::iota(bytes.begin(), bytes.end(), uint8_t{0});
  std::vector<IoSlice> slices;
  size_t at = 0;
  for (size_t size = 0; at < bytes.size(); size = (size + 7) % 911) {  // hundreds of slices, empty ones too
    const size_t taken = std::min(size, bytes.size() - at);
    slices.push_back({bytes.data() + at, taken});
    at += taken;
  }
  slices.push_back({nullptr, 0});
  ASSERT_GT(slices.size(), 200u);
  ASSERT_TRUE(file->WriteAt(11, slices.data(), slices.size()).ok());
  std::vector<uint8_t> back(bytes.size());
  ASSERT_TRUE(file->ReadAt(11, back.data(), back.size()).ok());
  EXPECT_EQ(back, bytes);
  EXPECT_EQ(file->Info()->size, 100'011);
  EXPECT_TRUE(file->WriteAt(0, nullptr, 0).ok());
}

TEST_P(Ios, SizesAndInfo) {
  const auto file = Open("a");
  ASSERT_TRUE(file->Reserve(4096, 8192).ok());
  EXPECT_EQ(file->Info()->size, 12'288);
  ASSERT_TRUE(Put(*file, 0, "abcdef").ok());
  ASSERT_TRUE(file->Truncate(3).ok());
  ASSERT_TRUE(file->Truncate(6).ok());
  EXPECT_EQ(Get(*file, 0, 10), std::string("abc\0\0\0", 6));
  EXPECT_TRUE(file->SyncData().ok());
  EXPECT_TRUE(file->Sync().ok());
  auto by_path = io_->Stat(root_ + "/a");
  ASSERT_TRUE(by_path.ok());
  EXPECT_EQ(by_path->size, 6);
  EXPECT_EQ(by_path->inode, file->Info()->inode);
  EXPECT_NE(by_path->inode, Open("b")->Info()->inode);
  EXPECT_FALSE(by_path->is_directory);
  EXPECT_GT(by_path->modified_ms, 0);
  EXPECT_TRUE(io_->Stat(root_)->is_directory);
  EXPECT_EQ(io_->Stat(root_ + "/none").status().code(), ErrorCode::kNotFound);
}

TEST_P(Ios, MappingsAndFilesAreOne) {
  const auto file = Open("a");
  constexpr size_t kSize = 1 << 20;
  ASSERT_TRUE(file->Reserve(0, kSize).ok());
  const int64_t before = LiveMappings();
  {
    auto mapping = file->Map(2 * kSize, true);  // past the end is allowed
    ASSERT_TRUE(mapping.ok());
    EXPECT_EQ(LiveMappings(), before + 1);
    EXPECT_EQ((*mapping)->size(), 2 * kSize);
    ASSERT_TRUE((*mapping)->Populate(100, kSize).ok());     // four steps
    EXPECT_FALSE((*mapping)->Populate(0, 2 * kSize).ok());  // beyond the end of the file
    std::memcpy((*mapping)->data() + 5000, "mapped", 6);
    EXPECT_EQ(Get(*file, 5000, 6), "mapped");
    ASSERT_TRUE(Put(*file, 300'000, "written").ok());
    EXPECT_EQ(std::memcmp((*mapping)->data() + 300'000, "written", 7), 0);
    EXPECT_TRUE((*mapping)->Sync(5001, 5003).ok());
    EXPECT_TRUE((*mapping)->Sync(5, 5).ok());
    (*mapping)->Release(1, kSize);
    EXPECT_EQ(std::memcmp((*mapping)->data() + 5000, "mapped", 6), 0);
  }
  EXPECT_EQ(LiveMappings(), before);
  EXPECT_FALSE(file->Map(0, false).ok());
  EXPECT_FALSE(Open("a", OpenMode::kRead)->Map(4096, true).ok());
  auto read_only = Open("a", OpenMode::kRead)->Map(8192, false);  // outlives its file
  ASSERT_TRUE(read_only.ok());
  EXPECT_EQ(std::memcmp((*read_only)->data() + 5000, "mapped", 6), 0);
}

TEST_P(Ios, Directories) {
  EXPECT_TRUE(io_->MakeDirectory(root_ + "/x/y//z/").ok());
  EXPECT_TRUE(io_->MakeDirectory(root_ + "/x/y/z").ok());
  EXPECT_TRUE(io_->Stat(root_ + "/x/y/z")->is_directory);
  EXPECT_TRUE(io_->SyncDirectory(root_ + "/x").ok());
  Open("x/file");
  Open("x/y/inner");
  EXPECT_EQ(io_->MakeDirectory(root_ + "/x/file").code(), ErrorCode::kNotDirectory);
  EXPECT_EQ(io_->MakeDirectory(root_ + "/x/file/sub").code(), ErrorCode::kNotDirectory);
  EXPECT_EQ(io_->SyncDirectory(root_ + "/none").code(), ErrorCode::kNotFound);
  auto names = io_->List(root_ + "/x");
  ASSERT_TRUE(names.ok());
  std::sort(names->begin(), names->end());
  EXPECT_EQ(*names, (std::vector<std::string>{"file", "y"}));
  EXPECT_EQ(io_->List(root_ + "/none").status().code(), ErrorCode::kNotFound);
  EXPECT_EQ(io_->List(root_ + "/x/file").status().code(), ErrorCode::kNotDirectory);
  EXPECT_TRUE(io_->RemoveTree(root_ + "/x").ok());
  EXPECT_FALSE(io_->Stat(root_ + "/x").ok());
  EXPECT_TRUE(io_->RemoveTree(root_ + "/x").ok());  // a repeated removal is fine
}

TEST_P(Ios, RenameAndRemove) {
  ASSERT_TRUE(Put(*Open("a"), 0, "new").ok());
  ASSERT_TRUE(Put(*Open("b"), 0, "old").ok());
  EXPECT_TRUE(io_->Rename(root_ + "/a", root_ + "/b").ok());
  EXPECT_EQ(Get(*Open("b", OpenMode::kRead), 0, 9), "new");
  EXPECT_EQ(OpenCode("a", OpenMode::kRead), ErrorCode::kNotFound);
  EXPECT_EQ(io_->Rename(root_ + "/a", root_ + "/c").code(), ErrorCode::kNotFound);
  ASSERT_TRUE(io_->MakeDirectory(root_ + "/d/e").ok());
  EXPECT_TRUE(io_->Rename(root_ + "/d", root_ + "/f").ok());
  EXPECT_TRUE(io_->Stat(root_ + "/f/e").ok());
  const auto open = Open("b", OpenMode::kRead);
  EXPECT_TRUE(io_->Remove(root_ + "/b").ok());
  EXPECT_EQ(Get(*open, 0, 9), "new");  // an open file outlives its name
  EXPECT_EQ(io_->Remove(root_ + "/b").code(), ErrorCode::kNotFound);
  EXPECT_FALSE(io_->Remove(root_ + "/f").ok());
}

TEST_P(Ios, LockIsPerOpen) {
  auto first = Open("lock");
  const auto second = Open("lock", OpenMode::kReadWrite);
  EXPECT_TRUE(first->Lock().ok());
  EXPECT_TRUE(first->Lock().ok());
  EXPECT_EQ(second->Lock().code(), ErrorCode::kLocked);
  EXPECT_TRUE(second->LockedByAnother().value());
  EXPECT_FALSE(first->LockedByAnother().value());
  first.reset();
  EXPECT_FALSE(second->LockedByAnother().value());
  EXPECT_TRUE(second->Lock().ok());
}

TEST_P(Ios, ProbesLeaveNothingBehind) {
  io_->CanPopulate(root_);
  EXPECT_TRUE(io_->List(root_)->empty());
  EXPECT_FALSE(io_->BootId().empty());
  EXPECT_EQ(io_->BootId(), io_->BootId());
  EXPECT_TRUE(io_->FileSystem(root_).ok());
}

TEST(SystemIo, BootIdIsTheKernels) {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string expected;
  ASSERT_TRUE(std::getline(file, expected));
  EXPECT_EQ(SystemIo().BootId(), expected);
}

TEST(SystemIo, TmpfsOverwritesInPlaceAndProcDoesNot) {
  if (access("/dev/shm", W_OK) != 0) GTEST_SKIP() << "no /dev/shm";
  EXPECT_EQ(SystemIo().FileSystem("/dev/shm").value(), FileSystemKind::kOverwriteInPlace);
  EXPECT_EQ(SystemIo().FileSystem("/proc").value(), FileSystemKind::kOther);
  EXPECT_FALSE(SystemIo().CanPopulate("/proc"));
  EXPECT_EQ(SystemIo().FileSystem("/no/such").status().code(), ErrorCode::kNotFound);
}

TEST(SystemIo, FullDeviceIsNoSpace) {
  auto full = SystemIo().Open("/dev/full", OpenMode::kReadWrite);
  if (!full.ok()) GTEST_SKIP() << "no /dev/full";
  const uint8_t byte = 1;
  const IoSlice slice{&byte, 1};
  EXPECT_EQ((*full)->WriteAt(0, &slice, 1).code(), ErrorCode::kNoSpace);
}

TEST(SystemIo, DescriptorsAreCloseOnExec) {
  char name[] = "/tmp/seglog-io-XXXXXX";
  const int made = mkstemp(name);
  ASSERT_GE(made, 0);
  close(made);
  auto file = SystemIo().Open(name, OpenMode::kReadWrite);
  ASSERT_TRUE(file.ok());
  const std::string command = "ls -l /proc/self/fd | grep -q " + std::string(name);
  EXPECT_NE(system(command.c_str()), 0);
  EXPECT_TRUE(SystemIo().Remove(name).ok());
}

}  // namespace
}  // namespace seglog
