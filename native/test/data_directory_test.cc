#include "data_directory.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "fault_io.h"
#include "memory_io.h"
#include "process_info.h"
#include "segment_fixture.h"

namespace seglog::test {
namespace {

std::shared_ptr<DataDirectory> MustOpen(Io& io, const std::string& path = "/data",
                                        DirectoryOptions options = {}) {
  auto directory = DataDirectory::Open(io, path, options);
  EXPECT_TRUE(directory.ok()) << directory.status().ToString();
  return directory.ok() ? *directory : nullptr;
}

ErrorCode OpenCode(Io& io, const std::string& path, DirectoryOptions options = {}) {
  return DataDirectory::Open(io, path, options).status().code();
}

void Publish(DataDirectory& directory) {
  directory.Slot(kTopic, 0).value()->SetSegment(RecordOffset(0), FilePosition(10), RecordOffset(1));
}

TEST(DataDirectoryTest, JudgesHowItWasLeft) {
  MemoryIo io;
  {
    auto directory = MustOpen(io);
    EXPECT_EQ(directory->left_behind(), LeftBehind::kNew);
    ASSERT_OK(directory->ReplaceFile("seglog.json", {}));
    Publish(*directory);
  }
  {
    auto directory = MustOpen(io);
    EXPECT_EQ(directory->left_behind(), LeftBehind::kKilled);
    ASSERT_EQ(directory->ends().size(), 1u);
    ASSERT_OK(directory->ReplaceFile(".kafka_cleanshutdown", {}));
    ASSERT_OK(directory->Close(true));
  }
  {
    auto directory = MustOpen(io);
    EXPECT_EQ(directory->left_behind(), LeftBehind::kClean);
    EXPECT_TRUE(directory->ends().empty()) << "a clean close retires them";
    EXPECT_FALSE(directory->Stat(".kafka_cleanshutdown").value().has_value())
        << "gone before the first append";
    Publish(*directory);
  }
  io.PowerLoss(3);
  EXPECT_EQ(MustOpen(io)->left_behind(), LeftBehind::kScan);
}

TEST(DataDirectoryTest, ASecondCrashDuringAScanScansAgain) {
  MemoryIo io;
  {
    auto directory = MustOpen(io);
    ASSERT_OK(directory->ReplaceFile("seglog.json", {}));
    Publish(*directory);
    directory->Slot(kTopic, 0).value()->SetDurable(RecordOffset(0), FilePosition(5), RecordOffset(1));
    ASSERT_OK(directory->FlushEnds());
  }
  io.PowerLoss(1);
  EXPECT_EQ(MustOpen(io)->left_behind(), LeftBehind::kScan);
  auto again = MustOpen(io);
  EXPECT_EQ(again->left_behind(), LeftBehind::kScan);
  EXPECT_EQ(again->ends().at(0).durable_position.value, 5);
}

TEST(DataDirectoryTest, AForeignDirectoryWithoutEnds) {
  MemoryIo io;
  ASSERT_TRUE(io.MakeDirectory("/data/topic-0").ok());
  EXPECT_EQ(MustOpen(io)->left_behind(), LeftBehind::kScan);
  ASSERT_TRUE(io.MakeDirectory("/kafka/topic-0").ok());
  ASSERT_TRUE(io.Open("/kafka/.kafka_cleanshutdown", OpenMode::kCreate).ok());
  EXPECT_EQ(MustOpen(io, "/kafka")->left_behind(), LeftBehind::kClean);
}

TEST(DataDirectoryTest, OneWriterAtATimeNamedByItsPid) {
  const std::string path = ::testing::TempDir() + "/seglog-lock-" + std::to_string(getpid());
  {
    auto first = MustOpen(SystemIo(), path);
    auto second = DataDirectory::Open(SystemIo(), path, {});
    EXPECT_EQ(second.status().code(), ErrorCode::kLocked);
    EXPECT_NE(second.status().detail().message.find("process " + std::to_string(ProcessId()) + " "),
              std::string::npos);
    auto reader = MustOpen(SystemIo(), path, {.read_only = true});
    EXPECT_TRUE(reader->live());
    EXPECT_TRUE(first->live());
  }
  EXPECT_FALSE(MustOpen(SystemIo(), path, {.read_only = true})->live());
  EXPECT_NE(MustOpen(SystemIo(), path), nullptr);
  std::filesystem::remove_all(path);
}

TEST(DataDirectoryTest, WrongPathsAreRefused) {
  MemoryIo io;
  ASSERT_TRUE(io.Open("/file", OpenMode::kCreate).ok());
  EXPECT_EQ(OpenCode(io, "/file"), ErrorCode::kNotDirectory);
  EXPECT_EQ(OpenCode(io, "/none", {.create = false}), ErrorCode::kNotFound);
  EXPECT_EQ(OpenCode(io, "/none", {.read_only = true}), ErrorCode::kNotFound);
  EXPECT_EQ(OpenCode(io, ""), ErrorCode::kInvalidArgument);
  EXPECT_EQ(MustOpen(io, "/a/b/c/")->path(), "/a/b/c");
}

TEST(DataDirectoryTest, ReadOnlyWritesNothing) {
  MemoryIo io;
  MustOpen(io);
  ASSERT_TRUE(io.Open("/data/.kafka_cleanshutdown", OpenMode::kCreate).ok());
  const size_t before = io.List("/data").value().size();
  FaultIo faults(io);
  faults.Inject({.kinds = static_cast<uint32_t>(IoKind::kWrite) | static_cast<uint32_t>(IoKind::kTruncate) |
                          static_cast<uint32_t>(IoKind::kReserve) | static_cast<uint32_t>(IoKind::kRename) |
                          static_cast<uint32_t>(IoKind::kRemove) | static_cast<uint32_t>(IoKind::kMkdir)});
  auto directory = MustOpen(faults, "/data", {.read_only = true});
  EXPECT_EQ(directory->ReplaceFile("x", {}).code(), ErrorCode::kReadOnly);
  EXPECT_EQ(directory->Slot(kTopic, 0).status().code(), ErrorCode::kReadOnly);
  EXPECT_EQ(directory->Remove(".ends").code(), ErrorCode::kReadOnly);
  EXPECT_OK(directory->Close(false));
  EXPECT_EQ(faults.calls(), 0);
  EXPECT_EQ(io.List("/data").value().size(), before);
}

TEST(DataDirectoryTest, SmallFilesSurvivePowerLoss) {
  MemoryIo io;
  const Bytes bytes{1, 2, 3};
  {
    auto directory = MustOpen(io);
    ASSERT_OK(directory->MakeDirectory("t-0/deep"));
    ASSERT_OK(directory->ReplaceFile("t-0/deep/f", bytes));
    ASSERT_OK(directory->ReplaceFile("old", bytes));
    ASSERT_OK(directory->Rename("old", "t-0/new"));
    ASSERT_OK(directory->ReplaceFile("gone", bytes));
    ASSERT_OK(directory->Remove("gone"));
  }
  io.PowerLoss(5);
  auto directory = MustOpen(io);
  EXPECT_EQ(directory->ReadFile("t-0/deep/f").value(), bytes);
  EXPECT_EQ(directory->ReadFile("/data/t-0/new").value(), bytes);
  EXPECT_FALSE(directory->Stat("old").value().has_value());
  EXPECT_FALSE(directory->Stat("gone").value().has_value());
}

TEST(DataDirectoryTest, ReplaceKeepsTheOldFileWhenItFails) {
  MemoryIo io;
  FaultIo faults(io);
  auto directory = MustOpen(faults);
  const Bytes old_bytes{1};
  const Bytes new_bytes{2};
  ASSERT_OK(directory->ReplaceFile("f", old_bytes));
  faults.Inject({.fail_nth = 1, .kinds = static_cast<uint32_t>(IoKind::kRename)});
  EXPECT_EQ(directory->ReplaceFile("f", new_bytes).code(), ErrorCode::kIo);
  EXPECT_TRUE(directory->offline());
  EXPECT_EQ(directory->ReadFile("f").value(), old_bytes);
  EXPECT_EQ(directory->ReplaceFile("f", new_bytes).code(), ErrorCode::kOffline);
}

TEST(DataDirectoryTest, AFullDiskGivesTheBallastToCheckpointsNotToAppends) {
  MemoryIo io;
  FaultIo faults(io);
  auto directory = MustOpen(faults);
  EXPECT_TRUE(directory->Stat(".ballast").value().has_value());
  faults.Inject({.fail_nth = 1,
                 .kinds = static_cast<uint32_t>(IoKind::kWrite),
                 .path_includes = "f.tmp",
                 .sys_errno = 28});
  EXPECT_OK(directory->ReplaceFile("f", Bytes{1}));
  EXPECT_FALSE(directory->Stat(".ballast").value().has_value());
  faults.Inject(
      {.fail_nth = 1, .sticky = true, .kinds = static_cast<uint32_t>(IoKind::kReserve), .sys_errno = 28});
  EXPECT_FALSE(directory->MayGrow());
  faults.Clear();
  EXPECT_TRUE(directory->MayGrow());
  EXPECT_TRUE(directory->Stat(".ballast").value().has_value());
  EXPECT_FALSE(directory->offline());
}

TEST(DataDirectoryTest, AFullDiskThatCopiesOnWriteGivesTheBallastToTheEnds) {
  MemoryIo io;
  io.set_file_system(FileSystemKind::kOther);
  FaultIo faults(io);
  auto directory = MustOpen(faults);
  const FaultPlan full{.fail_nth = 1,
                       .kinds = static_cast<uint32_t>(IoKind::kWrite) | static_cast<uint32_t>(IoKind::kSync),
                       .path_includes = ".ends",
                       .sys_errno = 28};
  Publish(*directory);
  faults.Inject(full);
  EXPECT_OK(directory->FlushEnds());
  EXPECT_EQ(faults.failures(), 1);
  EXPECT_TRUE(EndsFile::Read(io, "/data/.ends").value().believable) << "what failed is written again";
  EXPECT_TRUE(directory->MayGrow());
  directory->Slot(kTopic, 0).value()->PublishEnd(FilePosition(20), RecordOffset(2));
  faults.Inject(full);
  EXPECT_OK(directory->Close(false));
  EXPECT_EQ(faults.failures(), 1);
  EXPECT_FALSE(directory->offline());
  EXPECT_EQ(EndsFile::Read(io, "/data/.ends").value().partitions.at(0).end_position, FilePosition(20));
}

TEST(DataDirectoryTest, WhereSpaceIsFreeOnlyAfterATransactionTheFileSystemIsFlushed) {
  MemoryIo io;
  io.set_file_system(FileSystemKind::kOther);
  FaultIo faults(io);
  auto directory = MustOpen(faults);
  FaultPlan full{.fail_nth = 1,
                 .sticky = true,
                 .kinds = static_cast<uint32_t>(IoKind::kWrite),
                 .path_includes = "f.tmp",
                 .sys_errno = 28};
  faults.Inject(full);
  EXPECT_EQ(directory->ReplaceFile("f", Bytes{1}).code(), ErrorCode::kNoSpace);
  EXPECT_EQ(faults.failures(), 3) << "as it was, with the ballast given back, and behind the flush";
  faults.Clear();
  // The ballast is gone already: its space may still be on the way.
  full.sticky = false;
  faults.Inject(full);
  EXPECT_OK(directory->ReplaceFile("f", Bytes{1}));
  EXPECT_EQ(faults.failures(), 1);
}

TEST(DataDirectoryTest, TheLastDescriptorsAreKeptForCheckpoints) {
  MemoryIo io;
  FaultIo faults(io);
  auto directory = MustOpen(faults);
  faults.Inject({.fail_nth = 1,
                 .kinds = static_cast<uint32_t>(IoKind::kOpen),
                 .path_includes = "f.tmp",
                 .sys_errno = 24});
  EXPECT_OK(directory->ReplaceFile("f", Bytes{1}));
  faults.Inject({.fail_nth = 1,
                 .sticky = true,
                 .kinds = static_cast<uint32_t>(IoKind::kOpen),
                 .path_includes = "g.tmp",
                 .sys_errno = 24});
  EXPECT_EQ(directory->ReplaceFile("g", Bytes{1}).code(), ErrorCode::kTooManyFiles);
  EXPECT_FALSE(directory->offline());
}

TEST(DataDirectoryTest, ATinyFullDiskStillOpens) {
  MemoryIo io;
  MustOpen(io);
  FaultIo faults(io);
  ASSERT_TRUE(io.Remove("/data/.ballast").ok());
  faults.Inject({.fail_nth = 1,
                 .sticky = true,
                 .kinds = static_cast<uint32_t>(IoKind::kReserve),
                 .path_includes = ".ballast",
                 .sys_errno = 28});
  auto directory = MustOpen(faults);
  ASSERT_NE(directory, nullptr);
  EXPECT_TRUE(directory->MayGrow());
}

TEST(DataDirectoryTest, CloseIsIdempotentAndEndsWriting) {
  MemoryIo io;
  auto directory = MustOpen(io);
  EXPECT_OK(directory->Close(true));
  EXPECT_OK(directory->Close(true));
  EXPECT_EQ(directory->ReplaceFile("f", {}).code(), ErrorCode::kClosed);
  EXPECT_NE(MustOpen(io), nullptr);
}

TEST(DataDirectoryTest, OpeningFailsCleanlyAtEveryCall) {
  for (int64_t nth = 1;; ++nth) {
    MemoryIo io;
    FaultIo faults(io);
    faults.Inject({.fail_nth = nth});
    auto opened = DataDirectory::Open(faults, "/data", {});
    if (faults.failures() == 0) break;
    if (opened.ok()) EXPECT_OK((*opened)->Close(false));
    opened = Status();
    EXPECT_EQ(LiveMappings(), 0);
    faults.Clear();
    EXPECT_NE(MustOpen(faults), nullptr) << "after a failure of call " << nth;
  }
}

}  // namespace
}  // namespace seglog::test
