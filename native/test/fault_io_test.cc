#include "fault_io.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <functional>

#include "memory_io.h"

namespace seglog {
namespace {

uint32_t Bits(std::initializer_list<IoKind> kinds) {
  uint32_t bits = 0;
  for (const IoKind kind : kinds) bits |= static_cast<uint32_t>(kind);
  return bits;
}

class Faults : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(behind_.MakeDirectory("/d").ok()); }
  Status Write(File& file, const std::string& text) {
    const IoSlice slice{reinterpret_cast<const uint8_t*>(text.data()), text.size()};
    return file.WriteAt(0, &slice, 1);
  }
  test::MemoryIo behind_;
  FaultIo io_{behind_};
};

TEST_F(Faults, WithoutAPlanNothingIsCounted) {
  EXPECT_TRUE(io_.Open("/d/a", OpenMode::kCreate).ok());
  EXPECT_EQ(io_.calls(), 0);
}

TEST_F(Faults, FailsTheNthAndOnlyIt) {
  io_.Inject({.fail_nth = 2});
  EXPECT_TRUE(io_.Open("/d/a", OpenMode::kCreate).ok());
  const auto second = io_.Open("/d/b", OpenMode::kCreate);
  EXPECT_EQ(second.status().code(), ErrorCode::kIo);
  EXPECT_EQ(second.status().detail().sys_errno, EIO);
  EXPECT_EQ(second.status().detail().path, "/d/b");
  EXPECT_TRUE(io_.Open("/d/b", OpenMode::kCreate).ok());
  EXPECT_EQ(io_.calls(), 3);
  EXPECT_EQ(io_.failures(), 1);
}

TEST_F(Faults, StickyFailsFromThereOnUntilCleared) {
  auto file = io_.Open("/d/a", OpenMode::kCreate);
  ASSERT_TRUE(file.ok());
  io_.Inject({.fail_nth = 2, .sticky = true, .kinds = Bits({IoKind::kSync})});
  EXPECT_TRUE((*file)->Sync().ok());
  EXPECT_FALSE((*file)->SyncData().ok());
  EXPECT_FALSE((*file)->Sync().ok());
  io_.Clear();
  EXPECT_TRUE((*file)->Sync().ok());
  EXPECT_EQ(io_.calls(), 3);
}

TEST_F(Faults, FiltersByKindAndPath) {
  auto log = io_.Open("/d/0.log", OpenMode::kCreate);
  auto index = io_.Open("/d/0.index", OpenMode::kCreate);
  ASSERT_TRUE(log.ok() && index.ok());
  io_.Inject({.fail_nth = 1, .sticky = true, .kinds = Bits({IoKind::kWrite}), .path_includes = ".log"});
  EXPECT_TRUE(Write(**index, "x").ok());
  EXPECT_TRUE((*log)->Truncate(0).ok());
  EXPECT_FALSE(Write(**log, "x").ok());
  EXPECT_EQ(io_.calls(), 1);
}

TEST_F(Faults, ErrnoDecidesTheCode) {
  io_.Inject({.fail_nth = 1, .sys_errno = ENOSPC});
  EXPECT_EQ(io_.Stat("/d").status().code(), ErrorCode::kNoSpace);
  io_.Inject({.fail_nth = 1, .sys_errno = EMFILE});
  EXPECT_EQ(io_.Stat("/d").status().code(), ErrorCode::kTooManyFiles);
}

TEST_F(Faults, AFailingWriteLeavesHalfOfItsFirstSlice) {
  auto file = io_.Open("/d/a", OpenMode::kCreate);
  ASSERT_TRUE(file.ok());
  io_.Inject({.fail_nth = 1});
  EXPECT_FALSE(Write(**file, "12345678").ok());
  EXPECT_EQ((*file)->Info()->size, 4);
}

TEST_F(Faults, EveryCallHasItsKind) {
  auto file = io_.Open("/d/a", OpenMode::kCreate);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->Reserve(0, 4096).ok());
  auto mapping = (*file)->Map(4096, true);
  ASSERT_TRUE(mapping.ok());
  uint8_t byte = 0;
  const std::pair<const char*, std::function<bool()>> calls[] = {
      {"open", [&] { return io_.Open("/d/a", OpenMode::kRead).ok(); }},
      {"read", [&] { return (*file)->ReadAt(0, &byte, 1).ok(); }},
      {"read", [&] { return (*file)->ReadAtNoWait(0, &byte, 1).ok(); }},
      {"write", [&] { return Write(**file, "x").ok(); }},
      {"reserve", [&] { return (*file)->Reserve(0, 1).ok(); }},
      {"truncate", [&] { return (*file)->Truncate(4096).ok(); }},
      {"sync", [&] { return (*file)->Sync().ok(); }},
      {"sync", [&] { return (*file)->SyncData().ok(); }},
      {"map", [&] { return (*file)->Map(1, true).ok(); }},
      {"populate", [&] { return (*mapping)->Populate(0, 1).ok(); }},
      {"populate", [&] { return io_.CanPopulate("/d"); }},
      {"msync", [&] { return (*mapping)->Sync(0, 1).ok(); }},
      {"rename", [&] { return io_.Rename("/d/a", "/d/a").ok(); }},
      {"list", [&] { return io_.List("/d").ok(); }},
      {"stat", [&] { return io_.Stat("/d").ok(); }},
      {"stat", [&] { return (*file)->Info().ok(); }},
      {"stat", [&] { return io_.FileSystem("/d").ok(); }},
      {"mkdir", [&] { return io_.MakeDirectory("/d/e").ok(); }},
      {"syncdir", [&] { return io_.SyncDirectory("/d").ok(); }},
      {"lock", [&] { return (*file)->Lock().ok(); }},
      {"lock", [&] { return (*file)->LockedByAnother().ok(); }},
      {"remove", [&] { return io_.RemoveTree("/d/e").ok(); }},
      {"remove", [&] { return io_.Remove("/d/a").ok(); }},
  };
  for (const auto& [name, call] : calls) {
    const std::optional<IoKind> kind = IoKindFromName(name);
    ASSERT_TRUE(kind.has_value()) << name;
    io_.Inject({.fail_nth = 1, .kinds = Bits({*kind})});
    EXPECT_FALSE(call()) << name;
    EXPECT_EQ(io_.failures(), 1) << name;
    io_.Inject({.fail_nth = 1, .sticky = true, .kinds = ~Bits({*kind})});
    EXPECT_TRUE(call()) << name;
    EXPECT_EQ(io_.calls(), 0) << name;
  }
  EXPECT_FALSE(IoKindFromName("fsync").has_value());
}

}  // namespace
}  // namespace seglog
